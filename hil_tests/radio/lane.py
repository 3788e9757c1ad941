"""One direction of one connection: what is sent arrives in order, at a connection event, after as many as it takes.

Owns the queue and its retransmissions. Must not know what it carries. A lane is given up only by the air, when the
supervision timeout has passed; until then nothing in it is lost (Core Specification, Vol 6 Part B 4.5.9).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from hil_tests.radio.conditions import Conditions


class Lane:
    """From one controller (by name) to another."""

    def __init__(self, conditions: Conditions, sender: str, receiver: str) -> None:
        self._conditions = conditions
        self._sender = sender
        self._receiver = receiver
        self._queue: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._queue

    def send(self, deliver: Callable[[], None]) -> None:
        """Let `deliver` be called when this packet arrives."""
        self._queue.append((asyncio.get_running_loop().time() + self._conditions.delay_s, deliver))
        self._wait()

    def close(self) -> None:
        """Forget what is on its way."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        """Sleep until the next connection event: all connections share one grid."""
        if self._timer is not None or not self._queue:
            return
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self._queue[0][0])
        if self._conditions.interval_s:
            at = (math.floor(at / self._conditions.interval_s) + 1) * self._conditions.interval_s
        self._timer = loop.call_at(at, self._event)

    def _event(self) -> None:
        """A connection event: packets pass until one is lost; that one is sent again at the next."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0][0] <= now and self._conditions.passes(self._sender, self._receiver):
            _, deliver = self._queue.popleft()
            deliver()
        self._wait()
