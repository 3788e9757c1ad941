"""The reply to `status`, part by part: what is wrong and since when, mains, a disk that hangs."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.config import Ble, Config, Control, Gateway
from edge_daemon.control import status as module
from edge_daemon.control.sightings import Sightings
from edge_daemon.control.status import FaultTimes, Status
from edge_daemon.counters import Counters
from edge_daemon.journal.room import Room
from edge_daemon.registry import Wearable
from edge_daemon.supervision.certificates import Certificates
from edge_daemon.supervision.power import PowerWatch
from edge_daemon.supervision.power_sources import Power, SourceFailed
from protocol import kinds
from tests.edge_daemon.core import Core, core
from tests.edge_daemon.test_faults import rows_of
from tests.edge_daemon.wearer import Wearer

from .schemas import check

WITHIN_S = 20.0


class Source:
    """A UPS whose word the test gives."""

    name = "nut:ups"

    def __init__(self) -> None:
        self.says: Power | None = Power(mains=False, percent=40)

    async def read(self) -> Power:
        if self.says is None:
            raise SourceFailed("gone")
        return self.says


class Paths:
    """No ways out."""

    def described(self) -> list[dict[str, Any]]:
        return []


def _status(here: Core, path: Path, source: Source, *wearables: Wearable) -> Status:
    power = PowerWatch([source], here.faults, here.clock)
    return Status(
        Config(gateway=Gateway(id="gw-1"), ble=Ble(enabled=False), control=Control()),
        lambda: wearables,
        Sightings(),
        lambda handle: None,
        lambda: here.forwarder.waiting,
        list,
        Paths(),  # type: ignore[arg-type]
        power,
        Certificates({}, here.faults, here.clock),
        Room(path, lambda: 0),
        here.journal,
        here.ages,
        Counters(),
    )


async def _answer(asked: Status) -> dict[str, Any]:
    found: dict[str, Any] = check("status", {"v": 1, "ok": True, **await asked.answer({})})
    return found


async def test_what_is_wrong_now_stands_there_since_it_was_told_over_a_restart_too(tmp_path: Path) -> None:
    source = Source()
    async with core(tmp_path) as here:
        here.faults.condition(kinds.MAINS_LOST, "nut:ups", active=True, note="battery 40 %")
        here.faults.condition(kinds.SUPERVISION_LOST, Wearer().handle, active=True)
        here.faults.report(kinds.CERTIFICATE_EXPIRES, "primary own", "expires 2030-01-01 00:00Z")
        here.faults.note(kinds.CERTIFICATE_EXPIRES, "primary own 30 d", holds=True)
        here.faults.note(kinds.CERTIFICATE_EXPIRES, "primary own 7 d", holds=True)
        here.faults.report(kinds.WEARABLE_IMPAIRED, Wearer().handle, "screen motion")
        for part in ("screen", "motion"):
            here.faults.note(kinds.WEARABLE_IMPAIRED, f"{Wearer().handle} {part}", holds=True)
        here.faults.condition(kinds.LINK_LOST, "ttyUSB0", active=True)
        here.faults.condition(kinds.LINK_LOST, "ttyUSB0", active=False)
        await rows_of(here, 6)
    async with core(tmp_path) as here:
        asked = _status(here, tmp_path, source, Wearable(Wearer().handle, b"u" * 16, b"d" * 16, b"i" * 16))
        found = await _answer(asked)
        assert [(row["kind"], row["about"], row["note"]) for row in found["faults"]] == [
            ("certificate_expires", "primary own", "expires 2030-01-01 00:00Z"),
            ("mains_lost", "nut:ups", "battery 40 %"),
            ("supervision_lost", Wearer().handle, ""),
            ("wearable_impaired", Wearer().handle, "screen motion"),
        ]
        assert all(0 <= row["since_s"] <= 20 for row in found["faults"])
        assert found["wearables"][0]["supervision"] == "lost"
        # One that nobody told this run of, and whose event has been purged: no time is made up.
        here.journal.set_condition((kinds.RADIO_DEAF, "hci9"), holds=True)
        assert {row["kind"]: row["since_s"] for row in (await _answer(asked))["faults"]}["radio_deaf"] is None


async def test_mains_are_shown_as_the_source_says_them(tmp_path: Path) -> None:
    source = Source()
    async with core(tmp_path) as here:
        asked = _status(here, tmp_path, source)
        assert (await _answer(asked))["power"] == []
        await asked._power.look()
        assert (await _answer(asked))["power"] == [{"name": "nut:ups", "answers": True, "mains": False, "percent": 40}]
        source.says = None
        await asked._power.look()
        assert (await _answer(asked))["power"] == [
            {"name": "nut:ups", "answers": False, "mains": None, "percent": None}
        ]


async def test_a_disk_that_hangs_holds_up_one_thread_and_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_DISK_WITHIN_S", 0.02)
    looks, free = 0, threading.Event()

    def hangs(_room: Room) -> int:
        nonlocal looks
        looks += 1
        free.wait()
        return 5

    monkeypatch.setattr(Room, "free_bytes", property(hangs))
    async with core(tmp_path) as here:
        asked = _status(here, tmp_path, Source())
        for _ in range(20):
            assert (await _answer(asked))["journal"]["room_bytes"] is None
        assert looks == 1
        free.set()
        async with asyncio.timeout(WITHIN_S):
            while (await _answer(asked))["journal"]["room_bytes"] != 5:
                await asyncio.sleep(0.01)


def test_a_gateways_memory_of_faults_is_of_the_newest() -> None:
    class Told:
        def __init__(self, place: int) -> None:
            self.kind, self.about, self.of_gateway, self.place = 1, "x", True, place

    class Kept:
        def __init__(self) -> None:
            self.alarms = {number: Told(place) for number, place in enumerate((3, 1, 2))}

    times = FaultTimes(Kept())  # type: ignore[arg-type]
    assert times.of(1, "x").place == 3  # type: ignore[union-attr]
    times.told(Told(9))  # type: ignore[arg-type]
    assert times.of(1, "x").place == 9  # type: ignore[union-attr]
    assert times.of(1, "y") is None


def test_the_socket_is_in_the_state_directory_unless_it_is_named() -> None:
    assert Config(gateway=Gateway(state_dir="/s")).control_socket == Path("/s/control.sock")
    assert Config(control=Control(socket="/run/x.sock")).control_socket == Path("/run/x.sock")
