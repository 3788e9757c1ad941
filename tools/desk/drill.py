"""A drill: for a while the desk answers busy or refused, or not at all, so that people and machines can practise it.

Owns its mode and its end. A drill lives in memory and ends by itself: a desk that starts again works. Must not know
what is answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_daemon.clock import Clock
from edge_daemon.log import Log

log = Log("drill")

MODES = ("off", "busy", "refuse", "silent")
LASTS_MOST_S = 600.0
REASONS = ("unknown_wearable", "revoked", "not_understood", "other")


@dataclass(frozen=True, slots=True)
class DrillState:
    """What is answered now. `left_s`: until it ends by itself."""

    mode: str = "off"
    reason: str = "other"
    retry_after_s: float | None = None
    left_s: float = 0.0


class Drill:
    """Off until `set`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = DrillState()
        self._ends_ms = 0

    def set(self, mode: str, reason: str, retry_after_s: float | None, lasts_s: float) -> None:
        """Begin or end one. The values have been checked."""
        self._state = DrillState(mode, reason, retry_after_s)
        self._ends_ms = self._clock.now_ms() + int(lasts_s * 1000)
        log.warning("drill_set", mode=mode, lasts_s=lasts_s)

    @property
    def now(self) -> DrillState:
        """The present state."""
        left_ms = self._ends_ms - self._clock.now_ms()
        if self._state.mode == "off" or left_ms <= 0:
            return DrillState()
        state = self._state
        return DrillState(state.mode, state.reason, state.retry_after_s, left_ms / 1000)
