"""kill -9 of any part at any moment between the press and CLOSED: one incident, and the stages come out right."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from hil_tests.conftest import Build
from hil_tests.desk.operator import Operator
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess

# A whole way takes two to three seconds here, the hold included; a kill may fall anywhere in it.
MOMENTS_S = (0.9, 3.5)
TRIALS = 3
CLOSED_WITHIN_S = 120
ORDER = ("PRESSED", "STORED", "ACCEPTED", "ANSWERED", "CLOSED")
Kill = Callable[[House, WearableProcess], Awaitable[None]]


async def kill_gateway(house: House, wearable: WearableProcess) -> None:
    await house.gateways["gw-1"].kill()
    await house.gateways["gw-1"].restart()


async def kill_wearable(house: House, wearable: WearableProcess) -> None:
    await wearable.power_cut()
    await wearable.power_on()


async def kill_broker(house: House, wearable: WearableProcess) -> None:
    house.broker.kill()
    house.broker.start()


async def kill_desk(house: House, wearable: WearableProcess) -> None:
    await house.desk.kill()
    await house.desk.restart()


@pytest.mark.parametrize("serial", [False, True], ids=["ble", "serial"])
@pytest.mark.parametrize("kill", [kill_gateway, kill_wearable, kill_broker, kill_desk])
@pytest.mark.timeout(600)
async def test_after_a_kill_at_any_moment_there_is_one_incident_and_the_wearer_sees_it_closed(
    build: Build, kill: Kill, serial: bool, seed: int, rounds: int
) -> None:
    rng = random.Random(seed)
    house = await build()
    await house.open_desk()
    wearable = await house.add_wearable("pendant", ble=not serial, serial=serial)
    await house.open_gateway()
    async with Operator(house.desk, close_after_s=0.3):
        for _ in range(TRIALS * rounds):
            await _press_and_kill(house, wearable, kill, rng.uniform(*MOMENTS_S))
        numbers = _pressed(wearable, 0)
        events = sorted(f"{wearable.handle}-{number:06x}" for number in numbers)
        for event in events:
            await house.desk.until_stage(event, "closed", within_s=CLOSED_WITHIN_S)
    assert sorted(incident["event"] for incident in await house.desk.incidents()) == events
    assert len(events) >= TRIALS * rounds
    for number in numbers:
        # Never lower than what was true before, whatever died in between.
        way = [stage for stage in _stages(wearable, number) if stage in ORDER[1:]]
        assert way == sorted(way, key=ORDER.index), way


def _pressed(wearable: WearableProcess, since: int) -> set[int]:
    """The events whose wearer was shown PRESSED: what the wearable has promised."""
    return {shown.number for shown in wearable.body.shown[since:] if shown.stage == "PRESSED"}


def _stages(wearable: WearableProcess, number: int) -> list[str]:
    return [shown.stage for shown in wearable.body.shown if shown.number == number]


async def _press_and_kill(house: House, wearable: WearableProcess, kill: Kill, after_s: float) -> None:
    """Hold the button, kill something so long after it went down; return when the newest event is shown as closed.

    A wearable that gets its power back while the button is still down takes that for a press of its own, so there may
    be two events; the newest is what is shown.
    """
    since = len(wearable.body.shown)
    holding = asyncio.create_task(wearable.hold())
    await asyncio.sleep(after_s)
    # A wearable whose power is cut before it has shown PRESSED has promised nothing.
    if kill is kill_wearable:
        await wearable.shown("PRESSED", since=since)
    await kill(house, wearable)
    await holding
    await wearable.shown("PRESSED", since=since)
    async with asyncio.timeout(CLOSED_WITHIN_S):
        while True:
            change = wearable.body.next_change()
            if "CLOSED" in _stages(wearable, max(_pressed(wearable, since))):
                change.close()
                return
            await change
