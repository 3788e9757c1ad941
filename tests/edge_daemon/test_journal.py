"""The journal, on a real SQLite on a real disk."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal, StoreFailed
from edge_daemon.heard import Alarm
from edge_daemon.journal import Journal
from protocol import codes

WEARABLE = "00112233445566aa"


def an_alarm(number: int, kind: int = codes.SOS) -> Alarm:
    return Alarm(WEARABLE, number, kind, 2, 100, 100, False, 80, "serial", None, "boot", 1000 + number, 5000, None)


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Journal]:
    journal = Journal(path, Counters())
    await journal.open()
    writer = asyncio.create_task(journal.run())
    try:
        yield journal
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        await journal.close()


def rows(path: Path) -> list[tuple[int, int]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT number, stage FROM events ORDER BY id").fetchall()


async def test_what_was_stored_is_there_after_a_restart_with_its_window(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    async with opened(path) as journal:
        alarm = an_alarm(7)
        await journal.store(alarm, 41)
        assert alarm.stage == codes.STORED
    async with opened(path) as journal:
        again = journal.alarms[WEARABLE, 7]
        assert again == alarm
        assert journal.windows[WEARABLE] == 41
        assert journal.open_alarms() == [again]


async def test_file_and_directory_are_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    async with opened(path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_waiting_alarms_share_commits_and_each_event_is_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await asyncio.gather(*(journal.store(an_alarm(n), n) for n in range(200)))
        same = [an_alarm(500) for _ in range(20)]
        await asyncio.gather(*(journal.store(alarm, 600) for alarm in same))
        assert journal._counters.snapshot()["commits"] < 20
    assert [number for number, _ in rows(path)] == [*range(200), 500]


async def test_stages_and_lone_windows_are_written_behind(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        alarm = an_alarm(1)
        await journal.store(alarm, 1)
        alarm.stage = codes.CLOSED
        journal.advance(alarm)
        journal.move_window(WEARABLE, 9)
        journal.move_window(WEARABLE, 8)
        async with asyncio.timeout(20):
            while journal._counters.snapshot()["commits"] < 2:
                await asyncio.sleep(0.01)
    async with opened(path) as journal:
        assert journal.alarms[WEARABLE, 1].stage == codes.CLOSED
        assert journal.windows[WEARABLE] == 9
        assert journal.open_alarms() == []


async def test_a_failed_commit_is_not_stored_and_the_next_one_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await journal.store(an_alarm(1), 1)
        assert journal._disk._db is not None
        await journal._disk._db.execute("PRAGMA query_only = ON")
        alarm = an_alarm(2)
        with pytest.raises(StoreFailed):
            await journal.store(alarm, 2)
        assert alarm.stage == codes.HEARD
        assert journal.trouble is not None
        # The file is opened anew at the next attempt, and what has not been written goes in first.
        await journal.store(alarm, 3)
        assert (alarm.stage, journal.trouble) == (codes.STORED, None)
    assert rows(path) == [(1, 1), (2, 1)]


async def test_a_second_daemon_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await journal.store(an_alarm(1), 1)
        with pytest.raises(Refusal) as refused:
            await Journal(path, Counters()).open()
        assert refused.value.key == "journal.in_use"


async def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(Refusal) as refused:
        await Journal(path, Counters()).open()
    assert refused.value.key == "journal.too_new"


async def test_what_the_platform_has_is_purged_and_what_it_has_not_stays_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        for number, stage in ((1, codes.CLOSED), (2, codes.STORED), (3, codes.REFUSED), (4, codes.ACCEPTED)):
            alarm = an_alarm(number)
            await journal.store(alarm, number)
            alarm.stage = stage
            journal.advance(alarm)
        assert journal.purge(lambda alarm: alarm.heard_wall_ms < 5000) == 0
        assert journal.purge(lambda alarm: True) == 3
        assert list(journal.alarms) == [(WEARABLE, 2)]
        assert [alarm.number for alarm in journal.open_of(WEARABLE)] == [2]
        # One of them comes again while its deletion is still to be written: it is new, and it stays.
        await journal.store(an_alarm(3), 9)
    assert rows(path) == [(2, 1), (3, 1)]


async def test_a_writer_stopped_at_the_moment_it_is_woken_stops(tmp_path: Path) -> None:
    """asyncio.wait_for of Python 3.11 loses a cancellation that comes together with what was waited for."""
    journal = Journal(tmp_path / "journal.sqlite3", Counters())
    await journal.open()
    writer = asyncio.create_task(journal.run())
    await journal.store(an_alarm(1), 1)
    alarm = journal.alarms[WEARABLE, 1]
    for _ in range(3):
        journal.move_window(WEARABLE, 2)
        await asyncio.sleep(0.05)
        alarm.stage = codes.ACCEPTED
        journal.advance(alarm)
        writer.cancel()
        done, _ = await asyncio.wait({writer}, timeout=10)
        assert done == {writer}
        assert writer.cancelled()
        writer = asyncio.create_task(journal.run())
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await journal.close()


async def test_a_row_that_the_tables_refuse_is_not_called_stored_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        bad = an_alarm(1)
        bad.battery_percent = None  # type: ignore[assignment]
        with pytest.raises(StoreFailed):
            await journal.store(bad, 1)
        assert bad.stage == codes.HEARD
        good = an_alarm(2)
        await journal.store(good, 2)
        assert good.stage == codes.STORED
    assert rows(path) == [(2, 1)]


async def test_what_waits_when_the_gateway_is_stopped_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        alarm = an_alarm(1)
        await journal.store(alarm, 1)
        alarm.stage = codes.CLOSED
        journal.advance(alarm)
        journal.move_window(WEARABLE, 77)
    async with opened(path) as journal:
        assert journal.alarms[WEARABLE, 1].stage == codes.CLOSED
        assert journal.windows[WEARABLE] == 77


async def test_a_purge_in_the_middle_of_the_work_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        for start in range(0, 200, 20):
            batch = [an_alarm(number) for number in range(start, start + 20)]
            storing = asyncio.gather(*(journal.store(alarm, alarm.number) for alarm in batch))
            journal.purge(lambda alarm: True)
            await storing
            for alarm in batch[::2]:
                alarm.stage = codes.CLOSED
                journal.advance(alarm)
        journal.purge(lambda alarm: True)
    assert [number for number, _ in rows(path)] == list(range(1, 200, 2))


async def test_ten_thousand_alarms_of_the_past_do_not_slow_the_present(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        past = [an_alarm(number) for number in range(10_000)]
        await asyncio.gather(*(journal.store(alarm, alarm.number) for alarm in past))
        for alarm in past:
            alarm.stage = codes.CLOSED
            journal.advance(alarm)
    async with opened(path) as journal:
        assert len(journal.alarms) == 10_000
        assert journal.open_alarms() == []
        assert journal.open_of(WEARABLE) == []
        await journal.store(an_alarm(10_001), 10_001)
        assert [alarm.number for alarm in journal.open_of(WEARABLE)] == [10_001]
