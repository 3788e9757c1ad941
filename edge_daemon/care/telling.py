"""What is to be told once it is on disk: events about wearers, and replies to the platform. Owns that order.

Guarantee: an event is told after what it rests on was kept, and is kept until the journal has it on disk; it is told
once: after a start again only when the journal does not have it. Replies may be lost; the platform asks again. Must not
know what any of them means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_daemon.care import mail
from edge_daemon.care.mail import Reply
from edge_daemon.faults import Faults
from edge_daemon.heard import Alarm
from protocol import codes


@dataclass(frozen=True, slots=True)
class _Event:
    """`doubtful`: a run before this one may have told it."""

    handle: str
    kind: int
    note: str
    doubtful: bool = False


class Telling:
    """`report` publishes a reply."""

    def __init__(self, gateway: str, faults: Faults) -> None:
        self._gateway = gateway
        self._faults = faults
        self._events: list[_Event] = []
        self._kept = 0
        # Told, and perhaps not on disk yet.
        self._told: list[tuple[_Event, Alarm]] = []
        self._replies: list[Reply] = []
        self.report: Callable[[bytes], None] = lambda message: None

    def say(self, handle: str, kind: int, note: str) -> None:
        """An event about a wearer is to be told."""
        self._events.append(_Event(handle, kind, note))

    def reply(self, reply: Reply) -> None:
        """The platform is to be told what is kept; of one wearable only the newest counts."""
        self._replies = [one for one in self._replies if one.wearable != reply.wearable or one.reason != reply.reason]
        self._replies.append(reply)

    def tell_events(self, *, unkept: bool) -> bool:
        """Tell those that were kept, or all of them where nothing can be; returns whether there were any."""
        count = len(self._events) if unkept else self._kept
        events, self._events, self._kept = self._events[:count], self._events[count:], 0
        for event in events:
            if not event.doubtful or not self._faults.said(event.kind, event.handle, event.note):
                self._told.append((event, self._faults.report(event.kind, event.handle, event.note)))
        return bool(events)

    def reply_all(self) -> None:
        """Send the replies."""
        replies, self._replies = self._replies, []
        for message in mail.written(self._gateway, replies):
            self.report(message)

    def row(self) -> dict[str, Any]:
        """As it is kept. What is handed out here is told next."""
        self._kept = len(self._events)
        self._told = [(event, alarm) for event, alarm in self._told if alarm.stage == codes.HEARD]
        rows = [event for event, _ in self._told] + self._events
        return {"events": [[event.handle, event.kind, event.note] for event in rows]}

    def resume(self, row: dict[str, Any]) -> None:
        """What a run before this one had to tell. Raises KeyError, TypeError, ValueError: nothing was taken up."""
        events = [_Event(handle, kind, note, doubtful=True) for handle, kind, note in row["events"]]
        if not all(
            isinstance(one.handle, str) and type(one.kind) is int and isinstance(one.note, str) for one in events
        ):
            raise TypeError("no event")
        self._events = events
