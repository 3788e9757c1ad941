"""What goes out next. Owns the order: fresh emergencies alone and first, then by urgency and age, in batches.

Pure: time comes in as milliseconds. Must not know MQTT or the journal. A heap of what is due and a heap of what is
not due yet; an alarm that is accepted meanwhile is dropped when it comes up.
"""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count

from edge_daemon.config import Forwarder
from edge_daemon.heard import Alarm

_EMERGENCY = 0


def delay_ms(tries: int, ladder: Forwarder) -> int:
    """How long after the `tries`-th unanswered attempt (1, 2, ...) the next one is due."""
    if tries <= ladder.fast_times:
        return int(ladder.fast_s * 1000)
    if tries <= ladder.fast_times + ladder.slow_times:
        return int(ladder.slow_s * 1000)
    return int(ladder.last_s * 1000)


def together(due_ms: int, ladder: Forwarder) -> int:
    """When a retry really goes out: with all others of the same moment, a fifth of the first step (1 s of 5 s) long."""
    moment_ms = max(int(ladder.fast_s * 1000) // 5, 1)
    return -(-due_ms // moment_ms) * moment_ms


class OutQueue:
    """Alarms on their way to the platform."""

    def __init__(self) -> None:
        self._order = count()
        self._fresh: deque[Alarm] = deque()
        # Urgency, since when it is due, age, order. Before age stands when it fell due: of a platform that answers the
        # oldest never, those would else take every place under way, and what came after them would never go.
        self._due: list[tuple[int, int, int, int, Alarm]] = []
        self._now_ms = 0
        self._later: list[tuple[int, int, Alarm]] = []
        self._held: set[tuple[str, int]] = set()

    def add(self, alarm: Alarm) -> None:
        """A new alarm: at once when it is an emergency, else behind those of its urgency."""
        key = (alarm.wearable, alarm.number)
        if key in self._held:
            return
        self._held.add(key)
        if alarm.meaning.urgency == _EMERGENCY:
            self._fresh.append(alarm)
        else:
            self._put_due(alarm)

    def retry(self, alarm: Alarm, due_ms: int) -> None:
        """An alarm that goes out again, not before `due_ms`. One that is already in the queue keeps its place."""
        key = (alarm.wearable, alarm.number)
        if key in self._held:
            return
        self._held.add(key)
        heapq.heappush(self._later, (due_ms, next(self._order), alarm))

    def hurry(self) -> None:
        """The way is open again: everything that waits for its time is due now, in order of urgency, then age."""
        waiting = [*self._fresh, *(row[-1] for row in self._due), *(row[-1] for row in self._later)]
        for queue in (self._fresh, self._due, self._later):
            queue.clear()
        for alarm in sorted(waiting, key=lambda alarm: alarm.place):
            self._put_due(alarm)

    @property
    def has_fresh(self) -> bool:
        """Whether a fresh emergency waits for its own message."""
        return bool(self._fresh)

    def next_due_ms(self) -> int | None:
        """When the earliest waiting alarm falls due, or None."""
        return self._later[0][0] if self._later else None

    def take(self, now_ms: int, most: int) -> list[Alarm]:
        """What goes into the next message: one fresh emergency alone, else up to `most` by urgency."""
        self._now_ms = max(self._now_ms, now_ms)
        while self._later and self._later[0][0] <= now_ms:
            due_ms, _, alarm = heapq.heappop(self._later)
            self._put_due(alarm, due_ms)
        if self._fresh:
            return self._release([self._fresh.popleft()])
        taken: list[Alarm] = []
        while self._due and len(taken) < most:
            taken.append(heapq.heappop(self._due)[-1])
        return self._release(taken)

    def _put_due(self, alarm: Alarm, due_ms: int | None = None) -> None:
        due_ms = self._now_ms if due_ms is None else due_ms
        heapq.heappush(self._due, (alarm.meaning.urgency, due_ms, alarm.place, next(self._order), alarm))

    def _release(self, alarms: list[Alarm]) -> list[Alarm]:
        for alarm in alarms:
            self._held.discard((alarm.wearable, alarm.number))
        return alarms
