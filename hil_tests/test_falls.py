"""A fall, from the samples that the accelerometer has kept for a sleeper to the operator."""

from __future__ import annotations

import asyncio
import os
import random

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from protocol import box
from protocol.settings import FALLS_NORMAL, Settings
from tools.motion_model.sensor import Sample, sensed
from tools.motion_model.trace import Trace, Vector

UPRIGHT: Vector = (0.0, 0.0, 1.0)
ON_BACK: Vector = (1.0, 0.0, 0.1)
HZ = 50
# Samples come quicker than a chip makes them; the wearable counts samples, and by its own clock only the countdown.
SPEED = 5
CHUNK = 25
PARTS = {"PINGAN_PARTS": "accelerometer"}


class Motion:
    """What the wearer does, drawn by one seed: each piece goes on where the last one ended."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._trace = Trace(random.Random(seed), UPRIGHT)
        self._given = 0

    def walks(self, seconds: float) -> list[Sample]:
        self._trace.walk(seconds, 1.8, 0.3, 0.3)
        return self._rest()

    def falls(self) -> list[Sample]:
        self._trace.drop(ON_BACK, 0.5, 0.3)
        self._trace.blow(5.0, 120)
        self._trace.rustle(0.5, 0.2)
        return self._rest()

    def lies(self, seconds: float) -> list[Sample]:
        self._trace.rest(seconds, 0.01)
        return self._rest()

    def _rest(self) -> list[Sample]:
        # Always by the same chip, sitting the same way.
        every = sensed(self._trace.samples, random.Random(self._seed + 1))
        new, self._given = every[self._given :], len(every)
        return new


async def feel(wearable: WearableProcess, samples: list[Sample]) -> None:
    for at in range(0, len(samples), CHUNK):
        wearable.body.move(samples[at : at + CHUNK])
        await asyncio.sleep(CHUNK / HZ / SPEED)


async def opened(build: Build, *, countdown_s: int) -> tuple[House, WearableProcess]:
    """A house with one wearer whose settings have come the whole way: sealed, by desk and gateway, into the flash."""
    house = await build()
    await house.open_desk()
    wearable = await house.add_wearable("pendant", ble=True, environment=PARTS)
    settings = Settings()
    settings.falls, settings.countdown_s = FALLS_NORMAL, countdown_s
    sealed = box.seal(wearable.keys.trail, box.SETTINGS, 1, os.urandom(8), settings.pack())
    row = {"wearable": wearable.handle, "plan": None, "settings": {"version": 1, "box": sealed.hex()}}
    await house.desk.post("/api/care", row)
    await house.open_gateway()
    async with asyncio.timeout(120):
        while not await _lives_by_them(house, wearable):
            # Each time it is put into its cradle it says a heartbeat, which is when they are handed over.
            wearable.usb(not wearable.body.on_usb)
            await asyncio.sleep(1)
    wearable.usb(False)
    return house, wearable


async def _lives_by_them(house: House, wearable: WearableProcess) -> bool:
    said = await house.desk.get(f"/api/care/{wearable.handle}")
    return 1 in [gateway["settings_version"] for gateway in said["gateways"]]


async def test_a_fall_wakes_the_sleeper_and_is_an_sos_at_the_desk(build: Build, seed: int) -> None:
    """The rest of a fall (getting up, a press, a power cut) is tests/firmware/test_motion_told.py, at full speed."""
    house, wearable = await opened(build, countdown_s=3)
    motion = Motion(seed)
    await feel(wearable, motion.walks(4) + motion.lies(1))
    await wearable.asleep(within_s=60)
    starts = len(wearable.starts)
    # What the chip has kept of it: the fall itself. Whatever happens before the process has ended wakes nobody.
    wearable.body.move((motion.walks(1) + motion.falls() + motion.lies(1))[-170:])
    async with asyncio.timeout(30):
        while len(wearable.starts) == starts:
            wearable.body.move([], stirs=True)
            await asyncio.sleep(0.1)
    assert wearable.starts[-1].wake == "motion"
    await wearable.ready()
    await feel(wearable, motion.lies(12))
    falling = await wearable.shown("FALLING", within_s=20)
    assert await house.desk.incidents() == [], "not before its countdown is over"
    stored = await wearable.shown("STORED", falling.number, within_s=40)
    assert stored.at_s - falling.at_s >= 3
    assert {signal.what for signal in wearable.body.signals if signal.at_s >= falling.at_s} >= {"led", "motor"}
    await house.desk.until_stage(f"{wearable.handle}-{falling.number:06x}", "accepted", within_s=60)
    (incident,) = await house.desk.incidents()
    assert (incident["kind"], incident["detail"], incident["class"]) == ("sos", "fall_unanswered", "emergency")
