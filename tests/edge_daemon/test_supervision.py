"""What is overdue is told once, and once that it is back; what a gateway could not have heard counts for nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_daemon.clock import Clock
from edge_daemon.config import Supervision
from edge_daemon.journal.disk import DiskFailed, Trouble
from edge_daemon.journal.room import Room
from edge_daemon.supervision.links import LinkWatch
from edge_daemon.supervision.store import StoreWatch
from edge_daemon.supervision.time import TimeWatch
from edge_daemon.supervision.wearables import WearableWatch

from .core import Core, core
from .test_faults import rows_of

A, B = "00112233445566aa", "00112233445566bb"
HOUR_S = 3600


class Hands(Clock):
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s = 5_000_000.0
        self.offset_ms = 1_790_000_000_000
        self.good = True

    def now_ms(self) -> int:
        return int(self.at_s * 1000)

    def wall_at(self, now_ms: int) -> int:
        return now_ms + self.offset_ms

    def synced(self) -> bool:
        return self.good


def _wait(watch: WearableWatch, clock: Hands, hours: float) -> None:
    for _ in range(int(hours * 60)):
        clock.at_s += 60
        watch.look()


def _said(gateway: Core) -> list[tuple[str, str]]:
    alarms = sorted(gateway.journal.alarms.values(), key=lambda alarm: alarm.number)
    return [(alarm.meaning.name, alarm.about) for alarm in alarms if alarm.of_gateway]


async def _settled(gateway: Core, count: int) -> list[tuple[str, str]]:
    await rows_of(gateway, count)
    return _said(gateway)


async def test_a_wearable_is_lost_after_four_hours_missing_after_a_day_and_back_at_its_first_frame(
    tmp_path: Path,
) -> None:
    clock = Hands()
    async with core(tmp_path) as gateway:
        watch = WearableWatch([A, B], gateway.journal, gateway.faults, Supervision(), clock)
        _wait(watch, clock, 3.9)
        watch.heard(B)
        assert gateway.journal.conditions == set()
        _wait(watch, clock, 0.2)
        assert await _settled(gateway, 1) == [("supervision_lost", A)]
        _wait(watch, clock, 20)
        watch.heard(B)
        assert await _settled(gateway, 4) == [
            ("supervision_lost", A),
            ("supervision_lost", B),
            ("wearable_missing", A),
            ("supervision_restored", B),
        ]
        watch.heard(A)
        watch.heard(A)
        assert (await _settled(gateway, 5))[-1] == ("supervision_restored", A)
        _wait(watch, clock, 24.1)
        said = await _settled(gateway, 9)
        assert sorted(said[5:]) == [
            ("supervision_lost", A),
            ("supervision_lost", B),
            ("wearable_missing", A),
            ("wearable_missing", B),
        ]


async def test_a_gateway_that_is_started_every_two_hours_notices_all_the_same(tmp_path: Path) -> None:
    clock = Hands()
    for _ in range(3):
        async with core(tmp_path) as gateway:
            watch = WearableWatch([A], gateway.journal, gateway.faults, Supervision(), clock)
            _wait(watch, clock, 1.95)
            lost = set(gateway.journal.conditions)
        clock.at_s += 100 * HOUR_S  # off: it could hear nobody
    assert lost == {(0x80, A)}


async def test_a_machine_that_slept_did_not_listen(tmp_path: Path) -> None:
    clock = Hands()
    async with core(tmp_path) as gateway:
        watch = WearableWatch([A], gateway.journal, gateway.faults, Supervision(), clock)
        clock.at_s += 100 * HOUR_S
        watch.look()
        assert gateway.journal.conditions == set()


async def test_a_line_that_is_pulled_is_told_after_a_minute_and_again_when_it_is_back(tmp_path: Path) -> None:
    clock = Hands()
    states: list[dict[str, str]] = [{"link": "serial", "name": "/dev/ttyACM0", "state": "up"}]
    async with core(tmp_path) as gateway:
        watch = LinkWatch(lambda: states, gateway.faults, Supervision(), clock)
        watch.look()
        states[:] = []
        for seconds in (30, 29, 2, 500):
            clock.at_s += seconds
            watch.look()
            assert (await _settled(gateway, 1) if clock.at_s > 5_000_060 else _said(gateway)) == (
                [("link_lost", "/dev/ttyACM0")] if clock.at_s > 5_000_060 else []
            )
    async with core(tmp_path) as gateway:
        watch = LinkWatch(lambda: states, gateway.faults, Supervision(), clock)
        states[:] = [{"link": "serial", "name": "/dev/ttyACM0", "state": "up"}]
        watch.look()
        assert (await _settled(gateway, 2))[-1] == ("link_restored", "/dev/ttyACM0")


async def test_a_failing_disk_is_told_from_memory_and_is_right_when_it_has_been_right_for_a_while(
    tmp_path: Path,
) -> None:
    clock = Hands()
    async with core(tmp_path) as gateway:
        watch = StoreWatch("journal.sqlite3", gateway.journal, Room(tmp_path, lambda: 0), gateway.faults, clock)
        async with gateway.failing_disk():
            gateway.faults.report(0x9B)
            rows = await rows_of(gateway, 2)
            assert {row["kind"]: row["stored"] for row in rows} == {"restarted": False, "store_degraded": False}
        async with asyncio.timeout(20):
            while gateway.journal.trouble is not None:
                await asyncio.sleep(0.01)
        clock.at_s += 59
        watch.look()
        assert (0x96, "journal.sqlite3") in gateway.journal.conditions
        clock.at_s += 2
        watch.look()
        assert (await _settled(gateway, 3))[-1] == ("store_restored", "journal.sqlite3")


async def test_a_full_disk_and_a_file_set_aside_are_told(tmp_path: Path) -> None:
    clock = Hands()
    async with core(tmp_path) as gateway:
        room = Room(tmp_path, lambda: 0, reserve_bytes=1 << 16)
        watch = StoreWatch("journal.sqlite3", gateway.journal, room, gateway.faults, clock)
        gateway.journal.trouble = DiskFailed(Trouble.FULL, "database or disk is full")
        watch.look()
        gateway.journal.trouble = None
        room.short = True
        watch.look()
        room.short = False
        watch.look()
        gateway.journal.on_damaged("journal.sqlite3.damaged-1")
        said = await _settled(gateway, 3)
        assert [kind for kind, _ in said] == ["store_full", "store_has_room", "store_damaged"]
        assert gateway.journal.alarms[gateway.journal.handle, 3].note == "set aside as journal.sqlite3.damaged-1"


async def test_a_clock_that_nobody_vouches_for_is_told_after_an_hour_and_a_step_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Hands()
    clock.good = False
    async with core(tmp_path) as gateway:
        watch = TimeWatch(gateway.faults, clock)
        for minutes in (30, 29):
            clock.at_s += minutes * 60
            watch.look()
        assert _said(gateway) == []
        clock.at_s += 120
        watch.look()
        watch.look()
        assert await _settled(gateway, 1) == [("clock_wrong", "clock")]
        clock.offset_ms += 7_200_000
        clock.good = True
        watch.look()
        watch.look()
        assert (await _settled(gateway, 2))[1:] == [("clock_right", "clock")]
    stepped = [record.__dict__["fields"]["by_ms"] for record in caplog.records if record.message == "clock_stepped"]
    assert stepped == [7_200_000]
