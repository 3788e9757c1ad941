"""How much of a backlog the platform has before it."""

from __future__ import annotations

import pytest

from edge_daemon.backlog import Backlog
from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm
from edge_daemon.uplinks.way import Way
from protocol import codes

from .core import StandInUplink
from .test_journal import an_alarm

SERVICE = 0x10


def a_way(*, connected: bool = True) -> Way:
    uplink = StandInUplink()
    uplink.connected = connected
    return Way("primary", uplink, 3, 5.0, Clock())


def alarms(*numbers: int, kind: int = SERVICE) -> list[Alarm]:
    return [an_alarm(number, kind) for number in numbers]


class Room:
    """A backlog that counts how often it says that there is room again."""

    def __init__(self) -> None:
        self.told = 0
        self.backlog = Backlog(self._tell)

    def _tell(self) -> None:
        assert self.backlog.has_room
        self.told += 1


def test_two_messages_fill_it_and_the_last_answer_to_one_makes_room() -> None:
    room, way = Room(), a_way()
    room.backlog.sent(alarms(1, 2), way)
    assert room.backlog.has_room
    room.backlog.sent(alarms(3, 4), way)
    assert not room.backlog.has_room
    room.backlog.answered(alarms(1)[0].key)
    room.backlog.answered(alarms(1)[0].key)
    room.backlog.answered(alarms(3)[0].key)
    room.backlog.answered(alarms(99)[0].key)
    assert (room.backlog.has_room, room.told) == (False, 0)
    room.backlog.answered(alarms(2)[0].key)
    assert (room.backlog.has_room, room.told) == (True, 1)


def test_an_answer_is_for_each_message_that_has_the_alarm() -> None:
    room, way = Room(), a_way()
    room.backlog.sent(alarms(1), way)
    room.backlog.sent(alarms(1, 2), way)
    room.backlog.answered(alarms(1)[0].key)
    assert room.backlog.has_room
    room.backlog.sent(alarms(3), way)
    room.backlog.answered(alarms(2)[0].key)
    room.backlog.sent(alarms(4), way)
    assert not room.backlog.has_room, "one of two was over, and no more than one"


def test_what_is_over_makes_room_once() -> None:
    room, way = Room(), a_way()
    first = room.backlog.sent(alarms(1), way)
    room.backlog.sent(alarms(2), way)
    room.backlog.over(first)
    room.backlog.sent(alarms(3), way)
    room.backlog.over(first)
    room.backlog.answered(alarms(1)[0].key)
    assert (room.backlog.has_room, room.told) == (False, 1)


def test_a_way_that_is_lost_takes_its_own_messages_with_it() -> None:
    room, lost, other = Room(), a_way(), a_way()
    room.backlog.sent(alarms(1), lost)
    room.backlog.sent(alarms(2), other)
    room.backlog.lost(other)
    room.backlog.sent(alarms(3), other)
    assert not room.backlog.has_room, "what went by the first way is still waited for"
    room.backlog.lost(lost)
    room.backlog.sent(alarms(4), lost)
    assert not room.backlog.has_room


@pytest.mark.parametrize(
    ("message", "connected", "counts"),
    [
        (alarms(1), True, True),
        (alarms(1, 2, kind=codes.SOS), True, True),
        (alarms(1, kind=codes.SOS), True, False),
        (alarms(1, 2), False, False),
    ],
    ids=["no emergency", "emergencies together", "one emergency", "nobody can hear it"],
)
def test_what_counts(message: list[Alarm], connected: bool, counts: bool) -> None:
    room = Room()
    for _ in range(2):
        room.backlog.sent(message, a_way(connected=connected))
    assert room.backlog.has_room is not counts
