"""Whether the air is flooded: more advertisements than any house makes. Pure: time is handed in.

Owns the counts. Sees floods only: noise that drowns everything is silence, and that is the ear's (ble_ear.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseLimits:
    """When it begins and ends."""

    # A hundred wearables pressed in the same moment ask four times each in ten seconds: 40 new frames a second.
    frames_per_s: float = 100.0
    # Two hundred neighbours' devices at five a second. One scanner can hardly hear more.
    adverts_per_s: float = 1000.0
    # A burst is not a flood, and a pause in it not its end.
    begins_after_s: float = 10.0
    ends_after_s: float = 60.0


class Noise:
    """`on_jammed(True, note)` when a flood has begun; `(False, note)` when it has ended, or none is there at first."""

    def __init__(self, limits: NoiseLimits, now_ms: int) -> None:
        self._limits = limits
        self._tick_ms = self._since_ms = now_ms
        self._loud = False
        self._adverts = 0
        self._frames = 0
        # Not known after a start: a flood that was told of before may have ended.
        self._told: bool | None = None
        self.on_jammed: Callable[[bool, str], None] = lambda active, note: None

    @property
    def jammed(self) -> bool:
        """Whether a flood is under way."""
        return self._told is True

    def advert(self) -> None:
        """Anything was heard."""
        self._adverts += 1

    def frame(self) -> None:
        """A frame in our format was heard that was not heard before."""
        self._frames += 1

    def tick(self, now_ms: int) -> None:
        """To be called every second or so."""
        passed_s = (now_ms - self._tick_ms) / 1000
        if passed_s <= 0:
            return
        adverts_per_s, frames_per_s = self._adverts / passed_s, self._frames / passed_s
        loud = adverts_per_s > self._limits.adverts_per_s or frames_per_s > self._limits.frames_per_s
        if loud != self._loud:
            self._loud, self._since_ms = loud, self._tick_ms
        self._tick_ms, self._adverts, self._frames = now_ms, 0, 0
        needed_s = self._limits.begins_after_s if loud else self._limits.ends_after_s
        if loud != self._told and now_ms - self._since_ms >= needed_s * 1000:
            self._told = loud
            self.on_jammed(loud, f"{adverts_per_s:.0f} adverts/s, {frames_per_s:.0f} frames/s")
