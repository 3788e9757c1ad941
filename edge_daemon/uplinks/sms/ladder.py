"""How a modem that fails is brought back, and how long everything may take. Owns the steps and the pauses.

Must not know ports or commands. Gently first: open it anew; then its defaults; a restart of the modem last, and not
again while the one before may still go on: a modem takes half a minute and more to find its network.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import IntEnum

from edge_daemon.clock import Clock
from edge_daemon.uplinks.sms.failures import ModemFailed, PortMissing, SimUnusable


@dataclass(frozen=True)
class Timing:
    """How long what may take, in seconds. Makers give 60 s and more for a message to be taken by the network."""

    answer_s: float = 5.0
    begin_s: float = 1.0
    quiet_s: float = 0.3
    sim_s: float = 20.0
    prompt_s: float = 10.0
    taken_s: float = 60.0
    watch_s: float = 20.0
    # Without a network so long, the modem itself is doubted.
    unregistered_s: float = 600.0
    # A conversation that lasts so long has healed what was wrong.
    settled_s: float = 60.0
    pause_least_s: float = 1.0
    pause_most_s: float = 30.0
    reset_pause_s: float = 10.0
    reset_every_s: float = 120.0
    # How long one call of send waits, in all, for a modem that failed under it.
    ready_within_s: float = 60.0


class Step(IntEnum):
    """How roughly a conversation is begun."""

    REOPEN = 0
    TO_DEFAULTS = 1
    RESET = 2


class Ladder:
    """Counts failures since the modem last did what it is there for."""

    def __init__(self, timing: Timing, clock: Clock) -> None:
        self._timing = timing
        self._clock = clock
        self._failures = 0
        self._reset_at_ms: int | None = None
        self._hopeless = False

    def healed(self) -> None:
        """It has sent a message, or has been well for long."""
        self._failures = 0

    def failed(self, error: ModemFailed | SimUnusable) -> None:
        """It has failed again. A missing port or SIM is no fault that a rougher step mends."""
        self._hopeless = isinstance(error, SimUnusable)
        if not isinstance(error, PortMissing | SimUnusable):
            self._failures += 1

    def step(self) -> Step:
        """How to begin now."""
        now_ms = self._clock.now_ms()
        since_ms = None if self._reset_at_ms is None else now_ms - self._reset_at_ms
        if self._failures >= Step.RESET and (since_ms is None or since_ms > self._timing.reset_every_s * 1000):
            self._reset_at_ms = now_ms
            return Step.RESET
        return Step.TO_DEFAULTS if self._failures else Step.REOPEN

    def pause_s(self) -> float:
        """How long to wait before the next beginning."""
        timing = self._timing
        if self._hopeless:
            return timing.pause_most_s
        pause_s: float = timing.pause_least_s * 2 ** min(self._failures, 10)
        return min(pause_s, timing.pause_most_s) * random.uniform(0.7, 1)
