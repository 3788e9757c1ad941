"""Somebody is asked how they are: each outcome reaches the operator as what it is, by air and by line, come what may.

Real firmware, gateway, broker and desk. The gateway's clocks are steered, so that it is 08:00 when a test wants it; the
wearables' are real. How care goes on in all other cases is in tests/edge_daemon/care.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge_daemon.clock import Clock
from hil_tests.conftest import Build
from hil_tests.gateway.process import GatewayProcess
from hil_tests.gateway.steered_clock import Machine
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from protocol import box, settings
from protocol.watchful import parts
from tools import image, image_sources

pytestmark = pytest.mark.virtual_air

WITHIN_S = 40.0
# For how long a visit stays for more; what is handed over in one that has just broken waits for the next question.
LINGER_S = 0.5
# Looked at twice a second: after so long the gateway has seen a hand that was moved.
_SEEN_S = 0.7
# A jump of a minute is a sleep to it.
_STEP_S = 50
MORNING = {
    "id": "morning",
    "kind": "checkin",
    "at": "08:00",
    "days": [1, 2, 3, 4, 5, 6, 7],
    "answer_within_s": 60,
    "again": 0,
    "text": 0,
}
PLAN = {
    "v": 1,
    "beneficiary": "older",
    "centre": "xihu-2",
    "timezone": "Asia/Shanghai",
    "away": None,
    "checkins": [MORNING],
    "inactivity": None,
    "presence": None,
    "retention_days": 30,
}
NAMED = "kind=checkin id=morning on=2026-11-28 due=08:00"


class Cared:
    """A house with wearers who are cared for by plans that come from the desk. It is 07:50 in it, until `pass_s`."""

    def __init__(self, house: House) -> None:
        self.house = house
        at_s = datetime(2026, 11, 28, 7, 50, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
        self._machine = Machine(Clock().boot_id, wall_ms=int((at_s - time.time()) * 1000))
        self._clock = house.directory / "clock.json"
        self._machine.write(self._clock)

    async def pass_s(self, seconds: float, step_s: float = _STEP_S) -> None:
        """Move the gateway's hands on."""
        while seconds > 0:
            step_ms = int(min(seconds, step_s) * 1000)
            self._machine.boot_ms += step_ms
            self._machine.wall_ms += step_ms
            self._machine.write(self._clock)
            seconds -= step_s
            await asyncio.sleep(_SEEN_S)

    async def add(self, name: str, *, line: bool, feels: bool = False) -> WearableProcess:
        """A pendant that is heard by air or by a line, where it lies in its cradle; `feels` motion, or not."""
        parts_of_it = {"PINGAN_PARTS": "accelerometer" if feels else ""}
        wearable = await self.house.add_wearable(name, ble=not line, serial=line, environment=parts_of_it)
        wearable.usb(line)
        return wearable

    async def open_gateway(self) -> GatewayProcess:
        """With its own heartbeats the desk finds out whose plans are a gateway's, with theirs that it hears them."""
        settled: dict[str, Any] = {"forwarder": {"heartbeat_s": 1.0}, "ble": {"linger_s": LINGER_S}}
        gateway = await self.house.open_gateway(clock=self._clock, **settled)
        await asyncio.gather(*(wearable.power_cut() for wearable in self.house.wearables.values()))
        await asyncio.gather(*(wearable.power_on() for wearable in self.house.wearables.values()))
        return gateway

    async def send(self, wearable: WearableProcess, plan: dict[str, Any] | None, sealed: bytes | None = None) -> None:
        """Have the desk send a plan, or settings, of version 7."""
        row: dict[str, Any] = {"wearable": wearable.handle, "plan": None, "settings": None}
        if plan is not None:
            content, key = json.dumps({**PLAN, **plan}).encode(), box.care_key(wearable.keys.down)
            row["plan"] = {"version": 7, "box": box.seal(key, box.CARE, 7, os.urandom(8), content).hex()}
        if sealed is not None:
            row["settings"] = {"version": 7, "box": sealed.hex()}
        await self.house.desk.post("/api/care", row)

    async def lived_by(self, wearable: WearableProcess, what: str) -> None:
        """Wait until the gateway says to the desk that version 7 of it is lived by: plan_version, settings_version."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                gateways = (await self.house.desk.get(f"/api/care/{wearable.handle}"))["gateways"]
                if [gateway[what] for gateway in gateways] == [7]:
                    return
                await asyncio.sleep(0.1)

    async def care_for(self, *wearables: WearableProcess, **plan: Any) -> None:
        """Have the same plan in force for each of them."""
        for wearable in wearables:
            await self.send(wearable, plan)
        for wearable in wearables:
            await self.lived_by(wearable, "plan_version")

    async def told(self, wearable: WearableProcess, kind: str, source: str = "gateway") -> dict[str, Any]:
        """The desk's incident of this kind, of a wearable or about it."""
        deadline_s = time.monotonic() + WITHIN_S
        while True:
            found = await self.incidents(wearable, source)
            for incident in found:
                if incident["kind"] == kind:
                    return incident
            kinds = [incident["kind"] for incident in found]
            assert time.monotonic() < deadline_s, f"no {kind} but {kinds}; {wearable.body.tail()}"
            await asyncio.sleep(0.1)

    async def incidents(self, wearable: WearableProcess, source: str = "gateway") -> list[dict[str, Any]]:
        """All of them."""
        found = await self.house.desk.incidents(source)
        return [one for one in found if wearable.handle in (one["about"], one["wearable"])]


async def asked(*wearables: WearableProcess) -> None:
    """They show that they are asked."""
    for wearable in wearables:
        await wearable.shown("PROMPTED", within_s=WITHIN_S)


def not_worn_sooner(house: House) -> None:
    """Have the firmware take for lying on a table what nothing moves, at once and not after 135 minutes."""
    source = (image_sources.ROOT / "firmware/sos/motion/activity.py").read_text(encoding="utf-8")
    sooner = source.replace("NOT_WORN_MS = 135 * 60 * 1000", "NOT_WORN_MS = 0")
    assert sooner != source
    fresh = house.directory / "activity.py"
    fresh.write_text(sooner, encoding="utf-8")
    image._compile(fresh, "sos/motion/activity.py", house.directory / "image/sos/motion/activity.mpy")


async def test_each_outcome_reaches_the_desk_as_what_it_is_by_air_and_by_line(build: Build) -> None:
    house = await build()
    await house.open_desk()
    cared = Cared(house)
    links = {"air": False, "line": True}
    well, silent, gone, pills = [
        [await cared.add(f"{what}-{name}", line=line) for name, line in links.items()]
        for what in ("well", "silent", "gone", "pills")
    ]
    table = [await cared.add(f"table-{name}", line=line, feels=True) for name, line in links.items()]
    not_worn_sooner(house)
    await cared.open_gateway()
    await cared.care_for(*well, *silent, *gone, *table)
    await cared.care_for(*pills, checkins=[{**MORNING, "id": "pills", "kind": "medicine"}])
    # Whoever is on the air hears of it by a heartbeat, and says one at a start; so it is off until it is due.
    air = [well[0], silent[0], pills[0], table[0]]
    await asyncio.gather(*(wearable.power_cut() for wearable in [*air, *gone]))
    await asyncio.sleep(2 * LINGER_S)
    await cared.pass_s(570, 570)
    await cared.pass_s(30)
    await asyncio.gather(*(wearable.power_on() for wearable in air))
    await asked(*well, *silent, *table, *pills)
    for wearable, detail in [*((each, "checkin") for each in well), *((each, "medicine") for each in pills)]:
        await wearable.press()
        answered = await cared.told(wearable, "checkin_answered", "wearable")
        assert (answered["class"], answered["detail"]) == ("service", detail)
    await cared.pass_s(80)
    for wearable in silent:
        told = await cared.told(wearable, "checkin_silent")
        assert (told["class"], told["remark"]) == ("urgent", f"{NAMED} tries=1")
        await wearable.press()
        assert (await cared.told(wearable, "checkin_settled"))["remark"] == f"{NAMED} was=silent"
    for wearable in table:
        told = await cared.told(wearable, "checkin_not_worn")
        assert (told["class"], told["remark"]) == ("urgent", f"{NAMED} tries=1 worn=no")
    await cared.pass_s(1900, 1900)
    assert [await cared.incidents(wearable) for wearable in gone] == [[], []]
    await cared.pass_s(250)
    for wearable in gone:
        told = await cared.told(wearable, "checkin_unreachable")
        assert (told["class"], told["remark"]) == ("urgent", f"{NAMED} tries=0")
    assert [await cared.incidents(wearable) for wearable in (*well, *pills)] == [[], [], [], []]


async def test_without_the_broker_and_killed_in_the_middle_it_is_asked_and_told_once(build: Build) -> None:
    house = await build()
    await house.open_desk()
    cared = Cared(house)
    wearable = await cared.add("pendant", line=True)
    gateway = await cared.open_gateway()
    await cared.care_for(wearable)
    house.broker.kill()
    await cared.pass_s(570, 570)
    await cared.pass_s(30)
    await asked(wearable)
    await gateway.logged("checkin_shown")
    # Killed before this is on its disk, it would ask once more.
    await asyncio.sleep(_SEEN_S)
    await gateway.kill()
    await gateway.restart()
    await cared.pass_s(100)
    await gateway.logged("fault", kind="checkin_silent")
    await gateway.kill()
    house.broker.restart()
    await gateway.restart()
    assert (await cared.told(wearable, "checkin_silent"))["remark"].startswith(f"{NAMED} tries=1")
    await cared.pass_s(100)
    assert len(await cared.incidents(wearable)) == 1


async def test_a_call_to_look_and_settings_reach_the_wearable(build: Build) -> None:
    house = await build()
    await house.open_desk()
    cared = Cared(house)
    air, line = await cared.add("air", line=False), await cared.add("line", line=True)
    await cared.open_gateway()
    wished = settings.Settings()
    wished.fences = [settings.Fence(n, settings.FENCE_TELLS_LEFT, 30_000_000, 120_000_000, 200) for n in range(1, 16)]
    await cared.care_for(air, line, checkins=[])
    await air.power_cut()
    await asyncio.sleep(2 * LINGER_S)
    for wearable in (air, line):
        sealed = box.seal(wearable.keys.trail, box.SETTINGS, 7, os.urandom(8), wished.pack())
        assert len(parts(7, sealed)) == 2
        await cared.send(wearable, None, sealed)
        await house.desk.post(f"/api/wearables/{wearable.handle}/look", {"operator": "anna", "seconds": 60})
    await air.power_on()
    for wearable in (air, line):
        await asked(wearable)
        await wearable.press()
        assert (await cared.told(wearable, "checkin_answered", "wearable"))["detail"] == "look"
        await cared.lived_by(wearable, "settings_version")
