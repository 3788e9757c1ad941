"""The order of what goes out."""

from __future__ import annotations

from edge_daemon.config import Forwarder
from edge_daemon.out_queue import OutQueue, delay_ms, together

from .test_journal import an_alarm

SOS, SERVICE, FAULT = 0x01, 0x10, 0x38


def numbers(queue: OutQueue, now_ms: int, most: int = 50) -> list[int]:
    return [alarm.number for alarm in queue.take(now_ms, most)]


def test_a_fresh_emergency_overtakes_and_travels_alone() -> None:
    queue = OutQueue()
    for number in range(5):
        queue.add(an_alarm(number, SERVICE))
    queue.add(an_alarm(10, SOS))
    queue.add(an_alarm(11, SOS))
    assert numbers(queue, 0) == [10]
    assert numbers(queue, 0) == [11]
    assert numbers(queue, 0) == [0, 1, 2, 3, 4]
    assert numbers(queue, 0) == []


def test_a_backlog_goes_by_urgency_then_age_in_batches() -> None:
    queue = OutQueue()
    for number, kind in ((1, SERVICE), (2, FAULT), (3, SOS), (4, SOS)):
        queue.retry(an_alarm(number, kind), 5000 + number)
    assert numbers(queue, 4999) == []
    queue.hurry()
    assert numbers(queue, 0, 3) == [3, 4, 2]
    assert numbers(queue, 0, 3) == [1]


def test_what_falls_due_in_the_middle_of_a_backlog_takes_its_place_by_age() -> None:
    """After a start, a wearable's alarms stand together; and a long backlog is on its way when a connection comes."""
    queue, alarms = OutQueue(), [an_alarm(number, SOS) for number in range(6)]
    for place, alarm in enumerate(alarms):
        alarm.place = place
    for number in (4, 5, 2, 3):
        queue.retry(alarms[number], 0)
    assert numbers(queue, 0, 1) == [2]
    queue.retry(alarms[1], 0)
    queue.hurry()
    queue.retry(alarms[0], 0)
    assert numbers(queue, 0) == [0, 1, 3, 4, 5]


def test_what_is_never_answered_does_not_keep_the_others_from_their_turn() -> None:
    """Two messages of two are under way at most, and the platform has a fault over the oldest four."""
    queue, alarms = OutQueue(), [an_alarm(number, SOS) for number in range(7)]
    for place, alarm in enumerate(alarms):
        alarm.place = place
        queue.retry(alarm, 0)
    queue.hurry()
    assert numbers(queue, 0, 2) + numbers(queue, 0, 2) == [0, 1, 2, 3]
    for alarm in alarms[:4]:
        queue.retry(alarm, 5000)
    assert numbers(queue, 5000, 2) + numbers(queue, 5000, 2) == [4, 5, 6, 0]


def test_an_alarm_is_in_the_queue_once() -> None:
    queue = OutQueue()
    alarm = an_alarm(1)
    queue.retry(alarm, 100)
    queue.retry(alarm, 50)
    queue.add(alarm)
    assert queue.next_due_ms() == 100
    assert numbers(queue, 100) == [1]
    assert numbers(queue, 1000) == []


def test_the_ladder_slows_down_and_never_ends() -> None:
    ladder = Forwarder()
    delays = [delay_ms(tries, ladder) for tries in range(1, 1000)]
    assert delays[:10] == [5000] * 10
    assert delays[10:26] == [30000] * 16
    assert set(delays[26:]) == {60000}


def test_retries_of_one_second_are_due_at_once_and_never_too_early() -> None:
    assert [together(due_ms, Forwarder()) for due_ms in (5001, 5999, 6000, 6001)] == [6000, 6000, 6000, 7000]
    assert together(7, Forwarder(fast_s=0.001)) == 7
