"""`pingan gateway upgrade`: another version in place of the one that runs, taken back when it is not well.

    beside   build the new version; the old one runs on
    fits     the new one reads the configuration
    stopped  the old one is stopped: from here on nobody hears a press, and every path below ends in a start
    tried    on a copy of the journal the new one finds the same events, the same of them open, as the old one
    kept     where the new one changes the journal's tables, a copy the old one can read is kept
    switched system files, `current`
    well     started, and proven (health.py)

What fails before `switched` starts the old one as it was. What fails after it switches back, with the journal that the
old one can read and every event stored meanwhile. Whoever upgrades may be killed: systemd then starts what `current`
names, and a note on disk has the next install or upgrade finish this one first. Owns the order and the way back.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_daemon import config
from tools.install import files, journal_copy, program, service, steps, system
from tools.install.health import Health
from tools.install.places import PUBLIC_FILE, USER, Places
from tools.install.program import Program
from tools.install.source import Source
from tools.install.step import GATEWAY, Teller, carry_out
from tools.install.system import Failed

_COUNT_WITHIN_S = 600.0
_CHECK_WITHIN_S = 60.0


@dataclass(frozen=True)
class Upgrade:
    """From `old`, which runs, to `new`. `within_s`: how long either has to become well."""

    places: Places
    old: str
    new: Program
    within_s: float
    teller: Teller

    def run(self) -> int:
        """Do it. Returns how many events the journal holds. Raises Failed when the old one runs again, or should."""
        carry_out(steps.first(self.places, self.new), self.teller)
        with _Step(self.teller, "fits"):
            self._check_configuration()
        back = Way(self.places, self.old, self.new.version, self.within_s)
        back.note()
        _not_with_the_terminal()
        try:
            service.guard(self.places.lock)
            with _Step(self.teller, "stopped"):
                service.stop()
            with _Step(self.teller, "tried"):
                found = self._try_on_a_copy(back)
            with _Step(self.teller, "switched"):
                put_in_place(self.places, self.new.source, self.new.version)
            with _Step(self.teller, "well"):
                service.start()
                Health(self.within_s, config.load(self.places.config), found["events"]).prove()
        except BaseException as error:
            carried = self._take_back(back, error)
            if not isinstance(error, Failed | OSError):
                raise
            said = "upgrade.taken_back" if carried >= 0 else "upgrade.taken_back_without"
            names = {"old": self.old, "new": self.new.version, "carried": carried, "aside": back.aside}
            raise Failed(said, **names) from error
        back.arrived()
        service.unguard()
        return found["events"]

    def _take_back(self, back: Way, error: BaseException) -> int:
        """Say what went wrong, and go back. Raises Failed when the old version does not become well either."""
        # A second Ctrl-C must not leave it half way back.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            if isinstance(error, Failed):
                self.teller.end(GATEWAY, "wrong", "failed", error.key, **error.names)
        with _Step(self.teller, "back"):
            return back.go()

    def _check_configuration(self) -> None:
        python = self.new.directory / "bin/python"
        check = [python, "-P", "-m", "tools.cli", "gateway", "config", "--config", self.places.config]
        system.run(*check, within_s=_CHECK_WITHIN_S, user=USER)

    def _try_on_a_copy(self, back: Way) -> dict[str, int]:
        """Both versions count in the same copy, the old one first. Raises Failed when they do not find the same."""
        if not self.places.journal.exists():
            return {"events": 0}
        copied = back.directory / "tried.sqlite3"
        back.copy(self.places.journal, copied)
        found = [_count(self.places, version, copied) for version in (back.old, self.new.version)]
        for key in ("events", "open", "waiting"):
            if found[0][key] != found[1][key]:
                raise Failed("upgrade.counts", what=key, old=found[0][key], new=found[1][key])
        back.forget(copied)
        if found[0]["schema"] != found[1]["schema"]:
            back.copy(self.places.journal, back.kept)
        return found[1]


def _count(places: Places, version: str, journal: Path) -> dict[str, int]:
    python = places.versions / version / "bin/python"
    said = system.run(python, "-P", "-m", "tools.install.counting", journal, within_s=_COUNT_WITHIN_S, user=USER)
    counts: dict[str, int] = json.loads(said)
    return counts


def put_in_place(places: Places, source: Source, version: str) -> None:
    """Make a version the system's: its files for systemd and udev, and `current`. Raises Failed, OSError."""
    for name, path in places.for_system().items():
        if not files.is_written(path, source.deploy(name), PUBLIC_FILE):
            files.write(path, source.deploy(name), PUBLIC_FILE)
    program.switch(places, version)
    service.reload()


@dataclass(frozen=True)
class Way:
    """The way back from `new` to `old`, on disk for as long as it may be needed."""

    places: Places
    old: str
    new: str
    within_s: float

    @property
    def directory(self) -> Path:
        """Where copies of the journal are kept: in the state directory, as private as the journal."""
        return self.places.state / "upgrade"

    @property
    def kept(self) -> Path:
        """The journal as `old` can read it."""
        return self.directory / f"journal-{self.old}.sqlite3"

    @property
    def aside(self) -> Path:
        """The journal as `new` left it, when it had to go."""
        return self.directory / f"journal-of-{self.new}.sqlite3"

    def note(self) -> None:
        """From here on an upgrade is under way."""
        self.forget(self.kept)
        note = {"old": self.old, "new": self.new}
        files.write(_note(self.places), json.dumps(note).encode() + b"\n", PUBLIC_FILE)

    def arrived(self) -> None:
        """`new` is well. The copy stays, for whoever goes back by hand."""
        files.remove(_note(self.places))

    def copy(self, journal: Path, target: Path) -> None:
        """Copy a journal as the service's user. Raises Failed."""
        self._as_user("copy", journal, target)

    def forget(self, copied: Path) -> None:
        """Take a copy away, with what SQLite kept beside it."""
        for file in journal_copy.beside(copied):
            if self.directory.is_dir():
                files.remove(file)

    def go(self) -> int:
        """Go back, from wherever. Returns how many events were carried over, -1: see the copy set aside.

        Raises Failed when `old` does not become well; systemd goes on starting it.
        """
        service.stop()
        carried = 0
        if self.kept.exists() and self.places.journal.exists():
            try:
                carried = int(self._as_user("put_back", self.kept, self.places.journal, self.aside))
            except Failed as failed:
                # The old version is started all the same: it may still make something of what lies there.
                print(failed, file=sys.stderr)
                carried = -1
        put_in_place(self.places, Source(self.places.versions / self.old / "program"), self.old)
        service.start()
        Health(self.within_s, config.load(self.places.config)).prove()
        files.remove(_note(self.places))
        service.unguard()
        return carried

    def _as_user(self, act: str, *paths: Path) -> str:
        python = self.places.versions / self.old / "bin/python"
        return system.run(
            python, "-P", "-m", "tools.install.journal_copy", act, *paths, within_s=_COUNT_WITHIN_S, user=USER
        )


def _note(places: Places) -> Path:
    return places.opt / "upgrade.json"


def unfinished(places: Places, within_s: float) -> Way | None:
    """The way back of an upgrade that was cut off, if there is one."""
    try:
        note = json.loads(_note(places).read_bytes())
    except (OSError, ValueError):
        return None
    return Way(places, note["old"], note["new"], within_s)


def finish(places: Places, within_s: float, teller: Teller) -> None:
    """Finish an upgrade that was cut off, if there is one: well with the new version, or back. Raises Failed."""
    way = unfinished(places, within_s)
    if way is None:
        return
    if program.current(places) == way.new:
        try:
            with _Step(teller, "well"):
                service.reload()
                service.start()
                Health(within_s, config.load(places.config)).prove()
        except Failed as failed:
            teller.end(GATEWAY, "wrong", "failed", failed.key, **failed.names)
        else:
            way.arrived()
            service.unguard()
            return
    with _Step(teller, "back"):
        way.go()


def _not_with_the_terminal() -> None:
    """Go on when the terminal is gone (a lost ssh connection), and go back when asked to end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class _Step:
    """One step, told: where nobody can be told any more, it is done all the same."""

    def __init__(self, teller: Teller, name: str) -> None:
        self._teller, self._name = teller, name

    def __enter__(self) -> None:
        with contextlib.suppress(OSError):
            self._teller.begin(GATEWAY, self._name)

    def __exit__(self, kind: object, error: object, _trace: object) -> None:
        with contextlib.suppress(OSError):
            self._teller.end(GATEWAY, self._name, "done" if kind is None else "failed")
