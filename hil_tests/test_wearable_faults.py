"""A cell that dies under the load of its own radio, over and over, until it stays; a watch whose glass breaks."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from hil_tests.conftest import Build
from hil_tests.desk.operator import Operator
from hil_tests.house import AREA, House
from hil_tests.wearable.process import WearableProcess
from tools.demo.watch import HEAP, Watch, environment

FLICKERS = 15
CLOSED_WITHIN_S = 120
BROWN_OUT = 6
ORDER = ("STORED", "ACCEPTED", "ANSWERED", "CLOSED")


def _power_s(rng: random.Random) -> float:
    """Too short to start; long enough for a burst; long enough for a visit and its answers."""
    return rng.choice((rng.uniform(0.05, 0.5), rng.uniform(0.2, 1.0), rng.uniform(0.5, 2.5)))


async def _flicker(wearable: WearableProcess, rng: random.Random, times: int) -> None:
    await asyncio.sleep(rng.uniform(0, 0.8))
    await wearable.power_cut()
    for _ in range(times):
        await asyncio.sleep(rng.uniform(0.05, 0.3))
        await wearable.power_flickers(_power_s(rng))


async def _beats(house: House, told: asyncio.Event) -> AsyncIterator[dict[str, object]]:
    """What gateways tell of wearables' heartbeats; `told` is set when they are listened to."""
    async with aiomqtt.Client(house.broker.host, house.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(f"pingan/v1/{AREA}/+/up/telemetry", qos=1)
        told.set()
        async for message in client.messages:
            for beat in json.loads(bytes(message.payload))["wearables"]:
                yield beat


async def _tells_brown_out(house: House, wearable: WearableProcess, listening: asyncio.Event) -> None:
    async for beat in _beats(house, listening):
        if beat["wearable"] == wearable.handle and beat["reset_cause"] == BROWN_OUT:
            return


@pytest.mark.virtual_air
@pytest.mark.parametrize(
    "links",
    [{"ble": True}, {"ble": False, "serial": True}, {"ble": True, "serial": True}],
    ids=["ble", "serial", "both"],
)
@pytest.mark.timeout(600)
async def test_power_that_goes_again_and_again_with_an_open_alarm_loses_and_doubles_nothing(
    build: Build, links: dict[str, bool], seed: int, rounds: int
) -> None:
    rng = random.Random(seed)
    house = await build()
    await house.open_desk()
    wearable = await house.add_wearable("pendant", **links)
    await house.open_gateway()
    listening = asyncio.Event()
    told = asyncio.create_task(_tells_brown_out(house, wearable, listening))
    await listening.wait()
    numbers = []
    for _ in range(rounds):
        since = len(wearable.body.shown)
        await wearable.hold()
        numbers.append((await wearable.shown("PRESSED", since=since)).number)
        await _flicker(wearable, rng, FLICKERS)
        await wearable.power_on("brown_out")
        async with Operator(house.desk, close_after_s=0.3):
            await wearable.shown("CLOSED", numbers[-1], within_s=CLOSED_WITHIN_S)
    assert len(set(numbers)) == rounds
    events = sorted(f"{wearable.handle}-{number:06x}" for number in numbers)
    incidents = await house.desk.incidents()
    assert sorted(one["event"] for one in incidents if one["event"].startswith(wearable.handle)) == events
    assert {one["stage"] for one in incidents if one["event"] in events} == {"closed"}
    for number in numbers:
        way = [shown.stage for shown in wearable.body.shown if shown.number == number and shown.stage in ORDER]
        assert way == sorted(way, key=ORDER.index), way
    async with asyncio.timeout(CLOSED_WITHIN_S):
        await told


async def _told(house: House, wearable: WearableProcess, kind: str, stage: str) -> dict[str, Any]:
    """What the gateway says of a wearable, at the desk."""
    async with asyncio.timeout(60):
        while True:
            for one in await house.desk.incidents("gateway"):
                if (one["about"], one["kind"], one["stage"]) == (wearable.handle, kind, stage):
                    return one
            await asyncio.sleep(0.1)


async def _beaten(house: House, parts_out: list[str]) -> None:
    """Wait until the desk has the wearable's heartbeat, with these parts out of use."""
    async with asyncio.timeout(60):
        while True:
            heard = (await house.desk.get("/api/gateways"))["wearables"]
            if [row.get("parts_out") for row in heard] == [parts_out]:
                return
            await asyncio.sleep(0.1)


@pytest.mark.virtual_air
@pytest.mark.timeout(600)
async def test_a_screen_that_breaks_is_told_at_once_and_that_it_works_again_after_two_sleeps(
    build: Build, tmp_path: Path
) -> None:
    glass = tmp_path / "glass"
    glass.mkdir()
    house = await build()
    await house.open_desk()
    worn = await house.add_wearable("watch", heap=HEAP, environment=environment(glass / "screen"))
    await house.open_gateway()
    watch = Watch(worn, glass / "screen")
    await watch.lit()
    await _beaten(house, [])
    for file in glass.iterdir():
        file.unlink()
    glass.rmdir()
    watch.touch(200, 200)
    told = await _told(house, worn, "wearable_impaired", "accepted")
    assert (told["remark"], told["class"]) == ("screen", "fault")
    glass.mkdir()
    for start in (2, 3):
        await worn.asleep(within_s=90)
        watch.touch(80, 200)
        await worn.started(start)
        await watch.lit()
    # Its next heartbeat would come in half an hour.
    worn.usb(True)
    assert (await _told(house, worn, "wearable_impaired", "closed"))["by_itself"]
    await _beaten(house, [])
