"""What is seen as it happens, for whoever watches. Owns the watchers, what waits for each, and the shape of it.

Guarantee: the pipeline never waits for a watcher, and one that is slow costs a bounded queue: what it misses is counted
and told ("lost"). Must not know sockets. No keys, no frames; handles are pseudonyms.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any

from edge_daemon.clock import Clock
from edge_daemon.control.sightings import STAGES
from edge_daemon.heard import Alarm
from edge_daemon.uplinks import payload

# A busy home says a few lines a second; a watcher that is behind by so many is looked at by nobody.
WAITING_MOST = 256


class Watcher:
    """What waits for one watcher."""

    def __init__(self) -> None:
        self._waiting: deque[dict[str, Any]] = deque()
        self._lost = 0
        self._news = asyncio.Event()

    def put(self, saw: dict[str, Any]) -> None:
        """Something was seen. The newest is lost where too much waits: what is told stays in its order."""
        if len(self._waiting) >= WAITING_MOST:
            self._lost += 1
            return
        self._waiting.append(saw)
        self._news.set()

    def wake(self) -> None:
        """End the wait for news, though there may be none."""
        self._news.set()

    async def news(self) -> None:
        """Wait until there may be something to take."""
        await self._news.wait()

    def take(self) -> Iterator[dict[str, Any]]:
        """All that waits, oldest first, and how much was lost behind it."""
        self._news.clear()
        while self._waiting:
            yield self._waiting.popleft()
        if self._lost:
            lost, self._lost = self._lost, 0
            yield {"saw": "lost", "count": lost}


class Watching:
    """Called from the event loop by who sees something; never blocks, never raises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watchers: set[Watcher] = set()

    @contextlib.contextmanager
    def watcher(self) -> Iterator[Watcher]:
        """One more who watches, for as long as the context lasts."""
        made = Watcher()
        self._watchers.add(made)
        try:
            yield made
        finally:
            self._watchers.discard(made)

    def say(self, saw: str, **what: Any) -> None:
        """Tell all who watch. `what` must be JSON, and hold no secret."""
        if not self._watchers:
            return
        line = {"saw": saw, "at_ms": self._clock.now_ms(), **what}
        for watcher in self._watchers:
            watcher.put(line)

    def committed(self, alarm: Alarm, *, stored: bool) -> None:
        """An event was written down, or could not be; a gateway's own is a fault, told as such."""
        after_ms = max(self._clock.now_ms() - alarm.heard_ms, 0)
        self.say("stored" if stored else "unstored", **_event(alarm), ms=after_ms)
        if alarm.of_gateway:
            meaning = alarm.meaning
            self.say("fault", kind=meaning.name, about=alarm.about, note=alarm.note, restore=meaning.restore)

    def news(self, alarm: Alarm) -> None:
        """What a wearer would be told of an event has changed."""
        self.say("stage", **_event(alarm), stage=STAGES[alarm.told_stage()], reason=alarm.reason)


def _event(alarm: Alarm) -> dict[str, Any]:
    return {
        "event": alarm.event,
        "wearable": None if alarm.of_gateway else alarm.wearable,
        "number": alarm.number,
        "kind": alarm.meaning.name,
        "class": alarm.meaning.event_class,
        "link": alarm.link,
        "rssi_dbm": payload.rssi(alarm.rssi_dbm),
    }
