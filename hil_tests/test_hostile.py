"""Frames that are damaged, cut, repeated, old or foreign, on the air and on the line: refused, counted, harmless."""

from __future__ import annotations

import asyncio
import random

import pytest

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from protocol import serial_link

SOON_S = 40


async def _press(wearable: WearableProcess) -> int:
    since = len(wearable.body.shown)
    await wearable.hold()
    number = (await wearable.shown("PRESSED", since=since)).number
    await wearable.shown("ACCEPTED", number, within_s=SOON_S)
    return number


async def _counters(house: House) -> dict[str, int]:
    found: dict[str, int] = (await house.desk.get("/api/gateways"))["gateways"][0]["counters"]
    return found


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
    async with asyncio.timeout(SOON_S):
        while not any(name.startswith("refused_") and n for name, n in (await _counters(house)).items()):
            await asyncio.sleep(0.1)
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
    line.faults.flip = line.faults.drop = 0.005
    third = await _press(wearable)
    assert sorted(incident["number"] for incident in await house.desk.incidents()) == sorted({first, second, third})
