"""The command `pingan gateway upgrade`: its arguments, what it refuses, and what is tidied up when it went well.

How it is done, and taken back, is upgrade.py's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon.errors import Refusal
from tools.install import command, files, pending, program, source, step, steps, upgrade
from tools.install.places import Places
from tools.install.program import Program
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands

_WITHIN_S = 120.0


def register(parts: Commands, words: Messages) -> None:
    """Add `upgrade` to the parts of `pingan gateway`."""
    parser = parts.add_parser("upgrade", help=words.text("upgrade.about"), description=words.text("upgrade.about"))
    parser.add_argument("--to", metavar="PATH|VERSION", help=words.text("upgrade.to"))
    parser.add_argument("--wheels", type=Path, metavar="DIR", help=words.text("install.wheels"))
    parser.add_argument("--within", type=float, default=_WITHIN_S, metavar="S", help=words.text("install.within"))
    command.add_telling(parser, words)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Upgrade, and keep two versions."""
    places = Places()
    command.check_machine(places)
    with command.telling("upgrade", arguments, words) as teller, source.opened(_tree(places, arguments.to)) as chosen:
        new = Program(places, chosen, arguments.wheels)
        if arguments.dry_run:
            return command.told(teller, step.tell(_planned(places, new), teller))
        with command.alone(places):
            upgrade.finish(places, arguments.within, teller)
            old = program.current(places)
            if old is None:
                raise Refusal("upgrade.nothing")
            if old == new.version:
                teller.verdict(step.GATEWAY, "done", "upgrade.unchanged", version=old)
                return 0
            events = upgrade.Upgrade(places, old, new, arguments.within, teller).run()
            pending.clear(places, pending.RESTART)
            _tidy(places)
        teller.verdict(step.GATEWAY, "done", "upgrade.upgraded", old=old, new=new.version, events=events)
    return 0


def _tree(places: Places, to: str | None) -> Path | None:
    """The tree of `--to`: a kept version by its name or number, or a path. None: the one this program runs from."""
    kept = [] if not places.versions.is_dir() else sorted(entry.name for entry in places.versions.iterdir())
    if to is None:
        if source.own().tree.is_relative_to(places.versions):
            raise Refusal("upgrade.to_what", kept=", ".join(kept))
        return None
    named = [name for name in kept if to in (name, name.partition("-")[0])]
    # Of two with one number, the one that does not run is meant.
    for name in sorted(named, key=lambda name: name == program.current(places)):
        return places.versions / name / "program"
    if not Path(to).exists():
        raise Refusal("upgrade.unknown", to=to, kept=", ".join(kept))
    return Path(to)


def _planned(places: Places, new: Program) -> list[step.Step]:
    """What a dry run tells."""
    old = program.current(places)
    acts = [] if old == new.version else [step.act("upgrade", old=old, new=new.version)]
    return [*steps.first(places, new), step.Step("switched", lambda: acts, lambda: None)]


def _tidy(places: Places) -> None:
    """Take away all but the version that runs and the one before, and journals that only others could read."""
    for directory in program.surplus(places):
        files.remove(directory)
        files.remove(places.state / "upgrade" / f"journal-{directory.name}.sqlite3")
