"""Clocks that lie: no RTC, NTP's steps, a leap second, suspends and reboots while an alarm waits for the platform.

Owns the scenarios, and what of the truth (clock_world.py) a gateway can know in each. The clocks are steered
(hil_tests/gateway/steered_clock.py); daemon, disk, broker and wearable are real. While an alarm waits, the platform
hears it and says nothing; what it was told last is held against the truth.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.clock_world import World
from hil_tests.faults.fickle_platform import Row
from hil_tests.faults.lane import lane

_LANES = 6
_HOUR_MS = 3_600_000
# What is known is told this well; a repeat that a busy machine has held up does not count, the next one does.
_RIGHT_TO_MS = 1000
_WITHIN_S = 60.0


@dataclass(frozen=True)
class Scenario:
    """`before`: the wall clock when the alarm comes (error, synced); `then`: what befalls it; `knows`: what is due."""

    knows: str
    then: Callable[[World], Awaitable[None]]
    before: Callable[[World], tuple[int, bool]] = lambda world: (0, True)


async def _nothing(_: World) -> None:
    """Time passes."""


async def _ntp(world: World) -> None:
    world.ntp()


async def _leap(world: World) -> None:
    world.leap()


async def _suspend(world: World) -> None:
    world.suspend(world.chance.randrange(1, 8) * _HOUR_MS)


async def _restart(world: World) -> None:
    await world.restart()


async def _asleep_while_stopped(world: World) -> None:
    await world.restart(world.chance.randrange(1, 8) * _HOUR_MS)


async def _reboot(world: World) -> None:
    await world.reboot(_off_ms(world))


async def _reboot_without_rtc(world: World) -> None:
    await world.reboot(_off_ms(world), world.no_rtc_ms(), synced=False)


async def _reboot_with_wrong_rtc(world: World) -> None:
    await world.reboot(_off_ms(world), world.hours_ms(), synced=False)


async def _without_rtc_then_ntp(world: World) -> None:
    await _reboot_without_rtc(world)
    await world.heard()
    world.ntp()


async def _ntp_then_reboot(world: World) -> None:
    world.ntp()
    await world.noted()
    await _reboot(world)


async def _two_reboots(world: World) -> None:
    await _reboot_without_rtc(world)
    await _reboot(world)


async def _never_right(world: World) -> None:
    await _reboot_with_wrong_rtc(world)
    await _reboot_without_rtc(world)


async def _suspend_then_reboot(world: World) -> None:
    await _suspend(world)
    await world.noted()
    await _reboot(world)


def _off_ms(world: World) -> int:
    return world.chance.randrange(1000, 3 * _HOUR_MS)


def _unset(world: World) -> tuple[int, bool]:
    return world.no_rtc_ms(), False


def _wrong(world: World) -> tuple[int, bool]:
    return world.hours_ms(), False


def _believed_wrong(world: World) -> tuple[int, bool]:
    return world.hours_ms(), True


SCENARIOS = {
    "no RTC": Scenario("exact", _nothing, _unset),
    "no RTC, then NTP": Scenario("exact", _ntp, _unset),
    "a step of NTP over hours": Scenario("exact", _ntp, _wrong),
    "a step that NTP had vouched for": Scenario("exact", _ntp, _believed_wrong),
    "a leap second": Scenario("exact", _leap),
    "suspended": Scenario("exact", _suspend),
    "restarted": Scenario("exact", _restart),
    "restarted after a suspend": Scenario("exact", _asleep_while_stopped),
    "rebooted": Scenario("coarse", _reboot),
    "rebooted without RTC, then NTP": Scenario("coarse", _without_rtc_then_ntp),
    "NTP, then rebooted": Scenario("coarse", _ntp_then_reboot, _unset),
    "a step vouched for, then rebooted": Scenario("coarse", _ntp_then_reboot, _believed_wrong),
    "rebooted twice, once without RTC": Scenario("coarse", _two_reboots),
    "suspended, then rebooted": Scenario("coarse", _suspend_then_reboot),
    "never set, then rebooted": Scenario("at_least", _reboot, _unset),
    "wrong, then rebooted": Scenario("at_least", _reboot, _wrong),
    "rebooted without RTC": Scenario("at_least", _reboot_without_rtc),
    "rebooted with a wrong RTC": Scenario("at_least", _reboot_with_wrong_rtc),
    "rebooted twice, never right": Scenario("at_least", _never_right, _wrong),
}


def judge(row: Row, true_age_ms: float, true_wall_ms: float, up_ms: float, knows: str) -> str:
    """What is wrong with what was told, or "". `true_wall_ms`, `up_ms`: wall and uptime at the moment it came."""
    event = row.event
    told_ms = event["age_ms"] + event["heard_age_ms"]
    off_ms = told_ms - true_age_ms
    if event["age_quality"] != knows:
        return f"said {event['age_quality']}, {knows} is due"
    if off_ms > _RIGHT_TO_MS:
        return f"said {told_ms} ms, {true_age_ms:.0f} is true"
    # Of before a reboot it knows at least how long it has been up since.
    least_ms = min(up_ms, true_age_ms) if knows == "at_least" else true_age_ms
    if told_ms < least_ms - _RIGHT_TO_MS:
        return f"said {told_ms} ms, {true_age_ms:.0f} is true"
    if row.clock == "synced" and abs(_ms(row.sent_at) - true_wall_ms) > _RIGHT_TO_MS:
        return f"sent at {row.sent_at}, which was {true_wall_ms:.0f}"
    heard_ms = true_wall_ms - true_age_ms
    if event["heard_at_clock"] == "synced" and abs(_ms(event["heard_at"]) - heard_ms) > _RIGHT_TO_MS:
        return f"heard at {event['heard_at']}, which was {heard_ms:.0f}"
    return ""


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


async def _one(place: Path, seed: int, name: str, outcome: Outcome, off: list[float]) -> None:
    scenario, chance = SCENARIOS[name], random.Random(seed)
    place.mkdir(parents=True)
    file = place / "clock.json"
    world = World(file, chance)
    error_ms, synced = scenario.before(world)
    world.switch_on(error_ms, synced=synced)
    async with lane(place / "lane", chance, wearables=1, clock=file) as made:
        world.lane = made
        # It takes life signs, or it would be thought dead and asked the less.
        made.platform.mood = "nodding"
        world.press()
        await world.heard()
        await scenario.then(world)
        await world.heard(2)
        found = [_judged(world, row, true_ms, scenario.knows) for row, true_ms in world.told()]
        if all(found):
            outcome.wrong.append(f"{name}: {found[-1]} ({world.lane.platform.rows[world.name][-1]})")
        if scenario.knows != "at_least":
            told = [row.event["age_ms"] + row.event["heard_age_ms"] - true_ms for row, true_ms in world.told()]
            off.append(min(told, key=abs))
        made.platform.mood = ""
        await made.settled(_WITHIN_S)
        await made.gateway.stop()
        made.account(outcome, made.gateway.logs)
        outcome.count += 1


def _judged(world: World, row: Row, true_ms: float, knows: str) -> str:
    ago_ms = (time.monotonic() - row.came_s) * 1000
    return judge(row, true_ms, world.true_wall_ms() - ago_ms, world.true_ms() - ago_ms - world.booted_ms, knows)


async def run(count: int, seed: int, place: Path) -> Outcome:
    """Each scenario once, again from the first where more are asked for; the hours and moments are random."""
    names = [list(SCENARIOS)[number % len(SCENARIOS)] for number in range(count)]
    outcome, room, off = Outcome(), asyncio.Semaphore(_LANES), list[float]()

    async def one(number: int, name: str) -> None:
        async with room:
            await _one(place / f"{number}", seed + number, name, outcome, off)

    async with asyncio.TaskGroup() as tasks:
        for number, name in enumerate(names):
            tasks.create_task(one(number, name))
    if off:
        outcome.figures["known ages off by at most"] = f"{max(map(abs, off)):.0f} ms"
    return outcome


CAMPAIGN = Campaign(
    name="clock_steps",
    hurt="clocks that step, stop, begin anew or were never right, while an alarm waits",
    short=len(SCENARIOS),
    long=len(SCENARIOS),
    run=run,
)
