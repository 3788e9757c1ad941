"""A house that is lived in: wearers press, all that we know of goes wrong, mixed by chance, and nothing may grow.

Real: firmware, air, lines, daemon, disk under LD_PRELOAD, broker, desk, an operator. Owns the course of it: in the
first part processes die, too; in the rest they live, so that what grows can be seen. hil_tests/soak/ has the parts.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

from hil_tests.desk.operator import Operator
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.soak import troubles
from hil_tests.soak.home import Home
from hil_tests.soak.watch import Watch

_DEADLY_PART = 0.4
_DEATH_EVERY_S = (5.0, 15.0)
_TROUBLE_EVERY_S = (2.0, 8.0)
# Short slices press as often as wearers can see all of it through; long ones as often as a house full of them.
_REST_S = (4.0, 12.0)
_WARM_UP_S = 45.0
_LOOKS = 400
_LOOK_LEAST_S = 1.0
_AFTERWARDS_S = 180.0
# What may come in the time watched: caches that fill, and the alarms themselves, which are kept for 30 days.
_MEMORY_MOST_KB = 12_000.0
_MEMORY_EACH_KB = 6.0
_FILES_MOST = 4.0
_TASKS_MOST = 8.0
# One alarm of the journal's table and indexes; its log is written over itself (schema.py).
_JOURNAL_LEAST_BYTES = 300_000
_JOURNAL_EACH_BYTES = 1_000
_LOG_MOST_BYTES = 2 << 20


async def _live(home: Home, lasts_s: float, chance: random.Random, watches: list[Watch], seen: Counter[str]) -> int:
    """Press and suffer for so long; returns the most that the journal's log took, in bytes."""
    calm, enough = asyncio.Event(), asyncio.Event()
    until_s = time.monotonic() + lasts_s
    log_bytes = 0

    def pace(
        kinds: tuple[troubles.Trouble, ...], rest_s: tuple[float, float], end: asyncio.Event
    ) -> asyncio.Task[None]:
        part = random.Random(chance.getrandbits(64))
        return asyncio.create_task(troubles.go_wrong(home, kinds, rest_s, part, seen, end))

    wrong = [pace(troubles.DEATHS, _DEATH_EVERY_S, calm), pace(troubles.WEATHER, _TROUBLE_EVERY_S, enough)]
    going = [asyncio.create_task(watch.run()) for watch in watches]
    going += [
        asyncio.create_task(home.press_on(name, _REST_S, random.Random(chance.getrandbits(64)))) for name in home.hands
    ]
    try:
        async with Operator(home.house.desk, close_after_s=0.3):
            while time.monotonic() < until_s:
                await asyncio.sleep(_LOOK_LEAST_S)
                if until_s - time.monotonic() < lasts_s * (1 - _DEADLY_PART):
                    calm.set()
                for task in (*wrong, *going):
                    if task.done() and not (task in wrong and calm.is_set()):
                        task.result()
                wal = home.state / "journal.sqlite3-wal"
                log_bytes = max(log_bytes, wal.stat().st_size if wal.exists() else 0)
            calm.set()
            enough.set()
            await asyncio.gather(*wrong)
    finally:
        for task in (*going, *wrong):
            task.cancel()
        await asyncio.gather(*going, *wrong, return_exceptions=True)
    return log_bytes


def _size(home: Home, log_bytes: int, outcome: Outcome) -> None:
    """The journal is as large as its alarms, and its log no larger than it may be."""
    bytes_now = (home.state / "journal.sqlite3").stat().st_size
    alarms = sum(entry.get("log") == "event_heard" for entry in home.gateway.logs)
    outcome.figures["journal"] = (
        f"{bytes_now / 1e3:.0f} kB for {alarms} alarms, its log at most {log_bytes / 1e3:.0f} kB"
    )
    if bytes_now > _JOURNAL_LEAST_BYTES + _JOURNAL_EACH_BYTES * alarms or log_bytes > _LOG_MOST_BYTES:
        outcome.wrong.append(f"the journal takes {bytes_now} bytes for {alarms} alarms, its log {log_bytes}")


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` seconds of it."""
    outcome, chance, seen = Outcome(), random.Random(seed), Counter[str]()
    home = await Home.build(place, chance)
    try:
        every_s = max(count / _LOOKS, _LOOK_LEAST_S)
        watches = [
            Watch("daemon", lambda: home.gateway.child, every_s, _WARM_UP_S),
            Watch("desk", lambda: home.house.desk.child, every_s, _WARM_UP_S),
        ]
        log_bytes = await _live(home, count, chance, watches, seen)
        async with Operator(home.house.desk, close_after_s=0.3):
            await home.promises.settle(outcome, _AFTERWARDS_S)
        _size(home, log_bytes, outcome)
    finally:
        await home.leave()
    home.promises.compare(outcome)
    outcome.wrong += [f"trouble {name} never came" for name in _missing(seen, count)]
    presses = home.promises.presses.total()
    most = {"memory": _MEMORY_MOST_KB + _MEMORY_EACH_KB * presses, "files": _FILES_MOST, "tasks": _TASKS_MOST}
    for watch in watches:
        outcome.figures[watch.name], wrong = watch.judge(most)
        outcome.wrong += wrong
    outcome.figures["presses"] = f"{presses:,}"
    outcome.figures["troubles"] = ", ".join(f"{name} {times}" for name, times in sorted(seen.items()))
    outcome.count = seen.total()
    return outcome


def _missing(seen: Counter[str], lasts_s: float) -> list[str]:
    """Kinds that a run of this length should have had."""
    kinds = {trouble.__name__ for trouble in (*troubles.DEATHS, *troubles.WEATHER)}
    return sorted(kinds - seen.keys()) if lasts_s >= _SHORT_S else []


_SHORT_S = 300

CAMPAIGN = Campaign(
    name="soak",
    hurt="s in a house where everything goes wrong at some time; nothing grows",
    short=_SHORT_S,
    long=8 * 3600,
    run=run,
)
