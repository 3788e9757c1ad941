"""`pingan gateway install` and `uninstall`: their arguments, what is checked first, and what is said.

Nothing is changed before everything that can be judged beforehand has been: who runs it, which machine this is, the
configuration, the bundle. What to do is steps.py's.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon.errors import Refusal
from tools.install import configuration, enrolment, files, program, service, source, step, steps, upgrade
from tools.install.health import Health
from tools.install.places import Places
from tools.install.program import Program
from tools.install.system import Failed
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands
    from tools.kit.telling import Telling

_WITHIN_S = 120.0
_MACHINES = ("x86_64", "aarch64")
_OLDEST = 12


def register(parts: Commands, words: Messages) -> None:
    """Add `install` and `uninstall` to the parts of `pingan gateway`."""
    parser = parts.add_parser("install", help=words.text("install.about"), description=words.text("install.about"))
    add_options(parser, words)
    parser.set_defaults(run=install)
    parser = parts.add_parser("uninstall", help=words.text("uninstall.about"))
    parser.add_argument("--purge", action="store_true", help=words.text("uninstall.purge"))
    parser.add_argument("--yes", action="store_true", help=words.text("uninstall.yes"))
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help=words.text("install.root"))
    add_telling(parser, words)
    parser.set_defaults(run=uninstall)


def add_options(parser: argparse.ArgumentParser, words: Messages) -> None:
    """The arguments of `install`; bare.py needs them too."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--config", type=Path, metavar="FILE", help=words.text("install.config"))
    given.add_argument("--answers", type=Path, metavar="FILE", help=words.text("install.answers"))
    parser.add_argument("--bundle", type=Path, metavar="FILE", help=words.text("install.bundle"))
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help=words.text("install.passphrase_file"))
    parser.add_argument("--from", type=Path, metavar="PATH", dest="source", help=words.text("install.from"))
    parser.add_argument("--wheels", type=Path, metavar="DIR", help=words.text("install.wheels"))
    parser.add_argument("--within", type=float, default=_WITHIN_S, metavar="S", help=words.text("install.within"))
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help=words.text("install.root"))
    add_telling(parser, words)


def add_telling(parser: argparse.ArgumentParser, words: Messages) -> None:
    """What the three commands have in common."""
    parser.add_argument("--dry-run", action="store_true", help=words.text("install.dry_run"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))


def install(arguments: argparse.Namespace, words: Messages) -> int:
    """Make this machine a gateway, as far as it is not one."""
    places = Places(arguments.root.resolve())
    check_machine(places)
    with telling("install", arguments, words) as teller, source.opened(arguments.source) as chosen:
        version = Program(places, chosen, arguments.wheels)
        if not arguments.dry_run and upgrade.unfinished(places, arguments.within) is not None:
            with alone(places):
                upgrade.finish(places, arguments.within, teller)
        check_no_other(places, version.version)
        given = configuration.chosen(places, arguments.config, arguments.answers, words)
        papers = enrolment.chosen(places, arguments.bundle, arguments.passphrase_file, given.settings, words)
        health = Health(arguments.within, given.settings)
        wanted = steps.install(steps.Wanted(places, version, given, papers, health))
        if arguments.dry_run:
            return told(teller, step.tell(wanted, teller))
        with alone(places):
            acts = step.carry_out(wanted, teller)
            if places.live and not acts:
                health.prove()
        said = "install.unchanged" if not acts else "install.installed" if places.live else "install.prepared"
        teller.verdict(step.GATEWAY, "done", said, acts=acts, root=str(places.root))
    return 0


def uninstall(arguments: argparse.Namespace, words: Messages) -> int:
    """Take the gateway off this machine; its configuration and journal only when told."""
    places = Places(arguments.root.resolve())
    check_machine(places)
    with telling("uninstall", arguments, words) as teller:
        wanted = steps.uninstall(places, source.own(), purge=arguments.purge)
        if arguments.dry_run:
            return told(teller, step.tell(wanted, teller, undo=True))
        if arguments.purge and not arguments.yes:
            _ask(places, words)
        acts = 0
        if places.opt.exists():
            with alone(places):
                acts = step.take_back(wanted, teller) + step.carry_out(steps.after_uninstall(places), teller)
            files.remove(places.opt)
        else:
            acts = step.take_back(wanted, teller)
        said = "uninstall.unchanged" if not acts else "uninstall.purged" if arguments.purge else "uninstall.removed"
        teller.verdict(step.GATEWAY, "done", said, acts=acts, kept=str(places.seen(places.state)))
    return 0


def told(teller: Telling, acts: int) -> int:
    """The end of a dry run."""
    teller.verdict(step.GATEWAY, "would", "install.would" if acts else "install.unchanged", acts=acts)
    return 0


@contextlib.contextmanager
def telling(command: str, arguments: argparse.Namespace, words: Messages) -> Iterator[Telling]:
    """Tell a run; how it ended, too, whatever ended it. A failure is told here, and ends the process with 1."""
    from tools.kit.telling import Telling  # noqa: PLC0415

    # What is made here is for the service's user to read, whatever umask root has.
    os.umask(0o022)
    with Telling(command, words, as_json=arguments.json) as teller:
        try:
            yield teller
        except Failed as failed:
            teller.verdict(step.GATEWAY, "failed", failed.key, **failed.names)
            raise SystemExit(1) from failed
        except OSError as error:
            teller.verdict(step.GATEWAY, "failed", "install.disk", file=error.filename or "?", why=error.strerror)
            raise SystemExit(1) from error
        except Refusal as refusal:
            if arguments.json:
                names = {name: str(value) for name, value in refusal.params.items()}
                teller.verdict(step.GATEWAY, "refused", refusal.key, **names)
            raise
        except KeyboardInterrupt:
            teller.verdict(step.GATEWAY, "stopped", "install.stopped")
            raise


@contextlib.contextmanager
def alone(places: Places) -> Iterator[None]:
    """Nobody else installs, upgrades or uninstalls meanwhile. Raises Refusal where somebody does."""
    steps.make_ready(places)
    with places.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refusal("install.busy", file=places.lock) from error
        yield


def check_machine(places: Places) -> None:
    """Refuse who may not, and where it cannot work."""
    if os.geteuid() != 0:
        raise Refusal("install.not_root", command=" ".join(["sudo", *sys.argv]))
    if not places.live:
        return
    if platform.machine() not in _MACHINES:
        raise Refusal("install.wrong_machine", machine=platform.machine(), wanted=", ".join(_MACHINES))
    found = platform.freedesktop_os_release()
    number = found.get("VERSION_ID", "")
    if found.get("ID") != "debian" or not number.isdigit() or int(number) < _OLDEST:
        raise Refusal("install.wrong_system", system=found.get("PRETTY_NAME", "?"), oldest=_OLDEST)
    if not Path("/run/systemd/system").is_dir():
        raise Refusal("install.no_systemd")


def check_no_other(places: Places, version: str) -> None:
    """Refuse to exchange a version that runs: upgrade can take that back, install cannot."""
    runs = program.current(places)
    if runs not in (None, version) and places.live and service.state().runs:
        raise Refusal("install.other_version", version=runs, new=version)


def _ask(places: Places, words: Messages) -> None:
    if not sys.stdin.isatty():
        raise Refusal("uninstall.not_asked")
    shown = words.text("uninstall.ask", state=places.seen(places.state), etc=places.seen(places.etc))
    print(shown, end=" ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
        raise Refusal("uninstall.kept")
