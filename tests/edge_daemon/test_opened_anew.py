"""A journal's file that is opened while the gateway runs: what memory has learnt since is the truth."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge_daemon.errors import StoreFailed
from edge_daemon.journal import Journal
from edge_daemon.journal.batch import Batch
from edge_daemon.journal.disk import DiskFailed, Kept, Trouble
from protocol import codes

from .test_journal import WEARABLE, an_alarm, opened, rows


def _fail_once(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next commit fails as one on a failing disk; then the file is opened anew."""
    commit = journal._disk.commit

    async def fail(_: Batch) -> None:
        monkeypatch.setattr(journal._disk, "commit", commit)
        raise DiskFailed(Trouble.FAILING, "test")

    monkeypatch.setattr(journal._disk, "commit", fail)


async def test_what_comes_while_the_file_is_opened_anew_is_the_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        reopen = journal._disk.open
        meanwhile: list[asyncio.Task[None]] = []

        async def open_while_one_presses() -> Kept:
            meanwhile.append(asyncio.create_task(journal.store(an_alarm(2), 2)))
            await asyncio.sleep(0)
            return await reopen()

        _fail_once(journal, monkeypatch)
        monkeypatch.setattr(journal._disk, "open", open_while_one_presses)
        with pytest.raises(StoreFailed):
            await journal.store(an_alarm(1), 1)
        async with asyncio.timeout(20):
            while not meanwhile:
                await asyncio.sleep(0.02)
            await meanwhile[0]
        # Now, for closing it would write everything once more.
        shutil.copytree(tmp_path, tmp_path / "as-it-is")
    with contextlib.closing(sqlite3.connect(tmp_path / "as-it-is" / path.name)) as db:
        assert db.execute("SELECT counter FROM windows WHERE wearable = ?", [WEARABLE]).fetchall() == [(2,)]
        assert db.execute("SELECT number FROM events ORDER BY number").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("damaged", [False, True])
async def test_what_the_file_opened_anew_lacks_is_stored_when_it_has_it_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    async with opened(path) as journal:
        stored, accepted, alarm = an_alarm(1), an_alarm(2), an_alarm(3)
        await asyncio.gather(journal.store(stored, 1), journal.store(accepted, 2))
        accepted.stage = codes.ACCEPTED
        journal.advance(accepted)
        commit = journal._disk.commit
        before: list[list[int]] = []

        async def see(batch: Batch) -> None:
            if (WEARABLE, 1) not in batch.alarms:
                await commit(batch)
                return
            before.append([stored.stage, accepted.stage, alarm.stage])
            if len(before) == 1:
                raise DiskFailed(Trouble.FULL, "test")
            await commit(batch)

        async def fail(_: Batch) -> None:
            shutil.rmtree(path.parent)
            if damaged:
                path.parent.mkdir()
                path.write_bytes(b"no database at all, " * 100)
            monkeypatch.setattr(journal._disk, "commit", see)
            raise DiskFailed(Trouble.FAILING, "test")

        monkeypatch.setattr(journal._disk, "commit", fail)
        with pytest.raises(StoreFailed):
            await journal.store(alarm, 3)
        async with asyncio.timeout(20):
            while alarm.stage == codes.HEARD:
                await asyncio.sleep(0.02)
        assert before == [[codes.HEARD, codes.ACCEPTED, codes.HEARD]] * 2, "before each attempt, the failed one too"
        assert (stored.stage, accepted.stage) == (codes.STORED, codes.ACCEPTED)
    assert sorted(rows(path)) == [(1, codes.STORED), (2, codes.ACCEPTED), (3, codes.STORED)]


async def test_a_condition_that_ended_before_the_file_was_opened_anew_stays_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    lost, other = (0x8A, "AC"), (0x8A, "UPS")
    async with opened(path) as journal:
        for condition in (lost, other):
            journal.set_condition(condition, holds=True)
        await journal.store(an_alarm(1), 1)
        _fail_once(journal, monkeypatch)
        journal.set_condition(lost, holds=False)
        with pytest.raises(StoreFailed):
            await journal.store(an_alarm(2), 2)
        await journal.store(an_alarm(2), 2)
        assert journal.conditions == {other}
    async with opened(path) as journal:
        assert journal.conditions == {other}


async def test_a_condition_ended_without_a_disk_is_not_brought_back_by_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    async with opened(path) as journal:
        journal.set_condition((0x8A, "AC"), holds=True)
        await journal.store(an_alarm(1), 1)
    shutil.move(tmp_path / "state", tmp_path / "card")
    (tmp_path / "state").write_text("where the card should be")
    async with opened(path) as journal:
        journal.set_condition((0x8A, "AC"), holds=False)
        (tmp_path / "state").unlink()
        shutil.move(tmp_path / "card", tmp_path / "state")
        async with asyncio.timeout(20):
            while journal.trouble is not None:
                await asyncio.sleep(0.02)
        assert set(journal.alarms) == {(WEARABLE, 1)}
        assert journal.conditions == set()
    async with opened(path) as journal:
        assert journal.conditions == set()
