"""The store under watch: a disk that is full or fails is told, loudly, and so is its end; the reserve is looked after.

Owns when that is said. Must not know SQLite or the shape of telemetry. A card that fails once a minute is one fault,
not a thousand: it is right again when it has been right for a while.
"""

from __future__ import annotations

import asyncio
import time

from edge_daemon.clock import Clock
from edge_daemon.faults import Faults
from edge_daemon.journal import Journal
from edge_daemon.journal.disk import Trouble
from edge_daemon.journal.room import Room
from protocol import kinds

_EVERY_S = 10.0
_RIGHT_FOR_MS = 60_000
# A worn card takes a second for a commit, one that cleans up some more.
_HANGS_AFTER_S = 5.0


class StoreWatch:
    """`name`: the journal's file, as it is told of."""

    def __init__(
        self, name: str, journal: Journal, room: Room, faults: Faults, clock: Clock, right_for_ms: int = _RIGHT_FOR_MS
    ) -> None:
        self._name = name
        self._journal = journal
        self._room = room
        self._faults = faults
        self._clock = clock
        self._right_for_ms = right_for_ms
        self._failed_ms: int | None = None
        journal.on_trouble = self.look
        journal.on_damaged = self._damaged

    async def run(self) -> None:
        """Look after the reserve for ever."""
        while True:
            await asyncio.to_thread(self._room.restore)
            self.look()
            await asyncio.sleep(_EVERY_S)

    def look(self) -> None:
        """After each attempt to write, and now and then."""
        failed, now_ms = self._journal.trouble, self._clock.now_ms()
        since_s = self._journal.writing_since_s
        hangs = since_s is not None and time.monotonic() - since_s > _HANGS_AFTER_S
        if hangs or (failed is not None and failed.trouble is not Trouble.FULL):
            self._failed_ms = now_ms
            note = "a write hangs" if hangs else str(failed)
            self._faults.condition(kinds.STORE_DEGRADED, self._name, active=True, note=note)
        elif self._failed_ms is None or now_ms - self._failed_ms >= self._right_for_ms:
            # None: what a run before this one has told, and this one has seen nothing of.
            self._faults.condition(kinds.STORE_DEGRADED, self._name, active=False)
        full = failed is not None and failed.trouble is Trouble.FULL
        note = "nothing can be stored" if full else "the reserve is in use"
        self._faults.condition(kinds.STORE_FULL, self._name, active=full or self._room.short, note=note)

    def _damaged(self, aside: str) -> None:
        self._faults.report(kinds.STORE_DAMAGED, self._name, f"set aside as {aside}")
