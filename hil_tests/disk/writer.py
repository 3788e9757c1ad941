"""`python -m hil_tests.disk.writer JOURNAL --seed S`: the real Journal, used hard by a few wearables at once.

To be run on a hostile disk. Owns what is asked of the journal, and the marks in the disk's log that say what it has
promised: {"stored": [wearable, number, counter]} when `store` has returned, {"purging": [wearable, number]} before an
alarm may go. `--synchronous` is for counter-proofs: settings under which SQLite promises less.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import random
from pathlib import Path

from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm
from edge_daemon.journal import Journal, schema
from protocol import codes

WEARABLES = 4
_PURGE_EVERY = 40
_DAY_MS = 86_400_000


def _mark(**promise: object) -> None:
    data = json.dumps(promise).encode()
    ctypes.CDLL(None).hostile_disk_mark(data, ctypes.c_size_t(len(data)))


def an_alarm(wearable: str, number: int, rng: random.Random) -> Alarm:
    """An alarm as intake makes it; some carry the bytes that were not understood."""
    return Alarm(
        wearable=wearable,
        number=number,
        kind=codes.SOS,
        detail=codes.HOLD,
        age_ms=rng.randrange(5000),
        age_resolution_ms=1,
        age_at_least=False,
        battery_percent=rng.randrange(100),
        link="serial",
        rssi_dbm=None,
        boot_id="test_only_boot",
        heard_ms=number * 1000,
        heard_wall_ms=number * _DAY_MS,
        raw=rng.randbytes(rng.randrange(900)) if rng.random() < 0.3 else None,
    )


class Wearables:
    """What several wearables bring to one journal."""

    def __init__(self, journal: Journal, rng: random.Random, alarms: int) -> None:
        self._journal = journal
        self._rng = rng
        self._alarms = alarms
        self._stored = 0

    async def one(self, wearable: str) -> None:
        """One wearable's life: presses, answers of the platform, heartbeats in between."""
        known = [number for of, number in self._journal.alarms if of == wearable]
        number = max(known, default=0)
        counter = self._journal.windows.get(wearable, -1)
        for left in self._journal.open_of(wearable):
            self._advance(left, codes.CLOSED)
        for _ in range(self._alarms):
            number, counter = number + 1, counter + self._rng.randint(1, 3)
            alarm = an_alarm(wearable, number, self._rng)
            await self._journal.store(alarm, counter)
            _mark(stored=[wearable, number, counter])
            self._stored += 1
            self._go_on(alarm, counter)
            if self._rng.random() < 0.3:
                await asyncio.sleep(self._rng.random() * 0.004)
        while any(alarm.stage == codes.STORED for alarm in self._journal.open_of(wearable)):
            await asyncio.sleep(0.05)

    def _go_on(self, alarm: Alarm, counter: int) -> None:
        """The platform's word, sooner or later; and once in a while what is old goes."""
        loop = asyncio.get_running_loop()
        stages = (codes.ACCEPTED, codes.ANSWERED, codes.CLOSED)
        for step, stage in enumerate(stages[: self._rng.choice((1, 3, 3))], 1):
            loop.call_later(step * self._rng.random() * 0.05, self._advance, alarm, stage)
        if self._rng.random() < 0.5:
            self._journal.move_window(alarm.wearable, counter)
        if self._stored % _PURGE_EVERY == 0:
            before_ms = (alarm.number - _PURGE_EVERY // WEARABLES) * _DAY_MS
            for old in self._journal.alarms.values():
                if not old.waiting and old.heard_wall_ms < before_ms:
                    _mark(purging=[old.wearable, old.number])
            self._journal.purge(lambda old: old.heard_wall_ms < before_ms)

    def _advance(self, alarm: Alarm, stage: int) -> None:
        if stage > alarm.stage and alarm.key in self._journal.alarms:
            alarm.stage = stage
            self._journal.advance(alarm)


async def use(file: Path, seed: int, alarms: int) -> None:
    """Open, bring so many alarms of each wearable, close."""
    journal = Journal(file, Counters())
    await journal.open()
    writing = asyncio.create_task(journal.run())
    wearables = Wearables(journal, random.Random(seed), alarms)
    try:
        await asyncio.gather(*(wearables.one(f"{number:016x}") for number in range(1, WEARABLES + 1)))
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await journal.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.disk.writer", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--alarms", type=int, default=100, help="of each wearable")
    parser.add_argument("--synchronous", default="FULL", choices=("FULL", "NORMAL", "OFF"))
    arguments = parser.parse_args()
    pragmas = [pragma for pragma in schema.PRAGMAS if "synchronous" not in pragma]
    schema.PRAGMAS = (*pragmas, f"PRAGMA synchronous = {arguments.synchronous}")  # type: ignore[assignment]
    asyncio.run(use(arguments.file, arguments.seed, arguments.alarms))


if __name__ == "__main__":
    main()
