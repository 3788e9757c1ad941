"""Commit, then forward: the one way by which an event becomes an alarm, a wearable's or the gateway's own.

Guarantee: what the disk takes in time is forwarded as stored; a disk that hangs or fails does not hold an event back
from the platform. Must not know where events come from, and tells no wearer anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.ages import Ages
from edge_daemon.counters import Counters
from edge_daemon.errors import StoreFailed
from edge_daemon.forwarder import Forwarder
from edge_daemon.heard import Alarm
from edge_daemon.journal import Journal
from edge_daemon.log import Log

log = Log("storing")

# A commit takes a millisecond, on a bad card tens of them. After this long the platform is told without it.
_COMMIT_WITHIN_S = 1.0


class Storing:
    """The journal and the forwarder, in that order."""

    def __init__(self, journal: Journal, forwarder: Forwarder, ages: Ages, counters: Counters) -> None:
        self._journal = journal
        self._ages = ages
        self._forwarder = forwarder
        self._counters = counters
        # Told what became of each commit: the event, and whether it is on disk. Must not raise.
        self.on_commit: Callable[[Alarm, bool], None] = lambda alarm, stored: None

    async def store(self, alarm: Alarm, counter: int) -> None:
        """Commit an alarm and the window that its frame moved, and forward it; `alarm.stage` says what became of it."""
        # With it goes down what is known of the clock by which it was heard: the power may be gone in a moment.
        self._ages.note()
        late = asyncio.get_running_loop().call_later(_COMMIT_WITHIN_S, self._forward, alarm, "late")
        try:
            await self._journal.store(alarm, counter)
            self._forward(alarm, "stored")
            self.on_commit(alarm, True)
        except StoreFailed:
            self._counters.add("events_unstored")
            self._forward(alarm, "failed")
            self.on_commit(alarm, False)
        finally:
            late.cancel()

    def _forward(self, alarm: Alarm, commit: str) -> None:
        """Hand an alarm to the forwarder, once. `commit`: stored, late or failed."""
        if self._forwarder.add(alarm):
            self._counters.add("events_stored" if commit == "stored" else "events_from_memory")
            log.info(
                "event_heard",
                event=alarm.event,
                kind=alarm.meaning.name,
                link=alarm.link,
                commit=commit,
                **({"about": alarm.about, "note": alarm.note} if alarm.of_gateway else {}),
            )
