"""The technician's tests on a whole house: real firmware, daemon, broker and desk; the hand is simulated."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from tools.control import client

GOOD_DBM, FAINT_DBM = -55, -84


class Command:
    """`pingan …` in its own process, with --json; `rows` so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.rows: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.rows.append(json.loads(line))
            self._changed.set()

    async def until(self, wanted: Callable[[dict[str, Any]], bool], within_s: float = 60) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while not (found := [row for row in self.rows if wanted(row)]):
                assert not self._reading.done(), self.rows
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    async def ended(self, within_s: float = 60) -> int:
        async with asyncio.timeout(within_s):
            await self._reading
            return await self.process.wait()


@contextlib.asynccontextmanager
async def pingan(*arguments: str) -> AsyncIterator[Command]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.cli", "--lang", "en", *arguments, stdout=asyncio.subprocess.PIPE
    )
    command = Command(process)
    try:
        yield command
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await command.ended()


def socket_of(house: House, gateway: str = "gw-1") -> Path:
    return house.directory / gateway / "state" / "control.sock"


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


async def armed_for(house: House, wearable: WearableProcess) -> int | None:
    rows = (await asyncio.to_thread(client.ask, socket_of(house), {"ask": "status"}))["wearables"]
    left: int | None = next(row["test_s"] for row in rows if row["wearable"] == wearable.handle)
    return left


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
            await walk.until(lambda row, room=room: (row["of"], row["step"]) == (room, "room"))
            for presses in (1, 2, 3):
                await asyncio.sleep(2)
                await wearable.press()
                await walk.until(lambda _, room=room, presses=presses: len(of(walk, room, "press")) == presses)
        await walk.until(lambda row: (row["of"], row["step"]) == ("cellar", "room"))
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
