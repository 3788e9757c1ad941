"""A fall, from the accelerometer's samples to the operator: countdown, SOS, getting up, a press, a sleep, a cut."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.wearable.body import Shown
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

    def gets_up(self) -> list[Sample]:
        self._trace.turn(UPRIGHT, 2)
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
    await house.open_gateway()
    settings = Settings()
    settings.falls, settings.countdown_s = FALLS_NORMAL, countdown_s
    sealed = box.seal(wearable.keys.trail, box.SETTINGS, 1, os.urandom(8), settings.pack())
    row = {"wearable": wearable.handle, "plan": None, "settings": {"version": 1, "box": sealed.hex()}}
    await house.desk.post("/api/care", row)
    wearable.usb(True)  # awake, and a heartbeat at once
    async with asyncio.timeout(90):
        while 1 not in [gateway["settings_version"] for gateway in (await _care(house, wearable))["gateways"]]:
            await asyncio.sleep(0.2)
    wearable.usb(False)
    return house, wearable


async def _care(house: House, wearable: WearableProcess) -> dict[str, Any]:
    said: dict[str, Any] = await house.desk.get(f"/api/care/{wearable.handle}")
    return said


async def kinds(house: House, count: int) -> list[tuple[str, str]]:
    """Kind and detail of each event at the desk, the oldest first, as soon as there are so many."""
    async with asyncio.timeout(40):
        while len(found := await house.desk.incidents()) < count:
            await asyncio.sleep(0.1)
    return [(incident["kind"], incident["detail"]) for incident in sorted(found, key=lambda each: each["event"])]


async def test_a_fall_wakes_the_sleeper_and_is_an_sos_then_told_as_motionless_then_as_recovered(
    build: Build, seed: int
) -> None:
    house, wearable = await opened(build, countdown_s=3)
    motion = Motion(seed)
    await feel(wearable, motion.walks(8) + motion.lies(1))
    await wearable.asleep(within_s=60)
    starts = len(wearable.starts)
    # What the chip has kept of it: the fall itself. Whatever happens before the process has ended wakes nobody.
    wearable.body.move((motion.walks(1) + motion.falls() + motion.lies(1))[-170:])
    async with asyncio.timeout(20):
        while len(wearable.starts) == starts:
            wearable.body.move([], stirs=True)
            await asyncio.sleep(0.1)
    assert wearable.starts[-1].wake == "motion"
    await wearable.ready()
    await feel(wearable, motion.lies(12))
    falling = await wearable.shown("FALLING", within_s=20)
    assert await house.desk.incidents() == [], "not before its countdown is over"
    stored = await wearable.shown("STORED", falling.number, within_s=20)
    assert stored.at_s - falling.at_s >= 3
    assert {signal.what for signal in wearable.body.signals if signal.at_s >= falling.at_s} >= {"led", "motor"}
    assert await kinds(house, 1) == [("sos", "fall_unanswered")]
    async with asyncio.timeout(60):
        while len(await house.desk.incidents()) < 2:
            await feel(wearable, motion.lies(5))
    assert (await kinds(house, 2))[1][0] == "no_motion_after_fall"
    await feel(wearable, motion.gets_up() + motion.walks(12))
    assert (await kinds(house, 3))[2] == ("fall_recovered", "got_up"), "and the SOS stays open: only a person closes it"


async def test_who_gets_up_or_presses_takes_it_back_and_a_power_cut_sends_it(build: Build, seed: int) -> None:
    house, wearable = await opened(build, countdown_s=60)
    motion = Motion(seed)

    async def falls() -> Shown:
        since = len(wearable.body.shown)
        await feel(wearable, motion.walks(8) + motion.falls() + motion.lies(12))
        return await wearable.shown("FALLING", since=since)

    falling = await falls()
    await feel(wearable, motion.gets_up() + motion.walks(12))
    await wearable.shown("CANCELLED", falling.number)
    assert await kinds(house, 1) == [("fall_recovered", "got_up")], "no SOS, and the operator knows"
    falling = await falls()
    await wearable.press()
    await wearable.shown("CANCELLED", falling.number)
    assert (await kinds(house, 2))[1:] == [("fall_recovered", "press")]
    await feel(wearable, motion.gets_up())
    await falls()
    await wearable.power_cut()
    await wearable.power_on("brown_out")
    assert (await kinds(house, 3))[2:] == [("sos", "fall_unanswered")]
