"""What makes a gateway of a machine, as a list of steps. Start here.

Owns the list and its order; a dry run, a repeated run, one that goes on where another was cut, and `uninstall` all come
from it. Each step's own doing is in the module of its name. The order: what cannot hurt first; the system learns of the
service when all that it needs is there; it is started last.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.install import account, enrolment, files, packages, pending, program, service
from tools.install.configuration import Given
from tools.install.files import Owner
from tools.install.health import Health
from tools.install.places import (
    PRIVATE_DIRECTORY,
    PRIVATE_FILE,
    PUBLIC_DIRECTORY,
    PUBLIC_FILE,
    UNIT,
    Places,
)
from tools.install.program import Program
from tools.install.source import Source
from tools.install.step import Act, Step, act

_NO_WEARABLES = b'{"v": 1, "wearables": []}\n'
_COMMAND_TARGET = "/opt/pingan/current/bin/pingan"


@dataclass(frozen=True)
class Wanted:
    """What the technician has chosen."""

    places: Places
    program: Program
    given: Given
    enrolment: enrolment.Enrolment
    health: Health


def first(places: Places, version: Program) -> list[Step]:
    """What Python's own library can do: a bare machine has the rest only afterwards (bare.py)."""

    def build() -> None:
        if program.current(places) == version.version:
            # Made anew under what runs, for another Python.
            pending.mark(places, [pending.RESTART])
        version.build()

    return [
        Step("packages", lambda: packages.wanted(places), packages.install),
        Step(
            "program",
            version.wanted,
            build,
            present=lambda: _there(places, [places.versions]),
            undo=lambda: files.remove(places.versions),
        ),
    ]


def install(wanted: Wanted) -> list[Step]:
    """The whole list."""
    places, source = wanted.places, wanted.program.source
    always = [
        *first(places, wanted.program),
        _system_files(places, source),
        Step("account", lambda: account.wanted(places), lambda: account.make(places)),
        _directories(places),
        _configuration(places, wanted.given),
        Step("certificate", lambda: wanted.enrolment.wanted(places), lambda: wanted.enrolment.put(places)),
        _current(places, wanted.program.version),
        _enabled(places),
    ]
    running = [_told(places), _started(places, wanted.health)] if places.live else []
    return [*always, *running, _tidied(places)]


def uninstall(places: Places, source: Source, *, purge: bool) -> list[Step]:
    """The same list as far as it can be taken back. Configuration and journal go only if they are to be purged."""
    steps = [*first(places, Program(places, source)), _system_files(places, source)]
    if purge:
        kept = Step("account", list, lambda: None, lambda: account.present(places), lambda: account.remove(places))
        steps += [kept, _directories(places)]
    steps += [_current(places, ""), _enabled(places)]
    return [*steps, _told(places), _started(places, None)] if places.live else steps


def after_uninstall(places: Places) -> list[Step]:
    """What is left to do when all is undone."""
    return [_told(places)] if places.live else []


def _there(places: Places, paths: list[Path]) -> list[Act]:
    found = [path for path in paths if path.exists() or path.is_symlink()]
    return [act("remove", what=places.seen(path)) for path in found]


def _remove(paths: list[Path]) -> None:
    for path in paths:
        files.remove(path)


def _system_files(places: Places, source: Source) -> Step:
    """Unit, rules, the user's description: the version's own."""
    targets = places.for_system()

    def missing() -> dict[str, Path]:
        return {
            name: path for name, path in targets.items() if not files.is_written(path, source.deploy(name), PUBLIC_FILE)
        }

    def put() -> None:
        pending.mark(places, [pending.RELOAD, pending.RESTART])
        for name, path in missing().items():
            files.write(path, source.deploy(name), PUBLIC_FILE)

    def take_away() -> None:
        pending.mark(places, [pending.RELOAD])
        _remove(list(targets.values()))

    return Step(
        "system",
        lambda: [act("file", file=places.seen(path), mode="0644") for path in missing().values()],
        put,
        present=lambda: _there(places, list(targets.values())),
        undo=take_away,
    )


def _directories(places: Places) -> Step:
    """Configuration and state: the service's alone."""
    private = [places.etc, places.state]

    def owner() -> Owner:
        return account.owner(places) or files.ROOT

    def missing() -> list[Path]:
        return [path for path in private if not files.is_directory(path, PRIVATE_DIRECTORY, owner())]

    def make() -> None:
        for path in missing():
            files.make_directory(path, PRIVATE_DIRECTORY, owner())

    return Step(
        "directories",
        lambda: [act("directory", directory=places.seen(path), mode="0700") for path in missing()],
        make,
        present=lambda: _there(places, private),
        undo=lambda: _remove(private),
    )


def _configuration(places: Places, given: Given) -> Step:
    """The configuration file, and an empty list of wearables where there is none yet."""
    key_file = places.root / given.settings.wearables.key_file.lstrip("/")

    def contents() -> dict[Path, bytes]:
        owner = account.owner(places) or files.ROOT
        found = {} if key_file.exists() else {key_file: _NO_WEARABLES}
        if given.text is not None and not files.is_written(places.config, given.text, PRIVATE_FILE, owner):
            found[places.config] = given.text
        return found

    def put() -> None:
        owner = account.must_be(places)
        pending.mark(places, [pending.RESTART])
        for path, data in contents().items():
            if path.exists():
                files.write(path.with_name(f"{path.name}.before"), path.read_bytes(), PRIVATE_FILE, owner)
            files.write(path, data, PRIVATE_FILE, owner)

    return Step(
        "configuration",
        lambda: [act("file", file=places.seen(path), mode="0600") for path in contents()],
        put,
    )


def _current(places: Places, version: str) -> Step:
    """`current` names the version, and `pingan` is found by whoever types it."""

    def missing() -> list[Act]:
        acts = [] if program.current(places) == version else [act("current", version=version)]
        if not files.is_link(places.command, _COMMAND_TARGET):
            acts.append(act("link", link=places.seen(places.command), target=_COMMAND_TARGET))
        return acts

    def do() -> None:
        if program.current(places) != version:
            pending.mark(places, [pending.RESTART])
            program.switch(places, version)
        if not files.is_link(places.command, _COMMAND_TARGET):
            files.link(places.command, _COMMAND_TARGET)

    ours = [places.command, places.current, places.previous]
    return Step("current", missing, do, present=lambda: _there(places, ours), undo=lambda: _remove(ours))


def _enabled(places: Places) -> Step:
    def present() -> list[Act]:
        return [act("disable", unit=UNIT)] if service.is_enabled(places) else []

    return Step(
        "enabled",
        lambda: [] if service.is_enabled(places) else [act("enable", unit=UNIT)],
        lambda: service.enable(places),
        present=present,
        undo=lambda: service.enable(places, on=False),
    )


def _told(places: Places) -> Step:
    """What has changed is read by systemd and udev."""

    def wanted() -> list[Act]:
        return [act("reload")] if pending.is_marked(places, pending.RELOAD) or service.state().needs_reload else []

    def do() -> None:
        service.reload()
        pending.clear(places, pending.RELOAD)

    return Step("told", wanted, do)


def _started(places: Places, health: Health | None) -> Step:
    """It runs, and was started after the last change."""

    def wanted() -> list[Act]:
        if service.state().runs and not pending.is_marked(places, pending.RESTART):
            return []
        return [act("start", unit=UNIT)]

    def do() -> None:
        if service.state().active != "inactive":
            service.stop()
        service.start()
        if health is not None:
            health.prove()
        pending.clear(places, pending.RESTART)

    def present() -> list[Act]:
        return [act("stop", unit=UNIT)] if service.state().active not in ("inactive", "failed") else []

    def stop() -> None:
        service.unguard()
        service.stop()

    return Step("started", wanted, do, present=present, undo=stop)


def _tidied(places: Places) -> Step:
    """Two versions are kept; what an interrupted run began, and a later one did not need, goes."""

    def wanted() -> list[Act]:
        return [act("remove", what=places.seen(path)) for path in program.surplus(places)]

    return Step("tidied", wanted, lambda: _remove(program.surplus(places)))


def make_ready(places: Places) -> None:
    """The directory that all else of ours needs: marks, the lock."""
    if not files.is_directory(places.opt, PUBLIC_DIRECTORY):
        files.make_directory(places.opt, PUBLIC_DIRECTORY)
