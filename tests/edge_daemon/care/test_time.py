"""When a time is believed, and what falls due between two moments, over steps, reboots and summer time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from edge_daemon.care.local_time import Anchor, LocalTime
from edge_daemon.care.plan import Plan, read
from edge_daemon.care.schedule import falls_due
from tests.edge_daemon.test_supervision import Hands

from .test_plan import PLAN, written

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def plan_of(zone: str = "Asia/Shanghai", away: Any = None, **checkin: Any) -> Plan:
    row = {**PLAN["checkins"][0], "days": [1, 2, 3, 4, 5, 6, 7], **checkin}
    return read(written(timezone=zone, checkins=[row], away=away))


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def due(plan: Plan, after: str, until: str) -> list[tuple[str, str, str]]:
    zone = plan.timezone
    found = falls_due(plan, at(after, zone), at(until, zone))
    return [(d.on, d.at, datetime.fromtimestamp(d.at_ms / 1000, plan.zone).strftime("%H:%M%z")) for d in found]


def test_a_check_in_falls_due_once_a_day_on_its_days_and_not_while_away() -> None:
    assert due(plan_of(), "2026-11-28T07:59", "2026-11-28T08:00") == [("2026-11-28", "08:00", "08:00+0800")]
    assert due(plan_of(), "2026-11-28T08:00", "2026-11-28T23:00") == []
    assert [on for on, _, _ in due(plan_of(days=[6, 1]), "2026-11-25T00:00", "2026-12-02T00:00")] == [
        "2026-11-28",
        "2026-11-30",
    ]
    away = {"from": "2026-11-27T00:00", "until": "2026-11-28T08:00"}
    assert [on for on, _, _ in due(plan_of(away=away), "2026-11-26T00:00", "2026-11-29T00:00")] == [
        "2026-11-26",
        "2026-11-28",
    ]
    assert len(due(plan_of(), "2026-01-01T00:00", "2026-11-28T12:00")) == 8


def test_where_clocks_change_a_check_in_is_one_of_its_day() -> None:
    """2026-03-29 has no 02:30 in Berlin, 2026-10-25 has two."""
    plan = plan_of("Europe/Berlin", at="02:30")
    assert due(plan, "2026-03-28T12:00", "2026-03-29T12:00") == [("2026-03-29", "02:30", "03:30+0200")]
    assert due(plan, "2026-10-24T12:00", "2026-10-25T12:00") == [("2026-10-25", "02:30", "02:30+0200")]
    midnight = plan_of("Africa/Cairo", at="00:30")
    assert due(midnight, "2026-04-23T12:00", "2026-04-25T12:00") == [
        ("2026-04-24", "00:30", "01:30+0300"),
        ("2026-04-25", "00:30", "00:30+0300"),
    ]


def test_what_ntp_vouched_for_goes_on_without_it_whatever_the_wall_clock_does() -> None:
    clock = Hands()
    clock.at_s = 100.0
    time = LocalTime(clock, Anchor())
    assert time.look()
    believed = clock.now_ms() + clock.offset_ms
    assert time.wall_ms() == believed
    clock.at_s += 3600
    clock.good = False
    for offset_ms in (0, clock.offset_ms + 3 * HOUR_MS):
        clock.offset_ms = offset_ms
        assert not time.look()
        assert time.wall_ms() == believed + HOUR_MS
    again = LocalTime(clock, time.anchor())
    assert not again.look()
    assert again.wall_ms() == believed + HOUR_MS
    clock.good, clock.offset_ms = True, 1_790_000_000_000 + 3 * HOUR_MS
    assert time.look()
    assert time.wall_ms() == believed + 4 * HOUR_MS


def test_after_a_reboot_only_a_clock_that_went_on_is_believed_without_ntp() -> None:
    before = Hands()
    time = LocalTime(before, Anchor())
    time.look()
    anchor, seen_ms = time.anchor(), time.wall_ms()
    assert seen_ms is not None

    def started(ahead_ms: int, kept: Anchor = anchor) -> LocalTime:
        clock = Hands()
        clock.boot_id, clock.at_s, clock.good = "another", 40.0, False
        clock.offset_ms = seen_ms + ahead_ms
        made = LocalTime(clock, kept)
        made.look()
        return made

    assert started(-seen_ms).wall_ms() is None
    assert started(14 * MINUTE_MS).wall_ms() is None
    assert started(3 * HOUR_MS).wall_ms() == seen_ms + 3 * HOUR_MS + 40_000
    assert started(500 * DAY_MS).wall_ms() is None
    assert started(3 * HOUR_MS, Anchor()).wall_ms() is None
    unsure = started(0)
    assert unsure.anchor().seen_ms == seen_ms
