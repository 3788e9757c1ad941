"""Serial lines that were there and are gone: told after a minute, and when they are back.

Owns which lines count: those that have been open since the start, and those of which the loss has been told. The
adapter watches over itself (links/ble_link.py). A line that is pulled and plugged within the minute is not told of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.clock import Clock
from edge_daemon.config import Supervision as Settings
from edge_daemon.faults import Faults
from protocol import kinds

_EVERY_S = 5.0

States = Callable[[], list[dict[str, str]]]


class LinkWatch:
    """`states` gives {link, name, state} of each line that is known now, as the heartbeat has them."""

    def __init__(self, states: States, faults: Faults, settings: Settings, clock: Clock) -> None:
        self._states = states
        self._faults = faults
        self._lost_after_ms = int(settings.link_lost_s * 1000)
        self._clock = clock
        self._seen_ms: dict[str, int] = {}

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            self.look()
            await asyncio.sleep(_EVERY_S)

    def look(self) -> None:
        """See which lines are open, and tell of those that have been gone too long, or are back."""
        now_ms = self._clock.now_ms()
        for state in self._states():
            if state["state"] == "up":
                self._seen_ms[state["name"]] = now_ms
                self._faults.condition(kinds.LINK_LOST, state["name"], active=False)
        for name, seen_ms in self._seen_ms.items():
            if now_ms - seen_ms >= self._lost_after_ms:
                self._faults.condition(kinds.LINK_LOST, name, active=True)
