"""Frames under ids that nobody is expected to use: ours but far ahead, or a stranger's? Owns the wait for that answer.

Guarantee: a frame is never lost here, and noise starves nobody: all that wait are searched for at once, which costs no
more than one, and are handed on in the order of their counters, so that none is overtaken by a later one of its
wearable. Searches are paced, for what may be on the air is anybody's. Must not know what a frame says, nor disks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.admission import Admission, Admitted, Unknown
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.log import Log

log = Log("wide_search")

# A search comes every half second; so many frames in between are more than any adapter hears. 3 MiB at most.
_WAITING_MOST = 4096
# Where a search takes long (many wearables on a small machine), it takes no more than this part of one processor.
_BUSY_PART = 0.25


class WideSearch:
    """`add` is called from the event loop and never blocks. `ours` and `strangers` are called for each frame, once."""

    def __init__(
        self,
        admission: Admission,
        clock: Clock,
        counters: Counters,
        searches_per_s: float,
        ours: Callable[[Admitted], None],
        strangers: Callable[[Unknown], None],
    ) -> None:
        self._admission = admission
        self._clock = clock
        self._counters = counters
        self._every_ms = int(1000 / searches_per_s)
        self._ours = ours
        self._strangers = strangers
        self._waiting: dict[bytes, Unknown] = {}
        self._task: asyncio.Task[None] | None = None
        self._next_ms = 0

    def add(self, unknown: Unknown) -> None:
        """Have a frame searched for. One that waits already, by whichever link, is a repeat."""
        if unknown.heard.frame in self._waiting:
            self._counters.add("refused_repeat")
            return
        if len(self._waiting) >= _WAITING_MOST:
            # The oldest has waited longest and is repeated soonest; the platform may know it, too.
            self._counters.add("searches_skipped")
            self._strangers(self._waiting.pop(next(iter(self._waiting))))
        self._waiting[unknown.heard.frame] = unknown
        self._start()

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            return
        if task.exception() is not None:
            self._counters.add("search_failed")
            log.error("search_failed", exc=task.exception())
        # Between the end of the task and this call a frame may have come, and found it still there.
        if self._waiting:
            self._start()

    async def _run(self) -> None:
        """Search until nothing waits."""
        while self._waiting:
            await asyncio.sleep(max(0, self._next_ms - self._clock.now_ms()) / 1000)
            started_ms = self._clock.now_ms()
            try:
                await self._search_once()
            finally:
                # One that fails, too: what came meanwhile is searched for, but not in a tight circle.
                took_ms = self._clock.now_ms() - started_ms
                self._next_ms = started_ms + max(self._every_ms, int(took_ms / _BUSY_PART))

    async def _search_once(self) -> None:
        """Search for all that wait now, and hand on each of them."""
        self._counters.add("wide_searches")
        waiting, self._waiting = list(self._waiting.values()), {}
        for first_heard in (False, True):
            waiting = await self._search(waiting, first_heard=first_heard)
        for unknown in waiting:
            self._strangers(unknown)

    async def _search(self, waiting: list[Unknown], *, first_heard: bool) -> list[Unknown]:
        """Hand on what is ours, lowest counter first; return the rest, in the order of hearing."""
        if not waiting:
            return []
        wanted = {unknown.rolling_id for unknown in waiting}
        found = await asyncio.to_thread(self._admission.find_far, wanted, first_heard=first_heard)
        ours = [unknown for unknown in waiting if unknown.rolling_id in found]
        for unknown in sorted(ours, key=lambda unknown: found[unknown.rolling_id]):
            handle, counter = found[unknown.rolling_id]
            admitted = self._admission.admit_far(handle, counter, unknown)
            if isinstance(admitted, Unknown):
                del found[unknown.rolling_id]
            elif admitted is not None:
                log.info("found_far_ahead", wearable=handle, counter=counter)
                self._ours(admitted)
        # What came meanwhile, before its wearable's next frame, which needs no search any more, overtakes it.
        self._waiting = {unknown.heard.frame: unknown for unknown in self._looked_up(list(self._waiting.values()))}
        return self._looked_up([unknown for unknown in waiting if unknown.rolling_id not in found])

    def _looked_up(self, waiting: list[Unknown]) -> list[Unknown]:
        """Hand on what a window has come to; return what is still unknown. Repeats are refused."""
        left: list[Unknown] = []
        for unknown in waiting:
            now = self._admission.look_up(unknown)
            if isinstance(now, Admitted):
                self._ours(now)
            elif now is not None:
                left.append(now)
        return left
