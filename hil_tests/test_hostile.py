"""Frames that are damaged, cut, repeated, old or foreign, on the air and on the line: refused, counted, harmless."""

from __future__ import annotations

import asyncio
import json
import random

import aiomqtt
import pytest

from hil_tests.conftest import Build
from hil_tests.house import AREA, House
from hil_tests.wearable.process import WearableProcess
from protocol import serial_link

SOON_S = 40


async def _press(wearable: WearableProcess) -> int:
    # Presses within a second of each other are one series, which is one alarm.
    await asyncio.sleep(1.5)
    since = len(wearable.body.shown)
    await wearable.hold()
    number = (await wearable.shown("PRESSED", since=since)).number
    await wearable.shown("ACCEPTED", number, within_s=SOON_S)
    return number


async def _refused(house: House) -> int:
    """How many frames the gateway has refused, as its next heartbeat says."""
    async with aiomqtt.Client(house.broker.host, house.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(f"pingan/v1/{AREA}/gw-1/up/heartbeat", qos=1)
        async with asyncio.timeout(SOON_S):
            message = await anext(aiter(client.messages))
    counters: dict[str, int] = json.loads(bytes(message.payload))["counters"]
    return sum(count for name, count in counters.items() if name.startswith("refused_"))


@pytest.mark.virtual_air
async def test_recorded_damaged_and_foreign_advertisements_do_no_harm(build: Build, seed: int) -> None:
    rng = random.Random(seed)
    house = await build()
    await house.open_desk()
    wearable = await house.add_wearable("pendant")
    gateway = await house.open_gateway(forwarder={"heartbeat_s": 0.5})
    first = await _press(wearable)
    recorded = [bytes.fromhex(one["data"]) for one in await house.radio.control("recorded")]
    assert recorded
    await house.radio.control("replay")
    for data in rng.sample(recorded, min(4, len(recorded))):
        flipped = bytearray(data)
        flipped[rng.randrange(7, len(data))] ^= 1 << rng.randrange(8)
        await house.radio.control("inject", data=flipped.hex(), times=3)
        await house.radio.control("inject", frame=data[7 : rng.randrange(8, len(data))].hex(), times=3)
    await house.radio.control("inject", frame=rng.randbytes(24).hex(), times=3)
    second = await _press(wearable)
    assert second != first
    assert sorted(incident["number"] for incident in await house.desk.incidents()) == sorted({first, second})
    assert await _refused(house) > 0
    assert gateway.child.running


@pytest.mark.virtual_air
async def test_noise_repeats_and_cuts_on_the_line_do_no_harm(build: Build, seed: int) -> None:
    rng = random.Random(seed)
    house = await build()
    await house.open_desk()
    wearable = await house.add_wearable("pendant", ble=False, serial=True)
    gateway = await house.open_gateway(forwarder={"heartbeat_s": 0.5})
    line = house.lines["pendant"]
    first = await _press(wearable)
    for _ in range(50):
        line.inject("to_gateway", rng.randbytes(rng.randrange(1, 300)))
        line.inject("to_wearable", rng.randbytes(rng.randrange(1, 300)))
        line.inject("to_gateway", serial_link.encode(bytes([0x11]) + rng.randbytes(23)))
    line.inject("to_gateway", b"\x00")
    line.inject("to_wearable", b"\x00")
    second = await _press(wearable)
    assert sorted(incident["number"] for incident in await house.desk.incidents()) == sorted({first, second})
    assert gateway.child.running
    assert await _refused(house) >= 50
    line.faults.flip = line.faults.drop = 0.005
    third = await _press(wearable)
    assert sorted(incident["number"] for incident in await house.desk.incidents()) == sorted({first, second, third})
