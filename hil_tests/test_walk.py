"""The walk of a technician through a whole house: real firmware, daemon, broker and desk; the hand is simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.kit_command import Command, armed_for, pingan, socket_of
from hil_tests.wearable.process import WearableProcess
from tools.control import client

Row = dict[str, Any]
GOOD_DBM, FAINT_DBM = -55, -84


async def opened(house: House, *wearables: str, **links: bool) -> list[WearableProcess]:
    await house.open_desk()
    found = [await house.add_wearable(name, **links) for name in wearables]
    await house.open_gateway()
    return found


async def armed(house: House, wearable: WearableProcess) -> None:
    """Ask until it has said so."""
    request = {"ask": "test", "wearables": [wearable.handle], "seconds": 120, "within_s": 5}
    async with asyncio.timeout(60):
        while (await asyncio.to_thread(client.ask, socket_of(house), request))["wearables"][0]["state"] != "armed":
            await asyncio.sleep(0.2)


@pytest.mark.virtual_air
async def test_a_walk_judges_rooms_by_what_was_heard_in_them(build: Build, tmp_path: Path) -> None:
    house = await build()
    (wearable,) = await opened(house, "pendant", ble=True)
    sheet = tmp_path / "walk.pdf"
    arguments = (
        "--gateway",
        str(socket_of(house)),
        "--rooms",
        "hall,bath,cellar",
        "--room-s",
        "45",
        "--pdf",
        str(sheet),
    )
    async with pingan("walk-test", "--json", *arguments) as walk:
        await wearable.shown("ARMED", within_s=60)
        for room, dbm in (("hall", GOOD_DBM), ("bath", FAINT_DBM)):
            await house.radio.control("rssi", name="pendant", gateway="gw-1", dbm=dbm)
            await walk.until(begun(room))
            for presses in (1, 2, 3):
                await asyncio.sleep(2)
                await wearable.press()
                await walk.until(pressed(walk, room, presses))
        await walk.until(begun("cellar"))
        await house.radio.control("vanish", name="pendant")
        await wearable.press()
        assert await walk.ended(within_s=120) == 1
    verdicts = {row["of"]: row for row in walk.rows if row["step"] == "all"}
    assert {room: row["verdict"] for room, row in verdicts.items()} == {
        "hall": "good",
        "bath": "weak",
        "cellar": "none",
    }
    assert (verdicts["hall"]["presses"], verdicts["hall"]["stored"], verdicts["hall"]["rssi_dbm"]) == (3, 3, GOOD_DBM)
    assert verdicts["bath"]["reason"] == "walk.reason.faint"
    assert sheet.read_bytes().startswith(b"%PDF-")
    assert {row["class"] for row in await house.desk.incidents()} == {"test"}


def begun(room: str) -> Callable[[Row], bool]:
    return lambda row: (row["of"], row["step"]) == (room, "room")


def pressed(walk: Command, room: str, times: int) -> Callable[[Row], bool]:
    return lambda _: len(of(walk, room, "press")) == times


def of(command: Command, room: str, step: str) -> list[dict[str, Any]]:
    return [row for row in command.rows if (row["of"], row["step"]) == (room, step)]


async def test_a_real_alarm_in_the_middle_of_a_test_is_real(build: Build) -> None:
    house = await build()
    one, two = await opened(house, "one", "two", ble=False, serial=True)
    await armed(house, one)
    await one.press()
    number = (await one.shown("ACCEPTED")).number
    await one.hold()
    held = await one.shown("ACCEPTED", number + 1)
    assert await armed_for(house, one) is None
    await two.press()
    counting = await two.shown("COUNTING")
    await two.shown("ACCEPTED", counting.number, within_s=30)
    found = {incident["event"]: incident for incident in await house.desk.incidents()}
    assert found[f"{one.handle}-{held.number:06x}"]["class"] == "emergency"
    assert found[f"{two.handle}-{counting.number:06x}"]["class"] == "emergency"
    real = [incident for incident in found.values() if not incident["test"]]
    assert {incident["stage"] for incident in real} == {"accepted"}, "no real one was answered by itself"
    assert len(real) == 2


async def test_a_walk_that_is_stopped_leaves_nobody_armed(build: Build) -> None:
    house = await build()
    (wearable,) = await opened(house, "pendant", ble=False, serial=True)
    async with pingan("walk-test", "--json", "--gateway", str(socket_of(house))) as walk:
        await walk.until(lambda row: row["step"] == "room")
        await wearable.shown("ARMED")
        walk.process.send_signal(2)
        assert await walk.ended() == 130
    assert await armed_for(house, wearable) is None
    await wearable.press()
    await wearable.shown("COUNTING")
