"""The wall clock under watch: one that NTP has not vouched for in an hour is a fault, and its end is told.

Owns that deadline, and says in the log when the clock has stepped. Ages do not need the wall clock (ages.py); a
certificate's dates and a person who reads "heard at" do.
"""

from __future__ import annotations

import asyncio

from edge_daemon.clock import Clock
from edge_daemon.faults import Faults
from edge_daemon.log import Log
from protocol import kinds

log = Log("time")

_EVERY_S = 30.0
# NTP takes minutes after a start; a router that comes back after a power cut, a quarter of an hour.
_WRONG_AFTER_MS = 3_600_000
# NTP slews what is less, and a machine that is busy is held up for no longer.
_STEP_MS = 2000
_ABOUT = "clock"


class TimeWatch:
    """Looks every half minute."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._vouched_ms = clock.now_ms()
        self._offset_ms = clock.wall_at(0)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(_EVERY_S)

    def look(self) -> None:
        """See whether the clock is vouched for, and whether it has stepped."""
        now_ms, offset_ms = self._clock.now_ms(), self._clock.wall_at(0)
        if abs(offset_ms - self._offset_ms) >= _STEP_MS:
            log.warning("clock_stepped", by_ms=offset_ms - self._offset_ms, synced=self._clock.synced())
        self._offset_ms = offset_ms
        if self._clock.synced():
            self._vouched_ms = now_ms
            self._faults.condition(kinds.CLOCK_WRONG, _ABOUT, active=False)
        elif now_ms - self._vouched_ms >= _WRONG_AFTER_MS:
            self._faults.condition(kinds.CLOCK_WRONG, _ABOUT, active=True, note="not synchronised for 1 h")
