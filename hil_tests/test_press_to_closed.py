"""The main job: a press reaches the operator, and each answer reaches the wearer's light, on each link."""

from __future__ import annotations

import asyncio

import pytest

from hil_tests.conftest import Build
from hil_tests.desk.operator import Operator
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess

WAY = ("PRESSED", "STORED", "ACCEPTED", "ANSWERED", "CLOSED")


async def opened(house: House, **links: bool) -> WearableProcess:
    await house.open_desk()
    wearable = await house.add_wearable("pendant", **links)
    await house.open_gateway()
    return wearable


@pytest.mark.parametrize("links", [{"ble": True}, {"ble": False, "serial": True}, {"ble": True, "serial": True}])
async def test_each_stage_lights_up_in_its_turn_and_there_is_one_incident(build: Build, links: dict[str, bool]) -> None:
    house = await build()
    wearable = await opened(house, **links)
    await wearable.hold()
    pressed = await wearable.shown("PRESSED")
    async with Operator(house.desk):
        await wearable.shown("CLOSED", pressed.number, within_s=60)
    (incident,) = await house.desk.incidents()
    assert incident["event"] == f"{wearable.handle}-{pressed.number:06x}"
    assert (incident["kind"], incident["detail"], incident["class"]) == ("sos", "hold", "emergency")
    assert {report["gateway"] for report in incident["reports"]} == {"gw-1"}
    first: dict[str, float] = {}
    for shown in wearable.body.shown:
        first.setdefault(shown.stage, shown.at_s)
    assert [stage for stage in sorted(first, key=lambda stage: first[stage]) if stage in WAY] == list(WAY)


async def test_a_short_press_goes_out_after_its_window_and_not_before(build: Build) -> None:
    house = await build()
    wearable = await opened(house, ble=False, serial=True)
    down_s = await wearable.press()
    counting = await wearable.shown("COUNTING")
    stored = await wearable.shown("STORED", counting.number, within_s=30)
    assert stored.at_s - down_s >= 10
    # STORED is the gateway's word; the desk has it when it says so itself.
    await wearable.shown("ACCEPTED", counting.number)
    (incident,) = await house.desk.incidents()
    assert (incident["kind"], incident["detail"]) == ("sos", "press")


async def test_a_press_taken_back_is_told_as_that_and_its_sos_never_goes_out(build: Build) -> None:
    house = await build()
    wearable = await opened(house, ble=False, serial=True)
    await wearable.press()
    counting = await wearable.shown("COUNTING")
    # A cancel is three presses in a series of their own: first the rest that ends the first series.
    await asyncio.sleep(1.5)
    await wearable.press(3)
    await wearable.shown("CANCELLED")
    async with asyncio.timeout(30):
        while not (found := await house.desk.incidents()):
            await asyncio.sleep(0.1)
    assert [incident["kind"] for incident in found] == ["sos_cancelled"]
    assert found[0]["refers_to"] == f"{wearable.handle}-{counting.number:06x}"


async def test_several_alarms_of_one_wearer_are_all_told_apart(build: Build) -> None:
    house = await build()
    wearable = await opened(house, ble=True)
    numbers = []
    for _ in range(3):
        since = len(wearable.body.shown)
        await wearable.hold()
        numbers.append((await wearable.shown("PRESSED", since=since)).number)
        # Presses within a second of each other are one series, which is one alarm.
        await asyncio.sleep(1.5)
    assert len(set(numbers)) == 3
    async with Operator(house.desk):
        for number in numbers:
            await house.desk.until_stage(f"{wearable.handle}-{number:06x}", "closed", within_s=90)
    assert len(await house.desk.incidents()) == 3
