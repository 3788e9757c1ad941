"""Everything the gateway can say is of the contract."""

from __future__ import annotations

import dataclasses
import json
import random

import pytest

from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm, Heard
from edge_daemon.uplinks import payload
from protocol import codes, kinds
from protocol.messages import Event, Heartbeat

from .schemas import check
from .test_journal import an_alarm
from .wearer import Recorder


class _Reckoned(Clock):
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.boot_ms, self.wall, self.good = 10_000_000, 1_800_000_000_000, True

    def now_ms(self) -> int:
        return self.boot_ms

    def wall_ms(self) -> int:
        return self.wall

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
        alarm = _alarm_of(
            clock,
            number=chance.choice([0, 1, event.number, 0xFFFFFF]),
            kind=chance.choice([event.kind, codes.SOS_CANCELLED, *kinds.BY_CODE]),
            detail=event.detail,
            age_ms=event.age_ms,
            age_resolution_ms=event.age_resolution_ms,
            age_at_least=event.age_at_least,
            battery_percent=event.battery_percent,
            link=chance.choice(["ble", "serial"]),
            rssi_dbm=chance.choice([None, -300, -128, -60, 20, 127]),
            boot_id=chance.choice([clock.boot_id, "another boot"]),
            heard_ms=clock.boot_ms + chance.randrange(-1_000_000, 1000),
            heard_wall_ms=clock.wall + chance.randrange(-10_000_000_000, 10_000_000_000),
            raw=chance.choice([None, body]),
            stage=chance.choice([codes.HEARD, codes.STORED, codes.ACCEPTED]),
        )
        check("event", json.loads(payload.events("gw-1", [alarm], clock)))


def test_age_is_from_the_monotonic_clock_and_late_is_said() -> None:
    clock = _Reckoned()
    alarm = _alarm_of(clock)
    clock.wall += 99_000_000  # the wall clock jumps: nobody cares
    clock.boot_ms += 57_000
    row = payload.event(alarm, clock)
    assert (row["age_ms"], row["heard_age_ms"], row["age_quality"], row["late"]) == (2000, 57_000, "exact", False)
    clock.boot_ms += 2000
    assert payload.event(alarm, clock)["late"] is True


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
    row = payload.event(_alarm_of(clock, **changes), clock)
    assert row["age_quality"] == quality
    assert (row["age_ms"] is None) == (quality == "unknown")
    assert row["late"] == (quality == "unknown")


def test_over_a_reboot_the_wall_clock_counts_and_an_unsynchronised_one_is_not_believed() -> None:
    clock = _Reckoned()
    alarm = _alarm_of(clock, boot_id="another boot", heard_wall_ms=clock.wall - 5000)
    assert payload.event(alarm, clock)["heard_age_ms"] == 5000
    assert payload.event(alarm, clock)["age_quality"] == "coarse"
    clock.good = False
    assert payload.event(alarm, clock)["age_quality"] == "at_least"
    clock.wall -= 10_000_000
    assert payload.event(alarm, clock)["heard_age_ms"] == 0


def test_low_battery_and_unknown_kinds_never_mask_what_they_came_with() -> None:
    clock = _Reckoned()
    flat = payload.event(_alarm_of(clock, battery_percent=0), clock)
    assert (flat["kind"], flat["class"], flat["battery_percent"]) == ("sos", "emergency", 0)
    raw = payload.event(_alarm_of(clock, raw=b"\x01\x02"), clock)
    assert (raw["kind"], raw["class"], raw["raw"]) == ("not_understood", "emergency", "0102")
    cut = _alarm_of(clock, kind=codes.SOS, detail=codes.HOLD, raw=b"\x01\x00\x00\x0c\x00\x00\xb2\x01")
    assert payload.event(cut, clock)["detail"] == str(codes.HOLD), "no word of a kind that is not told"


def test_a_cancellation_names_what_it_takes_back() -> None:
    clock = _Reckoned()
    cancelled = _alarm_of(clock, kind=codes.SOS_CANCELLED, detail=2, number=7)
    assert payload.event(cancelled, clock)["refers_to"] == f"{cancelled.wearable}-000005"
    assert payload.event(dataclasses.replace(cancelled, number=1), clock)["refers_to"] is None


def test_a_place_has_its_location_code() -> None:
    clock = _Reckoned()
    assert payload.event(_alarm_of(clock, kind=0x28), clock)["scaip"] == {"dty": "0051", "stc": "0009", "lco": "019"}


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
    check("heartbeat", json.loads(payload.heartbeat("gw-1", 5, "0.1.0", 0, {"commits": 1}, links)))
    for state, reason in (("online", "connected"), ("offline", "lost"), ("offline", "stopped")):
        check("status", json.loads(payload.status("gw-1", state, reason)))
    for outcome in ("queued", "done", "refused", "expired"):
        check("result", json.loads(payload.result("gw-1", "c-1", outcome, None)))
