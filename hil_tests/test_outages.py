"""Parts that are away when they are needed: the broker at start, the platform for a while, the only way in the air."""

from __future__ import annotations

import asyncio

import pytest

from hil_tests.conftest import Build
from hil_tests.desk.operator import Operator

SOON_S = 40


async def test_without_a_broker_presses_are_stored_and_told_no_path_and_accepted_when_it_comes(build: Build) -> None:
    house = await build()
    wearables = [await house.add_wearable(f"pendant-{n}", ble=n == 0, serial=n != 0) for n in range(2)]
    gateway = await house.open_gateway()
    numbers = []
    for wearable in wearables:
        await wearable.hold()
        number = (await wearable.shown("STORED", within_s=SOON_S)).number
        await wearable.shown("NO_PATH", number, within_s=SOON_S)
        numbers.append(number)
    await house.open_desk()
    for wearable, number in zip(wearables, numbers, strict=True):
        await wearable.shown("ACCEPTED", number, within_s=90)
    assert len(await house.desk.incidents()) == 2
    assert gateway.child.running


async def test_a_busy_platform_is_asked_again_and_the_wearer_is_not_told_accepted_before(build: Build) -> None:
    house = await build()
    wearable = await house.add_wearable("pendant", ble=False, serial=True)
    desk = await house.open_desk()
    await house.open_gateway()
    await desk.post("/api/drill", {"mode": "busy", "retry_after_s": 1, "lasts_s": 60})
    await wearable.hold()
    await wearable.shown("STORED", within_s=SOON_S)
    await wearable.shown("BUSY", within_s=SOON_S)
    assert not [shown for shown in wearable.body.shown if shown.stage == "ACCEPTED"]
    await desk.post("/api/drill", {"mode": "off"})
    await wearable.shown("ACCEPTED", within_s=SOON_S)


async def test_a_refusal_is_shown_and_not_retried(build: Build) -> None:
    house = await build()
    wearable = await house.add_wearable("pendant", ble=False, serial=True)
    desk = await house.open_desk()
    gateway = await house.open_gateway()
    await desk.post("/api/drill", {"mode": "refuse", "reason": "revoked", "lasts_s": 60})
    await wearable.hold()
    await wearable.shown("REFUSED", within_s=SOON_S)
    await gateway.logged("event_refused", within_s=SOON_S)
    assert await desk.incidents() == []


@pytest.mark.virtual_air
async def test_out_of_range_is_told_and_the_press_arrives_when_the_wearer_comes_back(build: Build) -> None:
    house = await build()
    wearable = await house.add_wearable("pendant")
    await house.open_desk()
    await house.open_gateway()
    await house.radio.control("vanish", name="pendant")
    await wearable.hold()
    pressed = await wearable.shown("PRESSED")
    await wearable.shown("NO_PATH", pressed.number, within_s=90)
    await house.radio.control("return", name="pendant")
    await wearable.shown("ACCEPTED", pressed.number, within_s=90)
    async with Operator(house.desk):
        await wearable.shown("CLOSED", pressed.number, within_s=90)
    assert len(await house.desk.incidents()) == 1


@pytest.mark.virtual_air
async def test_two_gateways_hear_one_press_one_incident_names_both(build: Build) -> None:
    house = await build("gw-1", "gw-2")
    wearable = await house.add_wearable("pendant")
    await house.open_desk()
    for name in ("gw-1", "gw-2"):
        await house.open_gateway(name)
    await wearable.hold()
    number = (await wearable.shown("ACCEPTED", within_s=SOON_S)).number
    event = f"{wearable.handle}-{number:06x}"
    async with asyncio.timeout(SOON_S):
        while {r["gateway"] for i in await house.desk.incidents() for r in i["reports"]} != {"gw-1", "gw-2"}:
            await asyncio.sleep(0.1)
    assert [incident["event"] for incident in await house.desk.incidents()] == [event]
    async with Operator(house.desk):
        await wearable.shown("CLOSED", number, within_s=60)


@pytest.mark.virtual_air
async def test_a_strangers_press_goes_to_a_platform_that_has_its_key_and_the_answer_comes_back(build: Build) -> None:
    house = await build()
    wearable = await house.add_wearable("child", stranger=True)
    await house.open_desk("--keys", str(house.write_platform_keys()))
    gateway = await house.open_gateway()
    await wearable.hold()
    number = (await wearable.shown("ACCEPTED", within_s=SOON_S)).number
    (incident,) = await house.desk.incidents()
    assert incident["event"] == f"{wearable.handle}-{number:06x}"
    assert [report["sealed"] for report in incident["reports"]] == [True]
    async with Operator(house.desk):
        await wearable.shown("CLOSED", number, within_s=90)
    assert not [entry for entry in gateway.logs if wearable.handle in str(entry)]
