"""For how long nothing has been seen of one wearer that only a living person does. Owns what counts as a sign.

What counts as time is only that in which a sign would have been seen: the gateway listens and knows what time it is,
the wearable is in reach, its wearer neither away nor in their quiet hours. What counts as a sign:

- always: something done by hand on the wearable; that it was put on or taken off;
- of a wearable that feels motion: when it was last moved, by its own word, while it is worn, or may be. Of such a one
  silence is told at a heartbeat only, for between two of them nobody knows;
- of one that does not: that it comes back into reach, for somebody carried it.

A wearable that lies in a drawer is no sign, however often it is heard. Must not know plans, disks or who is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol import codes
from protocol.messages import Heartbeat

_MINUTE_MS = 60_000
# A wearable says a heartbeat every 30 min unless its settings say otherwise: in reach is one of which two were due.
IN_REACH_MS = 65 * _MINUTE_MS
# A machine that slept did not listen.
_STEP_MOST_MS = 300_000
_WORDS = {codes.WORN: "yes", codes.NOT_WORN: "no"}


@dataclass(slots=True)
class Stillness:
    """`still_ms`: time that counted, since the last sign. `heard_ms`: when the wearable was last heard, None: not yet.

    `feels`: it has said that it feels motion. Since it was last judged: `fresh`, a heartbeat came; `signed`, a sign.
    """

    still_ms: int = 0
    feels: bool = False
    worn: int = codes.WORN_UNKNOWN
    heard_ms: int | None = None
    fresh: bool = False
    signed: bool = False
    looked_ms: int | None = None

    def heard(self, now_ms: int) -> None:
        """A genuine frame."""
        away = self.heard_ms is not None and now_ms - self.heard_ms > IN_REACH_MS
        if away and not self.feels:
            self.sign(0)
        self.heard_ms = now_ms

    def heartbeat(self, beat: Heartbeat) -> None:
        """What the wearable says of itself."""
        self.feels = beat.still_minutes >= 0
        if not self.feels:
            return
        known = codes.WORN_UNKNOWN not in (beat.worn, self.worn)
        if known and beat.worn != self.worn:
            self.sign(0)
        elif beat.worn != codes.NOT_WORN:
            self.sign(beat.still_minutes * _MINUTE_MS)
        self.worn, self.fresh = beat.worn, True

    def sign(self, ago_ms: int) -> None:
        """The wearer gave a sign of life, so long ago."""
        if ago_ms < self.still_ms:
            self.still_ms, self.signed = max(ago_ms, 0), True

    def look(self, now_ms: int, *, counts: bool) -> None:
        """Time has passed; `counts`: it is neither quiet hours, nor away, nor of an unknown hour."""
        step_ms = 0 if self.looked_ms is None else min(now_ms - self.looked_ms, _STEP_MOST_MS)
        self.looked_ms = now_ms
        if counts and self.heard_ms is not None and now_ms - self.heard_ms <= IN_REACH_MS:
            self.still_ms += step_ms

    def judged(self, after_min: int, *, told: bool) -> bool:
        """Whether the wearer is inactive; `told`: that they are has been said. Only a sign ends that, no restart."""
        too_long = self.still_ms >= after_min * _MINUTE_MS
        begins = too_long and (self.fresh or not self.feels)
        told = too_long or not self.signed if told else begins
        self.fresh = self.signed = False
        return told

    def note(self) -> str:
        """In words."""
        worn = _WORDS.get(self.worn, "unknown")
        return f"minutes={self.still_ms // _MINUTE_MS} worn={worn} by={'motion' if self.feels else 'hand'}"

    def row(self) -> dict[str, Any]:
        """As it is kept: time in which we did not run does not count."""
        return {"still_ms": self.still_ms, "feels": self.feels, "worn": self.worn}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Stillness:
        """As it was kept."""
        return cls(int(row["still_ms"]), bool(row["feels"]), int(row["worn"]))
