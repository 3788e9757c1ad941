"""Frames of strangers: few, sealed, and the way back remembered."""

from __future__ import annotations

from edge_daemon.admission import Unknown
from edge_daemon.counters import Counters
from edge_daemon.strangers import Strangers
from protocol import codes

from .wearer import Wearer


def _unknown(wearer: Wearer, number: int, frame_type: int = codes.EVENT) -> Unknown:
    return Unknown(frame_type, number.to_bytes(8, "big"), wearer.heard(b"\x11" * 24))


def test_a_flood_is_limited_and_the_limit_recovers() -> None:
    wearer, counters = Wearer(), Counters()
    strangers = Strangers(1.0, 5, counters)
    passed = [strangers.may_pass(_unknown(wearer, n), 10_000_000) for n in range(100)]
    assert passed == [True] * 5 + [False] * 95
    assert not strangers.may_pass(_unknown(wearer, 200), 10_000_900)
    assert strangers.may_pass(_unknown(wearer, 201), 10_001_100)
    assert counters.snapshot()["strangers_limited"] == 96


def test_a_repeat_costs_no_token_and_is_not_passed_on_twice() -> None:
    wearer, counters = Wearer(), Counters()
    strangers = Strangers(0.0, 2, counters)
    assert strangers.may_pass(_unknown(wearer, 1), 0)
    for _ in range(10):
        assert not strangers.may_pass(_unknown(wearer, 1), 0)
    assert strangers.may_pass(_unknown(wearer, 2), 0)
    assert counters.snapshot()["refused_repeat"] == 10


def test_the_answer_goes_back_to_whoever_asked_and_to_nobody_else() -> None:
    wearer, other = Wearer("a"), Wearer("b")
    strangers = Strangers(1.0, 5, Counters())
    strangers.may_pass(_unknown(wearer, 1), 0)
    strangers.may_pass(_unknown(other, 2), 0)
    assert strangers.answer((1).to_bytes(8, "big"), b"for a")
    assert not strangers.answer((3).to_bytes(8, "big"), b"for nobody")
    assert (wearer.path.sent, other.path.sent) == ([b"for a"], [])


def test_only_the_newest_ways_are_remembered() -> None:
    wearer = Wearer()
    strangers = Strangers(100.0, 1000, Counters())
    for number in range(300):
        strangers.may_pass(_unknown(wearer, number), 0)
    assert not strangers.answer((0).to_bytes(8, "big"), b"forgotten")
    assert strangers.answer((299).to_bytes(8, "big"), b"remembered")


def test_trails_leave_half_of_the_bucket_to_those_who_call_for_help() -> None:
    wearer = Wearer()
    strangers = Strangers(0.0, 6, Counters())
    trails = [strangers.may_pass(_unknown(wearer, n, codes.TRAIL), 0) for n in range(6)]
    assert trails == [True] * 3 + [False] * 3
    calls = [strangers.may_pass(_unknown(wearer, 100 + n), 0) for n in range(4)]
    assert calls == [True] * 3 + [False]
