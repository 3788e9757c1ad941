"""A disk that is damaged, full, gone or read-only: what was stored stays known, and alarms go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.counters import Counters
from edge_daemon.errors import StoreFailed
from edge_daemon.journal import Journal
from edge_daemon.journal.disk import Trouble
from edge_daemon.journal.room import RESERVE_BYTES, Room
from protocol import codes

from .test_journal import WEARABLE, an_alarm, opened, rows


async def _filled(path: Path, count: int = 400) -> str:
    """A journal of many alarms, one of them closed; returns its handle."""
    async with opened(path) as journal:
        await asyncio.gather(*(journal.store(an_alarm(number), number) for number in range(count)))
        journal.set_condition((0x8A, "AC"), holds=True)
        journal.note_boot("earlier", 5000, 77)
        closed = journal.alarms[WEARABLE, 3]
        closed.stage = codes.CLOSED
        journal.advance(closed)
        return journal.handle


async def test_a_file_that_is_none_is_set_aside_and_alarms_go_on_in_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"no database at all, " * 100)
    aside: list[str] = []
    journal = Journal(path, Counters())
    journal.on_damaged = aside.append
    await journal.open()
    writer = asyncio.create_task(journal.run())
    await journal.store(an_alarm(1), 1)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await journal.close()
    assert aside == ["journal.sqlite3.damaged-1"]
    assert (tmp_path / aside[0]).read_bytes().startswith(b"no database at all, ")
    assert rows(path) == [(1, 1)]


@pytest.mark.parametrize("seed", range(8))
async def test_of_a_damaged_file_what_can_be_read_goes_on(tmp_path: Path, seed: int) -> None:
    """Pages overwritten at random, never the same twice: it always opens, and invents nothing."""
    path = tmp_path / "journal.sqlite3"
    handle = await _filled(path)
    chance = random.Random(seed)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(1 + seed % 4):
            file.seek(chance.randrange(1 if seed % 2 else 0, size // 4096) * 4096 + chance.randrange(4096))
            file.write(chance.randbytes(chance.choice([16, 600, 4096])))
    async with opened(path) as journal:
        known = set(journal.alarms)
        assert known <= {(WEARABLE, number) for number in range(400)}
        damaged = _aside(tmp_path)
        assert damaged or (len(known), journal.handle) == (400, handle)
        if damaged and WEARABLE in journal.windows:
            assert journal.windows[WEARABLE] == 399
        await journal.store(an_alarm(1000), 1000)
    async with opened(path) as journal:
        assert set(journal.alarms) == known | {(WEARABLE, 1000)}, "what was salvaged is in the new file"
        assert _aside(tmp_path) == damaged


async def test_one_bad_page_of_many_costs_only_what_stood_on_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await _filled(path)
    with sqlite3.connect(path) as db:
        leaves = [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf'")]
    db.close()
    with path.open("r+b") as file:
        file.seek((leaves[len(leaves) // 2] - 1) * 4096)
        file.write(b"\xa5" * 4096)
    async with opened(path) as journal:
        assert 400 - len(journal.alarms) <= 400 // len(leaves) + 30
        assert journal.alarms[WEARABLE, 3].stage == codes.CLOSED
        assert journal.alarms[WEARABLE, 399].stage == codes.STORED
        assert journal.windows[WEARABLE] == 399
        assert journal.conditions == {(0x8A, "AC")}
        assert journal.boots == {"earlier": (5000, 77)}
        there = dict(rows(shutil.copy(path, tmp_path / "as-it-is")))
        assert there == {number: alarm.stage for (_, number), alarm in journal.alarms.items()}, "before any commit"


async def test_a_file_damaged_while_we_run_is_replaced_by_what_memory_holds(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await asyncio.gather(*(journal.store(an_alarm(number), number) for number in range(300)))
        assert journal._disk._db is not None
        await journal._disk._db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.write(b"\xa5" * path.stat().st_size)
        await journal._disk._db.execute_fetchall("PRAGMA cache_size = 1")
        await journal._disk._db.execute_fetchall("PRAGMA shrink_memory")
        alarm = an_alarm(1000)
        async with asyncio.timeout(30):
            while alarm.stage == codes.HEARD:
                try:
                    await journal.store(alarm, 1000)
                except StoreFailed:
                    await asyncio.sleep(0.05)
    async with opened(path) as journal:
        assert set(journal.alarms) == {(WEARABLE, number) for number in [*range(300), 1000]}
    assert _aside(tmp_path) == ["journal.sqlite3.damaged-1"]


async def test_of_files_set_aside_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    for _ in range(6):
        path.write_bytes(b"garbage " * 100)
        async with opened(path):
            pass
    assert _aside(tmp_path) == [f"{path.name}.damaged-{n}" for n in (4, 5, 6)]


async def test_a_start_without_a_disk_lets_alarms_through_and_takes_the_file_up_when_it_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    handle = await _filled(path, 5)
    shutil.move(tmp_path / "state", tmp_path / "card")
    (tmp_path / "state").write_text("where the card should be")
    loaded: list[bool] = []
    async with opened(path) as journal:
        journal.on_loaded = lambda: loaded.append(True)
        assert journal.trouble is not None
        assert journal.trouble.trouble is Trouble.FAILING
        alarm = an_alarm(7)
        with pytest.raises(StoreFailed):
            await journal.store(alarm, 50)
        assert alarm.stage == codes.HEARD
        (tmp_path / "state").unlink()
        shutil.move(tmp_path / "card", tmp_path / "state")
        async with asyncio.timeout(20):
            while alarm.stage == codes.HEARD:
                await asyncio.sleep(0.02)
        assert (loaded, journal.handle, journal.trouble) == ([True], handle, None)
        assert set(journal.alarms) == {(WEARABLE, number) for number in (0, 1, 2, 3, 4, 7)}
        assert journal.windows[WEARABLE] == 50
    assert [number for number, _ in rows(path)] == [0, 1, 2, 3, 4, 7]


async def test_a_card_that_loses_its_files_gets_all_that_memory_holds(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    async with opened(path) as journal:
        await asyncio.gather(*(journal.store(an_alarm(number), number) for number in range(20)))
        assert journal._disk._db is not None
        shutil.rmtree(tmp_path / "state")
        await journal._disk._db.execute("PRAGMA query_only = ON")
        alarm = an_alarm(30)
        with pytest.raises(StoreFailed):
            await journal.store(alarm, 30)
        async with asyncio.timeout(20):
            while alarm.stage == codes.HEARD:
                await asyncio.sleep(0.02)
    assert [number for number, _ in rows(path)] == [*range(20), 30]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB. Only root can mount one; the campaign disk_errors needs no root."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(place: Path) -> None:
    with (place / "junk").open("ab", buffering=0) as junk, contextlib.suppress(OSError):
        while True:
            junk.write(bytes(4096))


def _aside(place: Path) -> list[str]:
    return sorted(path.name for path in place.glob("*.damaged-*"))


async def test_on_a_full_disk_ten_thousand_alarms_still_find_room(small_disk: Path) -> None:
    evictions: list[int] = []

    def evict() -> int:
        evictions.append(1)
        return 0

    room = Room(small_disk, evict)
    room.restore()
    assert (room.held_bytes, room.short) == (RESERVE_BYTES, False)
    path = small_disk / "journal.sqlite3"
    journal = Journal(path, Counters(), room.make)
    await journal.open()
    writer = asyncio.create_task(journal.run())
    _fill(small_disk)
    for start in range(0, 10_000, 50):
        await asyncio.gather(*(journal.store(an_alarm(number), number) for number in range(start, start + 50)))
    assert room.short
    assert evictions, "telemetry goes before the reserve"
    used = RESERVE_BYTES - room.held_bytes
    print(f"10,000 alarms took {used >> 20} MiB of {RESERVE_BYTES >> 20}")
    assert used < RESERVE_BYTES, "and there was some left"
    # At the very end: not stored, said so, and nothing that was stored is lost.
    end = 10_000
    with pytest.raises(StoreFailed):
        for end in range(10_000, 200_000):
            await journal.store(an_alarm(end), end)
    assert journal.trouble is not None
    assert journal.trouble.trouble is Trouble.FULL
    (small_disk / "junk").unlink()
    async with asyncio.timeout(20):
        while journal.alarms[WEARABLE, end].stage == codes.HEARD:
            await asyncio.sleep(0.02)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await journal.close()
    assert [number for number, _ in rows(path)] == list(range(end + 1))


def test_the_reserve_is_filled_up_again_only_when_there_is_plenty(small_disk: Path) -> None:
    room = Room(small_disk, lambda: 0, reserve_bytes=2 << 20)
    room.restore()
    assert room.make()
    assert room.held_bytes == 1 << 20
    (small_disk / "junk").write_bytes(bytes(4 << 20))
    room.restore()
    assert (room.held_bytes, room.short) == (1 << 20, True), "11 MiB are free: not to and fro at the brim"
    assert room.make()
    assert not room.make(), "there is nothing left"
