"""Recorded lives of a gateway under load: of the journal alone, and of the real daemon. Owns the load and the kills."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from hil_tests.child import Child
from hil_tests.disk.gateway import JOURNAL, Presser, disk_home
from hil_tests.disk.hostile import HostileDisk, unseen
from hil_tests.disk.promises import Told
from hil_tests.disk.record import Record

_LIVES = 3
# With a directory that the journal makes itself.
_APART = "state/journal.sqlite3"
_ALARMS = 100
_PRESSES = 25
_WITHIN_S = 120.0
_POLL_S = 0.002


@dataclass(frozen=True)
class Life:
    """`file`: the journal below the disk's directory. `missed`: what was done and is not in the log: nothing."""

    name: str
    file: str
    records: list[Record]
    told: dict[bytes, Told]
    missed: list[Record]

    @property
    def wal_starts(self) -> int:
        """How often the write-ahead log was begun from its first byte."""
        wal = f"{self.file}-wal"
        return sum(one.op == "W" and one.path == wal and one.offset == 0 for one in self.records)


async def write(
    disk: HostileDisk, file: str, seed: int, alarms: int, *, kill_after: int = 0, synchronous: str = "FULL"
) -> None:
    """One life of the journal alone; with `kill_after`, only until it has made so many bytes of log."""
    command = [sys.executable, "-m", "hil_tests.disk.writer", str(disk.directory / file), "--seed", str(seed)]
    command += ["--alarms", str(alarms), "--synchronous", synchronous]
    child = await Child.start("writer", command, disk.directory.parent, disk.environment())
    try:
        async with asyncio.timeout(_WITHIN_S):
            while child.running and not 0 < kill_after < disk.written():
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise child.failed("goes on and on") from None
    finally:
        await child.kill()
    if await child.ended(_WITHIN_S) not in ((0, -signal.SIGKILL) if kill_after else (0,)):
        raise child.failed("ended as it should not")


async def of_journal(place: Path, rng: random.Random, synchronous: str = "FULL") -> Life:
    """The journal alone, driven hard: two lives that are killed, one that ends in order."""
    disk = HostileDisk(place)
    for life in range(_LIVES):
        kill_after = 0 if life == _LIVES - 1 else rng.randrange(1 << 19, 1 << 23)
        await write(disk, _APART, rng.randrange(1 << 32), _ALARMS, kill_after=kill_after, synchronous=synchronous)
    disk.close()
    return Life("journal", _APART, disk.records(), {}, unseen(disk.records(), disk.directory))


async def of_daemon(place: Path, rng: random.Random) -> Life:
    """The real daemon: killed twice while four wearers press, and at the end."""
    async with disk_home(place, wearables=4) as made:
        for life in range(_LIVES):
            await made.start()
            pressing = asyncio.gather(*(_press(wearable, rng) for wearable in made.wearables))
            try:
                if life < _LIVES - 1:
                    await asyncio.sleep(rng.uniform(0.2, 1.0))
                else:
                    async with asyncio.timeout(_WITHIN_S):
                        await pressing
            finally:
                pressing.cancel()
                await asyncio.gather(pressing, return_exceptions=True)
            await made.kill()
        records = made.disk.records()
        return Life("daemon", JOURNAL, records, made.told(), unseen(records, made.disk.directory))


async def _press(wearable: Presser, rng: random.Random) -> None:
    """One wearer's presses, each as soon as something was shown for the one before."""
    for _ in range(_PRESSES):
        alarm = wearable.press()
        await wearable.until(lambda alarm=alarm: bool(alarm.shown), _WITHIN_S)  # type: ignore[misc]
        if rng.random() < 0.2:
            await wearable.beat()
