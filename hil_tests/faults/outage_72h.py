"""Three days without a platform: alarms and telemetry pile up, the gateway dies now and then, then all is drained.

    pressers == lines == [the daemon's process, by moved clocks] -- [mosquitto] -- [the real desk]
                                                                          `------- a spy

Time is virtual: the clocks' hands are moved as soon as all that was said at one hour has been heard. Owns the verdict
and the figures; hil_tests/outage/ has the story and the books.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import time
from collections import Counter
from pathlib import Path

from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.outage import books
from hil_tests.outage.spy import Spy
from hil_tests.outage.story import Story

# What a gateway has in memory when it is killed: a batch that is being written, and what comes meanwhile.
_IN_MEMORY_MOST = 2_000
_NO_END = 1 << 30
_IDLE_PRESSES = 60
_RATIO_GOAL = 1.5
# What is wrong and not only slow, on shared processors: so many times slower, and slower than a wearer would notice.
_RATIO_WRONG = 5.0
_WRONG_MS = 500.0
# The daemon's own pace of telemetry while alarms wait.
_TRICKLE_S = 5.0
# Above what an idle daemon takes: some kilobytes an alarm, and whatever is under way.
_MEMORY_MOST_KB = 50_000
_MEMORY_EACH_KB = 6
_ALARMS_PER_S, _ROWS_PER_S, _GRACE_S = 20, 200, 60


class _Drain:
    """What was measured from when the platform came: (when, how long) of fresh presses with and without a backlog."""

    def __init__(self) -> None:
        self.wall_ms = 0.0
        self.alarms_s = 0.0
        self.rows_s = 0.0
        self.fresh: list[tuple[float, float]] = []
        self.idle: list[tuple[float, float]] = []
        self.drained_at_s = 0.0


async def _drain(story: Story, spy: Spy, rows: int, outcome: Outcome) -> _Drain:
    """Everything goes out, and somebody presses all the time; then some press in peace."""
    drain, begun_s, enough = _Drain(), time.monotonic(), asyncio.Event()
    drain.wall_ms = story.home.wall_ms()
    waiting = set(story.presses)
    await spy.until(lambda: any(one.kind == "event" for one in spy.said), _GRACE_S)
    async with asyncio.TaskGroup() as tasks:
        pressing = tasks.create_task(story.press_on(enough, _NO_END))
        unaccepted = await story.accepted(waiting, story.count / _ALARMS_PER_S + _GRACE_S)
        drain.drained_at_s = time.monotonic()
        drain.alarms_s = drain.drained_at_s - begun_s
        await spy.until(lambda: spy.rows >= rows, rows / _ROWS_PER_S + _GRACE_S)
        drain.rows_s = time.monotonic() - drain.drained_at_s
        enough.set()
    drain.fresh = pressing.result()
    drain.idle = await story.press_on(asyncio.Event(), _IDLE_PRESSES)
    outcome.lost += [f"{event} was never accepted" for event in sorted(unaccepted)]
    return drain


def _latencies(drain: _Drain, outcome: Outcome) -> None:
    def median(took: list[tuple[float, float]]) -> float:
        return statistics.median(took_s for _, took_s in took) * 1000 if took else 0.0

    among = [one for one in drain.fresh if one[0] < drain.drained_at_s]
    idle_ms, drain_ms, alarms_ms = median(drain.idle), median(drain.fresh), median(among)
    worst_ms = max((took_s for _, took_s in drain.fresh), default=0.0) * 1000
    ratio = drain_ms / idle_ms
    outcome.figures["press to ACCEPTED"] = (
        f"idle {idle_ms:.1f} ms, while all is drained {drain_ms:.1f} ms (n {len(drain.fresh)}, worst {worst_ms:.0f}),"
        f" while alarms are {alarms_ms:.1f} ms (n {len(among)}), ratio {ratio:.2f} (goal {_RATIO_GOAL:g})"
    )
    if ratio > _RATIO_WRONG and drain_ms > _WRONG_MS:
        outcome.wrong.append(f"a fresh SOS takes {ratio:.1f} times as long while a backlog is drained")


def _memory(story: Story, idle_kb: int, outcome: Outcome) -> None:
    most_kb = story.home.memory_kb("VmHWM")
    outcome.figures["memory"] = f"idle {idle_kb / 1000:.0f} MB, at most {most_kb / 1000:.0f} MB"
    if most_kb > idle_kb + _MEMORY_MOST_KB + _MEMORY_EACH_KB * story.count:
        outcome.wrong.append(f"the daemon took {most_kb} kB, idle {idle_kb} kB, for {story.count} alarms")


def _judge(story: Story, spy: Spy, drain: _Drain, rows: Counter[tuple[str, int]], outcome: Outcome) -> None:
    presses, said = story.presses, spy.said
    journal, sound = story.home.journal()
    if sound != "ok":
        outcome.wrong.append(f"the journal is not sound: {sound}")
    worst_ms = books.ages(said, presses, outcome)
    books.order(said, drain.wall_ms, outcome)
    books.alarms_first(said, drain.wall_ms, _TRICKLE_S, outcome)
    books.telemetry(said, rows, outcome)
    books.incidents(story.place / "desk" / "desk.sqlite3", presses, journal, outcome)
    missing = books.given_up(story.pressers, rows, story.kills, _IN_MEMORY_MOST, outcome)
    messages = sum(one.kind == "event" for one in said)
    outcome.figures["ages off by at most"] = f"{worst_ms:.0f} ms"
    outcome.figures["kills"] = f"{story.kills}, with {missing:,} rows in memory"
    outcome.figures["drained"] = f"alarms {drain.alarms_s:.1f} s ({messages:,} messages), rows {drain.rows_s:.1f} s"


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` alarms, and a hundred times as many rows of telemetry."""
    outcome, story = Outcome(), Story(count, random.Random(seed), place)
    with contextlib.ExitStack() as ends:
        await story.start(ends)
        try:
            idle_kb = story.home.memory_kb()
            begun_s = time.monotonic()
            await story.outage()
            outcome.figures["72 h took"] = f"{time.monotonic() - begun_s:.0f} s"
            rows, size = await story.kept()
            outcome.figures["telemetry"] = f"{rows.total():,} rows, {size / 1e6:.1f} MB"
            async with story.platform() as spy:
                drain = await _drain(story, spy, rows.total(), outcome)
                _memory(story, idle_kb, outcome)
        finally:
            await story.home.gateway.kill()
    _judge(story, spy, drain, rows, outcome)
    _latencies(drain, outcome)
    outcome.count = len(story.presses) - len(drain.fresh) - len(drain.idle)
    return outcome


CAMPAIGN = Campaign(
    name="outage_72h",
    hurt="alarms (and 100 rows of telemetry each) while there is no platform for 72 h, then drained",
    short=400,
    long=10_000,
    run=run,
)
