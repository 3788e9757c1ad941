"""Whose state the platform is asked anew, and when."""

from __future__ import annotations

import pytest

from edge_daemon.ages import Ages
from edge_daemon.asking import Asking
from edge_daemon.heard import Alarm
from edge_daemon.out_queue import OutQueue
from protocol import codes, kinds
from tests.protocol.test_contract import NoBoots

from .hand import HandClock
from .test_journal import an_alarm

WEEK_S = 7 * 86_400
ASKED_EVERY_S = 300


def heard_now(clock: HandClock, kind: int = codes.SOS, stage: int = codes.ACCEPTED) -> Alarm:
    alarm = an_alarm(1, kind)
    alarm.boot_id, alarm.heard_ms, alarm.stage = clock.boot_id, clock.now_ms(), stage
    return alarm


def asked(queue: OutQueue, clock: HandClock) -> list[int]:
    return [alarm.number for alarm in queue.take(clock.now_ms(), 50)]


def test_now_is_at_once_and_later_is_after_five_minutes() -> None:
    clock, queue = HandClock(), OutQueue()
    asking = Asking(queue, Ages(NoBoots(), clock))
    asking.now(heard_now(clock))
    assert asked(queue, clock) == [1]
    asking.later(heard_now(clock))
    clock.pass_s(ASKED_EVERY_S - 1)
    assert asked(queue, clock) == []
    clock.pass_s(1)
    assert asked(queue, clock) == [1]


def test_for_a_week() -> None:
    clock, queue = HandClock(), OutQueue()
    asking, alarm = Asking(queue, Ages(NoBoots(), clock)), heard_now(clock)
    clock.pass_s(WEEK_S - 1)
    asking.now(alarm)
    assert asked(queue, clock) == [1]
    clock.pass_s(1)
    asking.now(alarm)
    assert asked(queue, clock) == []


@pytest.mark.parametrize(
    ("kind", "stage", "is_asked"),
    [
        (codes.SOS, codes.ACCEPTED, True),
        (codes.SOS, codes.ANSWERED, True),
        (codes.SOS, codes.HEARD, False),
        (codes.SOS, codes.STORED, False),
        (codes.SOS, codes.CLOSED, False),
        (codes.SOS, codes.REFUSED, False),
        (kinds.GATEWAY_BATTERY_LOW, codes.ACCEPTED, False),
    ],
)
def test_what_the_platform_has_and_has_not_closed_of_a_wearable(kind: int, stage: int, is_asked: bool) -> None:
    clock, queue = HandClock(), OutQueue()
    Asking(queue, Ages(NoBoots(), clock)).now(heard_now(clock, kind, stage))
    assert bool(asked(queue, clock)) == is_asked
