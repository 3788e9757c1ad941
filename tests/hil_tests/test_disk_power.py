"""Power cuts find what they are for: a journal that promises before the disk has it loses, and ours does not."""

from __future__ import annotations

import asyncio
import errno
import random
import sys
from pathlib import Path

import pytest

from hil_tests.child import Child
from hil_tests.disk import build, lives
from hil_tests.disk.cuts import Cuts
from hil_tests.disk.hostile import HostileDisk
from hil_tests.disk.promises import Promises
from hil_tests.faults.campaign import Outcome

pytestmark = pytest.mark.skipif(bool(build.missing()), reason=build.missing())
_CUTS = 40
_WITHIN_S = 60


async def _cut(place: Path, synchronous: str) -> Outcome:
    rng = random.Random(3)
    life = await lives.of_journal(place / "life", rng, synchronous)
    assert life.missed == []
    outcome = Outcome()
    cuts = Cuts(life.file, place, rng, outcome)
    await cuts.make(life.records, cuts.spread(life.records, _CUTS), Promises(), synchronous)
    assert cuts.seen["cuts"] == _CUTS
    assert cuts.seen["in_transaction"] > _CUTS // 4
    return outcome


async def test_a_journal_that_syncs_each_commit_loses_nothing(tmp_path: Path) -> None:
    outcome = await _cut(tmp_path, "FULL")
    assert (outcome.lost, outcome.twice, outcome.wrong) == ([], [], [])


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
async def test_one_that_leaves_it_to_the_kernel_loses(tmp_path: Path, synchronous: str) -> None:
    assert len((await _cut(tmp_path, synchronous)).lost) > _CUTS


# A sync fails; the disk is right again; the next alarm is told STORED.
_FAILED_SYNC = """
import asyncio, sys
from pathlib import Path
from random import Random
from edge_daemon.counters import Counters
from edge_daemon.errors import StoreFailed
from edge_daemon.journal import Journal, cached
from hil_tests.disk.writer import _mark, an_alarm

if sys.argv[2] == "believing":
    cached.make_durable = lambda path: None

async def main():
    journal = Journal(Path(sys.argv[1]), Counters())
    await journal.open()
    asyncio.create_task(journal.run())
    for number in range(1, 4):
        print("next", number, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        alarm = an_alarm("a" * 16, number, Random(number))
        while True:
            try:
                await journal.store(alarm, number)
                break
            except StoreFailed:
                print("failed", flush=True)
                await asyncio.to_thread(sys.stdin.readline)
        _mark(stored=["a" * 16, number, number])
    print("done", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def _after_a_failed_sync(place: Path, how: str) -> Outcome:
    """Store, fail once, store again; then the process is killed, and the power goes at any moment since."""
    disk = HostileDisk(place / "life")
    command = [sys.executable, "-c", _FAILED_SYNC, str(disk.directory / "journal.sqlite3"), how]
    child = await Child.start("storing", command, place, disk.environment(), listens=True)
    try:
        await child.said(lambda line: line == "next 1", _WITHIN_S)
        child.tell("")
        await child.said(lambda line: line == "next 2", _WITHIN_S)
        # The commit's, and those with which the file is closed and opened after it.
        disk.hurt("sync", errno.EIO)
        child.tell("")
        await child.said(lambda line: line == "failed", _WITHIN_S)
        # Not before the sync of the closing has failed, too; the journal tries again by itself after a second.
        async with asyncio.timeout(_WITHIN_S):
            while disk.hits("sync") < 2:
                await asyncio.sleep(0.005)
        disk.heal()
        child.tell("")
        await child.said(lambda line: line == "next 3", _WITHIN_S)
        child.tell("")
        await child.said(lambda line: line == "done", _WITHIN_S)
    finally:
        await child.kill()
        disk.close()
    outcome = Outcome()
    cuts = Cuts("journal.sqlite3", place, random.Random(1), outcome)
    records = disk.records()
    await cuts.make(records, cuts.spread(records, _CUTS), Promises(), how)
    return outcome


async def test_after_a_sync_that_failed_nothing_is_believed_that_only_the_cache_shows(tmp_path: Path) -> None:
    outcome = await _after_a_failed_sync(tmp_path, "doubting")
    assert (outcome.lost, outcome.twice, outcome.wrong) == ([], [], [])


async def test_a_journal_that_believed_the_cache_would_lose(tmp_path: Path) -> None:
    lost = 0
    for trial in range(3):
        place = tmp_path / str(trial)
        place.mkdir()
        lost += len((await _after_a_failed_sync(place, "believing")).lost)
    assert lost
