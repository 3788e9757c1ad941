"""Answers wearers' tests as an operator answers an alarm: ANSWERED, then CLOSED, so that they see the whole way.

Owns when it looks. What it did not get to is done by the next look, of this desk or of a colleague's on the same
database. Must not know what a test is (store/trials.py), nor tell anybody: news is owed in the store like a person's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from edge_daemon.clock import Clock
from edge_daemon.log import Log
from tools.desk.errors import StoreFailed
from tools.desk.store import Store, trials

log = Log("attendant")

# Also without a call: what a desk that died had accepted, and clocks that step.
_LOOK_AGAIN_S = 5.0
# However fast events come, looking for tests among them costs no more than this often.
_LEAST_S = 0.2


class Attendant:
    """`wake()` when something was stored; `on_acted` is told of events and their new stage."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._wake = asyncio.Event()
        self.on_acted: Callable[[list[str], str], Awaitable[None]]

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def run(self) -> None:
        """Answer tests for ever."""
        while True:
            self._wake.clear()
            wait_s = _LOOK_AGAIN_S
            try:
                wait_s = await self._look()
            except StoreFailed as error:
                log.warning("tests_unanswered", why=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            await asyncio.sleep(_LEAST_S)

    async def _look(self) -> float:
        """Act on what is due; returns in how many seconds to look again."""
        due_ms, now_ms = await self._store.read(trials.next_due_ms), self._clock.wall_ms()
        if due_ms is not None and due_ms <= now_ms:
            acted = await self._store.write(lambda transaction: trials.answer(transaction, now_ms), trials.REVISIONS)
            for stage, events in acted.items():
                log.info("tests_" + stage, events=len(events))
                await self.on_acted(events, stage)
            due_ms = await self._store.read(trials.next_due_ms)
        if due_ms is None:
            return _LOOK_AGAIN_S
        return min(max((due_ms - self._clock.wall_ms()) / 1000, _LEAST_S), _LOOK_AGAIN_S)
