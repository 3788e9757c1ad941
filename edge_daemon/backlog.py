"""How much of a backlog the platform has before it. Guarantee: a few messages, whatever it and the brokers do.

Owns which messages wait for the platform's word. What delays a fresh emergency is not only what stands in the socket: a
platform works through what it has taken from the broker first. Must not know retry, nor what an answer says: any word
on an alarm is an answer. Pure: whoever keeps the deadlines says when one is `over`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from edge_daemon.heard import Alarm
from edge_daemon.uplinks.way import Way

# One that it works on, and one that is on its way meanwhile.
_UNDER_WAY = 2


@dataclass(frozen=True, slots=True)
class _Message:
    """One on its way: by which, and the alarms that have not been answered since."""

    way: Way
    unanswered: set[tuple[str, int]]


class Backlog:
    """An emergency that travels alone is no backlog, nor is what goes by a way on which nobody can hear it.

    `on_room` is called when there is room again.
    """

    def __init__(self, on_room: Callable[[], None]) -> None:
        self._on_room = on_room
        self._numbers = count()
        self._messages: dict[int, _Message] = {}

    @property
    def has_room(self) -> bool:
        """Whether another message may go."""
        return len(self._messages) < _UNDER_WAY

    def sent(self, alarms: list[Alarm], way: Way) -> int:
        """A message goes out; its number, for `over`."""
        number = next(self._numbers)
        lone_emergency = len(alarms) == 1 and alarms[0].meaning.event_class == "emergency"
        if alarms and not lone_emergency and way.connected:
            self._messages[number] = _Message(way, {alarm.key for alarm in alarms})
        return number

    def answered(self, key: tuple[str, int]) -> None:
        """The platform's word on an alarm, for whichever message it is in."""
        for number, message in list(self._messages.items()):
            message.unanswered.discard(key)
            if not message.unanswered:
                self.over(number)

    def lost(self, way: Way) -> None:
        """A way is lost: what went by it will go anew, and be another message then."""
        for number, message in list(self._messages.items()):
            if message.way is way:
                self.over(number)

    def over(self, number: int) -> None:
        """Its answers are all there, or waited for no longer. It may be over already."""
        if self._messages.pop(number, None) is not None and self.has_room:
            self._on_room()
