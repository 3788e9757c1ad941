"""How old an event is, and how well that is known, over repeats, gateways and messages that lay at the broker."""

from __future__ import annotations

from typing import Any

from edge_daemon.clock import iso
from tests.tools.desk.gateway import event, up_event
from tools.desk.reading.events import Events, read_events
from tools.desk.reading.message import Message
from tools.desk.report import Report, better_age

NOW_MS = 1_795_000_000_000


def _read(received_ms: int, *, clock_is_good: bool = True, gateway: str = "gw-1", **over: Any) -> Events:
    import json

    said = up_event(gateway, event(**{k: v for k, v in over.items() if k not in ("sent_at", "clock")}))
    said |= {k: v for k, v in over.items() if k in ("sent_at", "clock")}
    message = Message(
        "jianghai", gateway, "event", f"pingan/v1/jianghai/{gateway}/up/event", json.dumps(said).encode(), received_ms
    )
    return read_events(message, clock_is_good=clock_is_good)


def _report(received_ms: int, **over: Any) -> Report:
    (report,) = _read(received_ms, **over).reports
    return report


def test_the_age_is_what_the_wearable_and_the_gateway_say_together() -> None:
    report = _report(NOW_MS, age_ms=1200, heard_age_ms=20)
    assert report.heard_ms == NOW_MS - 20
    assert report.pressed_ms == NOW_MS - 1220
    assert not report.is_late


def test_a_message_that_lay_at_the_broker_is_not_passed_off_as_fresh() -> None:
    report = _report(NOW_MS, sent_at=iso(NOW_MS - 7_200_000), clock="synced")
    assert report.waited_ms == 7_200_000
    assert report.pressed_ms == NOW_MS - 7_200_000 - 1220
    assert report.is_late


def test_a_clock_that_is_not_synchronised_on_either_side_is_not_believed() -> None:
    hour_ago = iso(NOW_MS - 3_600_000)
    assert _report(NOW_MS, sent_at=hour_ago, clock="unsynced").waited_ms == 0
    assert _report(NOW_MS, sent_at=hour_ago, clock="synced", clock_is_good=False).waited_ms == 0
    assert _report(NOW_MS, sent_at=iso(NOW_MS + 500), clock="synced").waited_ms == 0


def test_what_is_late_or_of_unknown_age_is_late() -> None:
    assert _report(NOW_MS, age_ms=70_000).is_late
    assert _report(NOW_MS, late=True).is_late
    assert _report(NOW_MS, age_ms=None, age_quality="unknown", late=False).is_late


def test_a_better_known_age_replaces_a_worse_and_an_earlier_one_a_later() -> None:
    unknown = _report(NOW_MS, age_ms=None, age_quality="unknown")
    at_least = _report(NOW_MS, age_ms=90_000, age_quality="at_least")
    exact = _report(NOW_MS, age_ms=1_000)
    older = _report(NOW_MS, age_ms=9_000)
    jitter = _report(NOW_MS, age_ms=1_500)
    assert better_age(exact, unknown.age_quality, unknown.pressed_ms)
    assert better_age(exact, at_least.age_quality, at_least.pressed_ms)
    assert not better_age(at_least, exact.age_quality, exact.pressed_ms)
    assert better_age(older, exact.age_quality, exact.pressed_ms)
    assert not better_age(exact, older.age_quality, older.pressed_ms)
    assert not better_age(jitter, exact.age_quality, exact.pressed_ms)
