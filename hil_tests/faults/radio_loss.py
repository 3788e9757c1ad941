"""Links at their worst: loss up to 90 %, reordering, out of range in mid-answer; noise and cuts on the line.

Real: firmware, daemon, bleak, GATT, ptys, broker, desk. Owns what the two links go through, one condition after the
other, some wearables on each. Every press reaches the desk *under* its condition; when it is over, all are told.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.desk.operator import Operator
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.promises import Promises
from hil_tests.house import House

WEARABLES = 4
# Repeats come after 1, 2, 4 … 30 s: where a third of the frames is lost, one press in a thousand takes longer than
# 90 s (measured, and as it must be). Ten times 30 s is no bad luck any more.
_REACHES_WITHIN_S = 300.0
_AFTERWARDS_S = 120.0
# Presses within a second of each other are one series.
_REST_S = (1.2, 1.6)
_LOOK_EVERY_S = 0.02
_REACHED = ("accepted", "answered", "closed")


@dataclass
class Bench:
    """The house, the dice, and what is seen of the conditions at work."""

    house: House
    rng: random.Random
    by_air: list[str]
    by_line: list[str]
    cut_visits: int = 0
    injected: int = 0
    took_s: dict[str, list[float]] = field(default_factory=dict)


Condition = Callable[[Bench], AbstractAsyncContextManager[None]]


# ---- on the air ----


def _loss(share: float) -> Condition:
    @asynccontextmanager
    async def condition(bench: Bench) -> AsyncIterator[None]:
        await bench.house.radio.control("loss", value=share)
        yield
        await bench.house.radio.control("loss", value=0)

    return condition


@asynccontextmanager
async def _reorder(bench: Bench) -> AsyncIterator[None]:
    """Every second advertisement after the next one, each twice, and all of them late."""
    for do, told in (("reorder", {"value": 0.5}), ("repeats", {"value": 1}), ("delay", {"ms": 50})):
        await bench.house.radio.control(do, **told)
    yield
    for do, told in (("reorder", {"value": 0}), ("repeats", {"value": 0}), ("delay", {"ms": 0})):
        await bench.house.radio.control(do, **told)


@asynccontextmanager
async def _mid_answer(bench: Bench) -> AsyncIterator[None]:
    """Whoever is visited walks out of range at some moment of the visit, and comes back after the connection died."""
    walking: set[str] = set()

    async def walk(tasks: asyncio.TaskGroup) -> None:
        while True:
            for one in await bench.house.radio.control("list"):
                if one["connections"] and one["name"] in bench.by_air and one["name"] not in walking:
                    walking.add(one["name"])
                    tasks.create_task(_walk_out(bench, one["name"], walking))
            await asyncio.sleep(_LOOK_EVERY_S)

    async with asyncio.TaskGroup() as tasks:
        walker = tasks.create_task(walk(tasks))
        yield
        walker.cancel()


async def _walk_out(bench: Bench, name: str, walking: set[str]) -> None:
    # From the connection over discovery and subscription to the last write, a visit takes half a second here.
    await asyncio.sleep(bench.rng.uniform(0, 0.6))
    bench.cut_visits += 1
    await bench.house.radio.control("vanish", name=name)
    await asyncio.sleep(bench.rng.uniform(0.2, 1.5))
    await bench.house.radio.control("return", name=name)
    # Not at every visit: that would be "out of range", and no answer would ever arrive.
    await asyncio.sleep(bench.rng.uniform(0, 3))
    walking.discard(name)


# ---- on the line ----


def _bytes(flip: float, drop: float) -> Condition:
    @asynccontextmanager
    async def condition(bench: Bench) -> AsyncIterator[None]:
        for name in bench.by_line:
            bench.house.lines[name].faults.flip, bench.house.lines[name].faults.drop = flip, drop
        yield
        for name in bench.by_line:
            bench.house.lines[name].faults.flip = bench.house.lines[name].faults.drop = 0.0

    return condition


@asynccontextmanager
async def _inserted(bench: Bench) -> AsyncIterator[None]:
    """Bytes that nobody sent, at any moment, zeros among them, both ways."""

    async def insert() -> None:
        while True:
            for name in bench.by_line:
                toward = bench.rng.choice(("to_gateway", "to_wearable"))
                noise = bench.rng.choice((b"\x00", bench.rng.randbytes(bench.rng.randrange(1, 40))))
                bench.house.lines[name].inject(toward, noise)
                bench.injected += 1
            await asyncio.sleep(bench.rng.uniform(0.05, 0.3))

    async with asyncio.TaskGroup() as tasks:
        inserting = tasks.create_task(insert())
        yield
        inserting.cancel()


@asynccontextmanager
async def _cut(bench: Bench) -> AsyncIterator[None]:
    """A loose contact: each line carries nothing for half a second, again and again."""

    async def loose(name: str) -> None:
        line = bench.house.lines[name]
        try:
            while True:
                line.cut()
                await asyncio.sleep(bench.rng.uniform(0.01, 0.6))
                line.mend()
                await asyncio.sleep(bench.rng.uniform(0.1, 1))
        finally:
            line.mend()

    async with asyncio.TaskGroup() as tasks:
        contacts = [tasks.create_task(loose(name)) for name in bench.by_line]
        yield
        for contact in contacts:
            contact.cancel()


AIR: dict[str, Condition] = {
    "0 %": _loss(0),
    "30 %": _loss(0.3),
    "60 %": _loss(0.6),
    "90 %": _loss(0.9),
    "reordered": _reorder,
    "cut in mid-visit": _mid_answer,
}
LINE: dict[str, Condition] = {
    "bits flipped": _bytes(0.01, 0),
    "bytes dropped": _bytes(0, 0.01),
    "bytes inserted": _inserted,
    "loose contact": _cut,
}


async def _press(bench: Bench, promises: Promises, name: str, condition: str, outcome: Outcome) -> None:
    """One press, and its way to the desk under the condition."""
    await asyncio.sleep(bench.rng.uniform(*_REST_S))
    event = promises.event(name, await promises.press(name))
    pressed_s = time.monotonic()
    if await promises.until({event}, _REACHED, _REACHES_WITHIN_S):
        outcome.lost.append(f"{event}: not at the desk after {_REACHES_WITHIN_S:g} s of {condition}")
    bench.took_s.setdefault(condition, []).append(time.monotonic() - pressed_s)


async def _go_through(
    bench: Bench, promises: Promises, names: list[str], conditions: dict[str, Condition], presses: int, outcome: Outcome
) -> None:
    """All conditions of one link in turn, each with its share of the presses, dealt out among the wearables."""
    while presses > 0:
        for name, condition in conditions.items():
            some = names[: min(presses, len(names))]
            presses -= len(some)
            if some:
                async with condition(bench):
                    await asyncio.gather(*(_press(bench, promises, one, name, outcome) for one in some))


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` presses over all conditions; the two links go through theirs at the same time."""
    rng, outcome = random.Random(seed), Outcome()
    house = await House.build(place / "house", seed=seed)
    try:
        await house.open_desk()
        bench = Bench(house, rng, [f"air-{n}" for n in range(WEARABLES)], [f"line-{n}" for n in range(WEARABLES)])
        for name in bench.by_air:
            await house.add_wearable(name)
        for name in bench.by_line:
            await house.add_wearable(name, ble=False, serial=True, line_seed=rng.randrange(1 << 31))
        await house.open_gateway()
        promises = Promises(house)
        by_air = round(count * len(AIR) / (len(AIR) + len(LINE)))
        async with Operator(house.desk, close_after_s=0.3):
            await asyncio.gather(
                _go_through(bench, promises, bench.by_air, AIR, by_air, outcome),
                _go_through(bench, promises, bench.by_line, LINE, count - by_air, outcome),
            )
            await promises.settle(outcome, _AFTERWARDS_S)
    finally:
        await house.leave()
    promises.compare(outcome)
    outcome.count = promises.presses.total()
    _tell(bench, outcome)
    return outcome


def _tell(bench: Bench, outcome: Outcome) -> None:
    outcome.figures["press to desk, median/worst s"] = ", ".join(
        f"{name} {statistics.median(took_s):.1f}/{max(took_s):.1f}" for name, took_s in bench.took_s.items()
    )
    outcome.figures["visits cut"] = str(bench.cut_visits)
    if "cut in mid-visit" in bench.took_s and not bench.cut_visits:
        outcome.wrong.append("no visit was cut: the campaign did not do what it says")


CAMPAIGN = Campaign(
    "radio_loss", "loss up to 90 %, reordering, cut visits; noise and cuts on the line", short=40, long=500, run=run
)
