"""Whose frame is it, if nobody here is expected to use its id? Owns the wait for that answer.

Guarantee: what waits together is searched for together, which costs no more than one; whatever is looked for takes at
most a quarter of one processor, in a thread, so that events are stored and answered meanwhile. Must not know MQTT,
tables, or what a frame says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from edge_daemon.counters import Counters
from tools.desk.keys import Found
from tools.desk.reading.sealed import SealedFrame

# Most frames are of wearables that are not ours; a gateway passes on one a second.
_WAITING_MOST = 4096
_BUSY_PART = 0.25

WhoseFrame = Callable[[SealedFrame, tuple[str, int]], None]


class Search:
    """`add` never blocks. `look` runs in a thread; each frame then goes to `found` or to `unknown`, once."""

    def __init__(
        self,
        look: Callable[[set[bytes]], Found],
        found: WhoseFrame,
        unknown: Callable[[SealedFrame], None],
        counters: Counters,
    ) -> None:
        self._look = look
        self._found = found
        self._unknown = unknown
        self._counters = counters
        self._waiting: list[SealedFrame] = []
        self._wake = asyncio.Event()

    def add(self, sealed: SealedFrame) -> None:
        """Have a frame searched for; dropped and counted when too many wait: its wearable repeats it."""
        if len(self._waiting) >= _WAITING_MOST:
            self._counters.add("strangers_dropped")
            return
        self._waiting.append(sealed)
        self._wake.set()

    async def run(self) -> None:
        """Search for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            waiting, self._waiting = self._waiting, []
            began_s = time.monotonic()
            found = await asyncio.to_thread(self._look, {sealed.rolling_id for sealed in waiting})
            self._counters.add("strangers_searches")
            ours = [sealed for sealed in waiting if sealed.rolling_id in found]
            # In the order of their counters, so that none spends the counter of one that was said before it.
            for sealed in sorted(ours, key=lambda sealed: found[sealed.rolling_id][1]):
                self._found(sealed, found[sealed.rolling_id])
            for sealed in waiting:
                if sealed.rolling_id not in found:
                    self._unknown(sealed)
            await asyncio.sleep((time.monotonic() - began_s) * (1 / _BUSY_PART - 1))
