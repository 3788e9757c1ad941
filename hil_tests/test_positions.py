"""Where a wearer is, from the satellites to the desk: the real watch under a sky that is said sentence by sentence.

Real firmware, gateway, broker and desk, by air and by line. The desk has the root, so it opens what the gateway cannot.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.wearable import sky
from hil_tests.wearable.process import WearableProcess
from protocol import box
from protocol.settings import FENCE_HOME, FENCE_TELLS_ENTERED, FENCE_TELLS_LEFT, Fence, Settings

pytestmark = pytest.mark.virtual_air

WITHIN_S = 90.0
# Settings go to it in the visit after a start, and are told back by the next heartbeat.
STARTED_AGAIN_S = 15.0
BOTH = FENCE_TELLS_ENTERED | FENCE_TELLS_LEFT
HOME = (22543210, 114057868)
# About a hundred metres east, in millionths of a degree.
EAST_100_M = 973


@dataclass
class Sky:
    """What the receiver says each second, while it has power. `said`: unix second -> the place that was true then.

    Its seconds are a fifth of ours: a receiver's time is what it says.
    """

    body: Any
    dice: random.Random
    place: tuple[int, int] = HOME
    mood: str = "clear"
    step: int = 0
    said: dict[int, tuple[int, int]] = field(default_factory=dict)

    async def run(self) -> None:
        """For ever."""
        unix_s = int(time.time())
        while True:
            unix_s += 1
            if self.body.gnss_on:
                for sentence in self._second(unix_s):
                    self.body.nmea(sentence)
            await asyncio.sleep(0.2)

    def _second(self, unix_s: int) -> list[str]:
        if self.mood == "indoors":
            return sky.indoors(unix_s)
        self.place = (self.place[0], self.place[1] + self.step)
        self.said[unix_s] = self.place
        true = sky.second(unix_s, *self.place, hdop="1.1")
        if self.mood == "clear":
            return true
        # Noise and cuts, a true second now and then, and now and then a place that nobody could have got to.
        roll = self.dice.randrange(4)
        if roll == 0:
            return true
        if roll == 1:
            return sky.second(unix_s, -self.dice.randrange(90_000_000), self.place[1])
        return sky.hurt(true, self.dice.randrange)


@dataclass
class Outing:
    """A watch, its sky, and what became of it at the desk."""

    house: House
    watch: WearableProcess
    sky: Sky

    async def live_by(self, version: int, settings: Settings) -> None:
        """Have the desk send settings, and wait until the watch says that it lives by them."""
        sealed = box.seal(self.watch.keys.trail, box.SETTINGS, version, os.urandom(8), settings.pack())
        row = {"version": version, "box": sealed.hex()}
        await self.house.desk.post("/api/care", {"wearable": self.watch.handle, "plan": None, "settings": row})
        async with asyncio.timeout(WITHIN_S):
            while not await self._lives_by(version, STARTED_AGAIN_S):
                # On the air it hears of them by its next visit: a start asks for one.
                if not self.house.lines:
                    await self.watch.power_cut()
                    await self.watch.power_on()

    async def _lives_by(self, version: int, within_s: float) -> bool:
        """Whether the watch says so in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while (await self._care())["lives_by"]["settings_version"] != version:
                    await asyncio.sleep(0.1)
                return True
        return False

    async def _care(self) -> Any:
        return await self.house.desk.get(f"/api/care/{self.watch.handle}")

    async def trails(self) -> list[dict[str, Any]]:
        """The boxes that the desk has."""
        return list((await self.house.desk.get(f"/api/trails/{self.watch.handle}"))["trails"])

    async def until(self, count: int, number: int | None = None, after_s: float = 0) -> list[dict[str, Any]]:
        """Wait for so many positions (under this event's number, after this second); return all boxes."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = await self.trails()
                asked = positions([one for one in found if number in (None, one["number"])])
                if sum(at_s > after_s for at_s, _ in asked) >= count:
                    return found
                await asyncio.sleep(0.2)

    async def recorded(self, count: int) -> None:
        """Wait until the receiver was asked for so many seconds' places."""
        first = len(self.sky.said)
        async with asyncio.timeout(WITHIN_S):
            while len(self.sky.said) < first + count:
                await asyncio.sleep(0.2)

    def true(self, found: list[dict[str, Any]]) -> None:
        """Each position is one that was said, to a metre and the second; of the plain trail, once."""
        seconds = [at_s for at_s, _ in positions([one for one in found if not one["number"]])]
        assert len(set(seconds)) == len(seconds), "twice"
        for at_s, (latitude, longitude) in positions(found):
            said = self.sky.said[at_s]
            assert abs(latitude * 1e6 - said[0]) <= 6 and abs(longitude * 1e6 - said[1]) <= 6, (at_s, said)


def positions(found: list[dict[str, Any]]) -> list[tuple[int, tuple[float, float]]]:
    """(unix second, place) of all boxes, in the order of time within each box, boxes by their sequence."""
    told = []
    for one in sorted(found, key=lambda one: int(one["sequence"])):
        for place in one["positions"]:
            at_s = int(datetime.fromisoformat(place["at"]).timestamp())
            told.append((at_s, (place["latitude"], place["longitude"])))
    return told


def each(moving_s: int, *fences: Fence) -> Settings:
    """Settings of a child: a position so often, whether it moves or not."""
    settings = Settings()
    settings.moving_s = settings.still_s = moving_s
    settings.fences = list(fences)
    return settings


@asynccontextmanager
async def outing(build: Build, seed: int, **links: bool) -> AsyncIterator[Outing]:
    house = await build()
    root = secrets.token_bytes(16)
    keys = house.directory / "roots.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({"v": 1, "wearables": [{"root": root.hex()}]}))
    await house.open_desk("--keys", str(keys))
    environment = {"PINGAN_PARTS": "gnss", "PINGAN_PROFILE": "watch"}
    watch = await house.add_wearable("watch", root=root, environment=environment, **links)
    await house.open_gateway(forwarder={"heartbeat_s": 2.0})
    watch.usb(bool(links.get("serial")))
    told = Outing(house, watch, Sky(watch.body, random.Random(seed)))
    async with asyncio.TaskGroup() as tasks:
        over = tasks.create_task(told.sky.run())
        try:
            yield told
        finally:
            over.cancel()


async def test_an_sos_is_not_kept_waiting_and_a_trail_out_of_range_is_handed_over_each_position_once(
    build: Build, seed: int
) -> None:
    async with outing(build, seed, ble=True) as out:
        # No place yet: the SOS goes at once, and the place follows under its number.
        out.sky.mood = "indoors"
        await out.watch.hold()
        pressed = await out.watch.shown("PRESSED")
        await out.watch.shown("ACCEPTED", pressed.number, within_s=30)
        assert positions(await out.trails()) == []
        out.sky.mood, out.sky.step = "clear", 90
        found = await out.until(2, pressed.number)
        out.true(found)
        assert {one["number"] for one in found} == {pressed.number}
        incidents = await out.house.desk.incidents()
        assert [incident["event"] for incident in incidents] == [f"{out.watch.handle}-{pressed.number:06x}"]
        await out.house.desk.take(incidents[0]["event"], "test")
        await out.house.desk.close(incidents[0]["event"], "test")
        await out.watch.shown("CLOSED", pressed.number, within_s=60)
        await out.live_by(1, each(1))
        # Out of range, through losses of power: what a start finds is a trail of its own.
        gateway = out.house.gateways["gw-1"]
        await gateway.stop()
        before = await out.trails()
        for _ in range(3):
            await out.recorded(20)
            await out.watch.power_cut()
            await out.watch.power_on()
        await gateway.restart()
        await out.watch.power_cut()
        await out.watch.power_on()
        found = await out.until(len(positions(before)) + 8)
        out.true(found)
        times = [at_s for at_s, _ in positions(found)]
        assert times == sorted(times), "in the order of their boxes"


async def test_a_home_that_is_left_is_told_once_with_its_place_and_noise_cuts_and_jumps_invent_none(
    build: Build, seed: int
) -> None:
    async with outing(build, seed, ble=False, serial=True) as out:
        fences = [Fence(1, FENCE_HOME | BOTH, *HOME, 100), Fence(2, BOTH, HOME[0], HOME[1] + 5 * EAST_100_M, 120)]
        await out.live_by(1, each(1, *fences))
        await out.recorded(15)
        out.sky.place = (HOME[0], HOME[1] + 5 * EAST_100_M)
        async with asyncio.timeout(WITHIN_S):
            while len(incidents := await out.house.desk.incidents()) < 2:
                await asyncio.sleep(0.2)
        assert sorted(incident["kind"] for incident in incidents) == ["fence_entered", "home_left"]
        numbers = {int(incident["event"][-6:], 16) for incident in incidents}
        async with asyncio.timeout(WITHIN_S):
            while not {one["number"] for one in await out.trails()} >= numbers:
                await asyncio.sleep(0.2)
        calm_s = max(out.sky.said)
        out.sky.mood, out.sky.step = "hostile", 9
        await out.recorded(60)
        # A start closes what it finds, so that all of it is handed over.
        await out.watch.power_cut()
        await out.watch.power_on()
        out.true(await out.until(3, after_s=calm_s))
        await out.recorded(15)
        assert len(await out.house.desk.incidents()) == 2, "told once"
