"""What time it is, as far as it may be believed. Owns that judgement; nobody is asked anything by a clock that is not.

Guarantee: `wall_ms` is a time that NTP has vouched for in this run of the machine, carried on by the boot-time clock;
or that of a clock which has plainly gone on while the machine was off; else None. So a gateway without network keeps
its schedule, no step of a clock that nobody vouches for moves it, and one that starts in 1970 waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_daemon.clock import Clock
from edge_daemon.log import Log

log = Log("care.time")

# NTP slews by less; a larger change is a step.
_MOVED_MS = 500
# A clock without a battery goes on from where it was last saved: from at most so long after what was last noted here.
# One that is further ahead has gone on by itself.
_RAN_ON_MS = 900_000
# And no further: a machine that was off for longer than a year has a clock that somebody has to look at.
_RAN_ON_MOST_MS = 400 * 86_400_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """What is to be remembered: in which run of the machine which offset was vouched for; the last time believed."""

    boot_id: str = ""
    offset_ms: int | None = None
    seen_ms: int | None = None


class LocalTime:
    """`look` at each turn. `anchor`: what was remembered of the last run."""

    def __init__(self, clock: Clock, anchor: Anchor) -> None:
        self._clock = clock
        self._last_seen_ms = anchor.seen_ms
        self._offset_ms = anchor.offset_ms if anchor.boot_id == clock.boot_id else None

    @property
    def offset_ms(self) -> int | None:
        """Believed wall time minus boot time; None: not believed."""
        return self._offset_ms

    def anchor(self) -> Anchor:
        """What to remember now."""
        return Anchor(self._clock.boot_id, self._offset_ms, self.wall_ms() or self._last_seen_ms)

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970; None: not believed."""
        return None if self._offset_ms is None else self._clock.now_ms() + self._offset_ms

    def look(self) -> bool:
        """Judge the clocks anew. Returns whether the believed time has stepped, or has become believed."""
        offset_ms = self._clock.wall_at(0)
        if not self._clock.synced():
            if self._offset_ms is not None or not self._ran_on(offset_ms):
                return False
            log.warning("time_taken_unvouched", ahead_s=(offset_ms - (self._last_seen_ms or 0)) // 1000)
        moved = self._offset_ms is None or abs(offset_ms - self._offset_ms) > _MOVED_MS
        if moved:
            if self._offset_ms is not None:
                log.warning("time_stepped", by_ms=offset_ms - self._offset_ms)
            self._offset_ms = offset_ms
        return moved

    def _ran_on(self, offset_ms: int) -> bool:
        """Whether this machine's clock has gone on while the machine was off. `offset_ms`: the time of its start."""
        if self._last_seen_ms is None:
            return False
        return _RAN_ON_MS <= offset_ms - self._last_seen_ms <= _RAN_ON_MOST_MS
