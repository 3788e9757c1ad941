"""Everything the gateway can say is of the contract."""

from __future__ import annotations

import dataclasses
import json
import random

import pytest

from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm, Heard
from edge_daemon.uplinks import payload
from protocol import codes, kinds
from protocol.messages import Event, Heartbeat

from .schemas import check
from .test_journal import an_alarm
from .wearer import Recorder


class Boots:
    """A journal's memory of earlier runs of the machine."""

    def __init__(self, **boots: tuple[int, int | None]) -> None:
        self.boots = boots

    def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
        self.boots[boot_id] = (lasted_ms, offset_ms)


class _Reckoned(Clock):
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.boot_ms, self.wall, self.good = 10_000_000, 1_800_000_000_000, True

    def now_ms(self) -> int:
        return self.boot_ms

    def wall_ms(self) -> int:
        return self.wall

    def wall_at(self, now_ms: int) -> int:
        return self.wall - self.boot_ms + now_ms

    def synced(self) -> bool:
        return self.good


def _alarm_of(clock: _Reckoned, **changes: object) -> Alarm:
    base = dataclasses.replace(
        an_alarm(7), boot_id=clock.boot_id, heard_ms=clock.boot_ms, heard_wall_ms=clock.wall, age_ms=2000
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def test_every_alarm_there_can_be_is_of_the_contract() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    clock = _Reckoned()
    for _ in range(1500):
        body = chance.randbytes(7)
        event = Event(body)
        clock.good = chance.random() < 0.5
        kind = chance.choice([event.kind, codes.SOS_CANCELLED, *kinds.BY_CODE])
        of_gateway = kind >= kinds.FIRST_OF_GATEWAY
        alarm = _alarm_of(
            clock,
            number=chance.choice([0, 1, event.number, 0xFFFFFF]),
            kind=kind,
            detail=event.detail,
            age_ms=event.age_ms,
            age_resolution_ms=event.age_resolution_ms,
            age_at_least=event.age_at_least,
            battery_percent=event.battery_percent,
            link="gateway" if of_gateway else chance.choice(["ble", "serial"]),
            about=chance.choice(["hci0", "", "~ " * 32]) if of_gateway else "",
            note=chance.choice(["", "60 s"]) if of_gateway else "",
            rssi_dbm=chance.choice([None, -300, -128, -60, 20, 127]),
            boot_id=chance.choice([clock.boot_id, "another boot"]),
            heard_ms=clock.boot_ms + chance.randrange(-1_000_000, 1000),
            heard_wall_ms=clock.wall + chance.randrange(-10_000_000_000, 10_000_000_000),
            raw=None if of_gateway else chance.choice([None, body]),
            stage=chance.choice([codes.HEARD, codes.STORED, codes.ACCEPTED]),
        )
        check("event", json.loads(payload.events("gw-1", [alarm], Ages(Boots(), clock))))


def test_age_is_from_the_monotonic_clock_and_late_is_said() -> None:
    clock = _Reckoned()
    alarm = _alarm_of(clock)
    clock.wall += 99_000_000  # the wall clock jumps: nobody cares
    clock.boot_ms += 57_000
    row = payload.event(alarm, Ages(Boots(), clock))
    assert (row["age_ms"], row["heard_age_ms"], row["age_quality"], row["late"]) == (2000, 57_000, "exact", False)
    clock.boot_ms += 2000
    assert payload.event(alarm, Ages(Boots(), clock))["late"] is True


@pytest.mark.parametrize(
    ("changes", "quality"),
    [
        ({}, "exact"),
        ({"age_ms": -1}, "unknown"),
        ({"age_at_least": True}, "at_least"),
        ({"age_resolution_ms": 60_000}, "coarse"),
    ],
)
def test_how_good_an_age_is_is_said(changes: dict[str, object], quality: str) -> None:
    clock = _Reckoned()
    row = payload.event(_alarm_of(clock, **changes), Ages(Boots(), clock))
    assert row["age_quality"] == quality
    assert (row["age_ms"] is None) == (quality == "unknown")
    assert row["late"] == (quality == "unknown")


def test_over_a_reboot_the_wall_clock_counts_where_ntp_vouched_for_it_then_and_now() -> None:
    clock = _Reckoned()
    alarm = _alarm_of(clock, boot_id="earlier", heard_ms=900_000, heard_wall_ms=0)  # no RTC: it was 1970
    vouched = Ages(Boots(earlier=(1_000_000, clock.wall - 5000 - 900_000)), clock)
    row = payload.event(alarm, vouched)
    assert (row["heard_age_ms"], row["age_quality"]) == (10_100_000, "coarse"), "the machine has run that long since"
    clock.wall += 20_000_000
    row = payload.event(alarm, vouched)
    assert (row["heard_age_ms"], row["age_quality"], row["heard_at_clock"]) == (20_005_000, "coarse", "synced")
    clock.good = False
    row = payload.event(alarm, vouched)
    assert (row["heard_age_ms"], row["age_quality"]) == (10_100_000, "at_least")


def test_what_nobody_vouched_for_is_as_old_at_least_as_the_machine_has_run_since() -> None:
    clock = _Reckoned()
    alarm = _alarm_of(clock, boot_id="earlier", heard_ms=900_000, heard_wall_ms=5000)
    ages = Ages(Boots(before=(99_000_000, None), earlier=(1_000_000, None), later=(70_000, None)), clock)
    row = payload.event(alarm, ages)
    assert (row["heard_age_ms"], row["age_quality"]) == (100_000 + 70_000 + 10_000_000, "at_least")
    assert (row["heard_at"], row["heard_at_clock"]) == ("1970-01-01T00:00:05.000Z", "unsynced")
    forgotten = payload.event(alarm, Ages(Boots(), clock))
    assert (forgotten["heard_age_ms"], forgotten["age_quality"]) == (10_000_000, "at_least")


def test_a_clock_that_is_set_after_the_hearing_sets_the_hearing_right() -> None:
    clock = _Reckoned()
    clock.wall, clock.good = 50_000, False
    alarm = _alarm_of(clock)
    ages = Ages(Boots(), clock)
    ages.note()
    assert payload.event(alarm, ages)["heard_at_clock"] == "unsynced"
    clock.boot_ms += 60_000
    clock.wall, clock.good = 1_800_000_000_000, True
    row = payload.event(alarm, ages)
    assert (row["heard_age_ms"], row["age_quality"], row["heard_at_clock"]) == (60_000, "exact", "synced")
    assert row["heard_at"] == payload.iso(1_800_000_000_000 - 60_000)
    ages.note()
    after = _Reckoned()
    after.boot_id, after.boot_ms, after.wall = "the next boot", 1000, 1_800_000_100_000
    row = payload.event(alarm, Ages(Boots(**{clock.boot_id: ages._journal.boots[clock.boot_id]}), after))
    assert (row["heard_age_ms"], row["age_quality"]) == (160_000, "coarse")


def test_the_run_of_a_machine_is_written_seldom_and_a_set_clock_at_once() -> None:
    clock, written = _Reckoned(), []

    class Book(Boots):
        def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
            super().note_boot(boot_id, lasted_ms, offset_ms)
            written.append((lasted_ms, offset_ms))

    ages = Ages(Book(), clock)
    clock.good = False
    for _ in range(12):
        ages.note()
        clock.boot_ms += 60_000
        clock.wall += 60_000
    assert [offset for _, offset in written] == [None, None]
    clock.good = True
    ages.note()
    ages.note()
    clock.wall += 100  # slewed, not stepped
    ages.note()
    assert written[2:] == [(clock.boot_ms, clock.wall - 100 - clock.boot_ms)]


def test_low_battery_and_unknown_kinds_never_mask_what_they_came_with() -> None:
    clock = _Reckoned()
    flat = payload.event(_alarm_of(clock, battery_percent=0), Ages(Boots(), clock))
    assert (flat["kind"], flat["class"], flat["battery_percent"]) == ("sos", "emergency", 0)
    raw = payload.event(_alarm_of(clock, raw=b"\x01\x02"), Ages(Boots(), clock))
    assert (raw["kind"], raw["class"], raw["raw"]) == ("not_understood", "emergency", "0102")
    cut = _alarm_of(clock, kind=codes.SOS, detail=codes.HOLD, raw=b"\x01\x00\x00\x0c\x00\x00\xb2\x01")
    assert payload.event(cut, Ages(Boots(), clock))["detail"] == str(codes.HOLD), "no word of a kind that is not told"


def test_a_cancellation_names_what_it_takes_back() -> None:
    clock = _Reckoned()
    cancelled = _alarm_of(clock, kind=codes.SOS_CANCELLED, detail=2, number=7)
    assert payload.event(cancelled, Ages(Boots(), clock))["refers_to"] == f"{cancelled.wearable}-000005"
    assert payload.event(dataclasses.replace(cancelled, number=1), Ages(Boots(), clock))["refers_to"] is None


def test_a_place_has_its_location_code() -> None:
    clock = _Reckoned()
    assert payload.event(_alarm_of(clock, kind=0x28), Ages(Boots(), clock))["scaip"] == {
        "dty": "0051",
        "stc": "0009",
        "lco": "019",
    }


def test_every_other_message_is_of_the_contract() -> None:
    heard = Heard(b"\x11" * 24, "ble", 127, 1000, Recorder())
    check("stranger", json.loads(payload.stranger("gw-1", bytes(8), heard, 900)))
    chance = random.Random(5)
    rows = [
        payload.wearable_heartbeat("00" * 8, Heartbeat(chance.randbytes(17)), heard, chance.randrange(0, 5000))
        for _ in range(300)
    ]
    check("telemetry", json.loads(payload.telemetry("gw-1", rows)))
    links = [{"link": "ble", "name": "default", "state": "up"}, {"link": "serial", "name": "/dev/x", "state": "down"}]
    paths = [{"name": "sms", "state": "down", "used": False, "last_answer_age_s": None, "last_test_age_s": 5}]
    check("heartbeat", json.loads(payload.heartbeat("gw-1", 5, "0.1.0", 0, {"commits": 1}, links, paths)))
    for state, reason in (("online", "connected"), ("offline", "lost"), ("offline", "stopped")):
        check("status", json.loads(payload.status("gw-1", state, reason)))
    for outcome in ("queued", "done", "refused", "expired"):
        check("result", json.loads(payload.result("gw-1", "c-1", outcome, None)))
