"""The power goes at any moment of a damaged journal's replacement, and again in the start that goes on from there.

What is on disk then is made up: of the changes of names since the directory was last synced each may have come through
or not, whatever their order; of a file that was not synced, half.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_daemon.counters import Counters
from edge_daemon.errors import StoreFailed
from edge_daemon.journal import Journal, renewal, salvage
from edge_daemon.journal.batch import Batch
from protocol import codes

from .test_journal import WEARABLE, an_alarm, opened

NAME = "journal.sqlite3"
_rename, _fsync = os.rename, os.fsync
# In the file, and in its log alone.
IN_FILE, IN_LOG = range(200), range(200, 250)


@pytest.fixture
async def damaged(tmp_path: Path) -> Path:
    """A file with a bad page and a log that could not be played into it, as a process leaves it that is killed."""
    place = tmp_path / "damaged"
    async with opened(tmp_path / "life" / NAME) as journal:
        await asyncio.gather(*(journal.store(an_alarm(number), number) for number in IN_FILE))
        assert journal._disk._db is not None
        await journal._disk._db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        await asyncio.gather(*(journal.store(an_alarm(number), number) for number in IN_LOG))
        shutil.copytree(tmp_path / "life", place)
    assert (place / f"{NAME}-wal").stat().st_size
    (tmp_path / "look").mkdir()
    shutil.copy(place / NAME, tmp_path / "look" / NAME)
    with sqlite3.connect(tmp_path / "look" / NAME) as db:
        leaves = [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf'")]
    db.close()
    with (place / NAME).open("r+b") as file:
        file.seek((leaves[len(leaves) // 2] - 1) * 4096)
        file.write(b"\xa5" * 4096)
    return place


class Cuts:
    """Every state of a directory that a power cut may leave while `work` goes on in it."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._place = place
        self._monkeypatch = monkeypatch
        self._numbers = itertools.count()

    def of(self, start: Path, work: Callable[[Path], None]) -> list[Path]:
        """Do the work in a copy of `start`. Returns the directories that cuts in it leave, and the finished one."""
        here = self._copy(start)
        self._whole = {file.stat().st_ino for file in here.iterdir()}
        self._synced, self._renamed = self._on_disk(here), []
        states: list[Path] = []

        def cut_and_rename(old: Path, new: Path) -> None:
            states.extend(self._left())
            _rename(old, new)
            self._renamed.append((Path(old).name, Path(new).name))

        def cut_and_fsync(handle: int) -> None:
            states.extend([*self._left(), self._on_disk(here)])
            _fsync(handle)
            self._whole.add(os.fstat(handle).st_ino)
            # Of a file only its content is there then, whatever becomes of its name.
            self._synced = self._on_disk(here)
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                self._renamed = []

        with self._monkeypatch.context() as patched:
            patched.setattr(os, "rename", cut_and_rename)
            patched.setattr(os, "fsync", cut_and_fsync)
            work(here)
        return [*states, *self._left(), here]

    def _on_disk(self, here: Path) -> Path:
        """A directory as it is, with half of each file that was not synced."""
        copy = self._copy(here)
        for file in here.iterdir():
            if file.stat().st_ino not in self._whole:
                os.truncate(copy / file.name, file.stat().st_size // 2)
        return copy

    def _left(self) -> Iterator[Path]:
        """What may be on disk now: any of the unsynced changes of names."""
        for came_through in itertools.product((True, False), repeat=len(self._renamed)):
            state = self._copy(self._synced)
            for (old, new), came in zip(self._renamed, came_through, strict=True):
                if came and (state / old).exists():
                    _rename(state / old, state / new)
            yield state

    def _copy(self, of: Path) -> Path:
        return Path(shutil.copytree(of, self._place / str(next(self._numbers))))


def _renew(place: Path) -> None:
    """What a start does with a damaged file; the log is still there, for it is read from a copy."""
    path = place / NAME
    if not renewal.begun(path).exists():
        found = salvage.read_copy(path)
        renewal.begin(path, Batch({alarm.key: alarm for alarm in found.alarms}, windows=found.windows))
    renewal.finish(path)


def _names(place: Path) -> tuple[str, ...]:
    return tuple(sorted(f"{path.name} {path.stat().st_size}" for path in place.iterdir()))


async def test_a_power_cut_at_any_moment_loses_nothing_that_the_damaged_file_gives(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {alarm.number for alarm in salvage.read_copy(damaged / NAME).alarms}
    assert given > set(IN_LOG), "the log is read"
    assert len(given & set(IN_FILE)) < len(IN_FILE), "there is damage"
    cuts = Cuts(tmp_path / "cuts", monkeypatch)
    states = {_names(damaged): damaged}
    to_cut = [damaged]
    while to_cut:
        for state in cuts.of(to_cut.pop(), _renew):
            if _names(state) not in states:
                states[_names(state)] = state
                to_cut += [state] if _half_way(state) else []
    print(f"{len(states)} different disks")
    for names, state in states.items():
        told: list[str] = []
        async with opened(state / NAME) as journal:
            journal.on_damaged = told.append
            assert {number for _, number in journal.alarms} == given, names
            assert {alarm.stage for alarm in journal.alarms.values()} == {codes.STORED}
            await journal.store(an_alarm(1000), 1000)
        async with opened(state / NAME) as journal:
            assert {number for _, number in journal.alarms} == given | {1000}, names
            assert journal.windows[WEARABLE] == 1000
        left = {path.name for path in state.iterdir()} - {f"{NAME}.damaged-1-wal"}
        assert left == {NAME, f"{NAME}.damaged-1"}, names
    assert len(states) >= 8, "as it was, new file half and whole, named, log or file renamed or both, done"


@pytest.mark.parametrize("step", ["begin", "finish"])
async def test_where_no_new_file_can_be_made_yet_alarms_go_on_and_it_is_tried_again(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    given = {alarm.number for alarm in salvage.read_copy(damaged / NAME).alarms}
    failures, told = [errno.EROFS], list[str]()
    work = getattr(renewal, step)

    def fail(path: Path, *more: Batch) -> str:
        if failures:
            if step == "finish":
                # In the middle of it: only the new file can be read.
                path.rename(path.with_name(f"{NAME}.damaged-1"))
            raise OSError(failures.pop(), "test")
        return work(path, *more)

    monkeypatch.setattr(renewal, step, fail)
    async with opened(damaged / NAME) as journal:
        journal.on_damaged = told.append
        assert {number for _, number in journal.alarms} == given
        assert {alarm.stage for alarm in journal.alarms.values()} == {codes.HEARD}
        alarm = an_alarm(1000)
        async with asyncio.timeout(20):
            while alarm.stage == codes.HEARD:
                with contextlib.suppress(StoreFailed):
                    await journal.store(alarm, 1000)
        assert {alarm.stage for alarm in journal.alarms.values()} == {codes.STORED}
    assert told == [f"{NAME}.damaged-1"]
    async with opened(damaged / NAME) as journal:
        assert {number for _, number in journal.alarms} == given | {1000}


async def test_a_full_disk_makes_room_for_the_new_file(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, asked = renewal.begin, list[int]()

    def full(path: Path, content: Batch) -> None:
        if len(asked) < 2:
            raise OSError(errno.ENOSPC, "test")
        begin(path, content)

    monkeypatch.setattr(renewal, "begin", full)
    journal = Journal(damaged / NAME, Counters(), lambda: not asked.append(1))
    await journal.open()
    await journal.close()
    assert (len(asked), journal.trouble) == (2, None)


def _half_way(state: Path) -> bool:
    """Whether a start has something to do there."""
    return renewal.begun(state / NAME).exists() or not (state / f"{NAME}.damaged-1").exists()
