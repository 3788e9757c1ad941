"""Test presses as the gateway sees them, put together from the lines of `watch`. Owns what one press is known by.

Times are CLOCK_BOOTTIME of this machine, in ms, as in the lines. What a wearer was shown, and how soon the wearable had
STORED, is told by the wearable itself. Must not know rooms, verdicts or sockets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# A burst is sent when the press is let go, and again after these times, while nobody takes it (protocol section 5.3).
BURSTS_MS = (2000, 5000, 10_000, 19_000, 36_000, 67_000, 98_000, 129_000, 160_000)
# In a visit frames have no signal of their own; that of the burst which led to it counts for so long.
_SIGNAL_KEPT_MS = 15_000


@dataclass(slots=True)
class Press:
    """One short press of an armed wearable. `detail`: how many numbers back the test is that it takes back; 0: none."""

    wearable: str
    number: int
    detail: int
    pressed_ms: int
    links: dict[str, int] = field(default_factory=dict)
    rssi_dbm: int | None = None
    stored: bool = False
    # When each stage was first told, by its name.
    stages: dict[str, int] = field(default_factory=dict)
    took_ms: int | None = None
    shown: str | None = None

    @property
    def link(self) -> str:
        """By which links it was heard."""
        return "+".join(sorted(self.links))

    @property
    def retries(self) -> int:
        """Bursts beyond the first until the wearable had STORED; by what was heard, where it does not say."""
        if self.took_ms is not None:
            return sum(self.took_ms >= at_ms for at_ms in BURSTS_MS)
        return max(self.links.values(), default=1) - 1


class Presses:
    """`take` each line; `all` in the order in which they were heard first."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], Press] = {}
        self._signal: dict[str, tuple[int, int]] = {}

    @property
    def all(self) -> list[Press]:
        """Every press so far."""
        return list(self._found.values())

    def take(self, line: dict[str, Any]) -> Press | None:
        """A line of `watch`. Returns the press that it tells news of, if any."""
        saw, wearable = line.get("saw"), line.get("wearable")
        if not isinstance(wearable, str):
            return None
        if saw == "heard":
            return self._heard(wearable, line)
        press = self._found.get((wearable, line.get("number") or 0))
        if press is None:
            return None
        if saw == "stored":
            press.stored = True
            press.stages.setdefault("stored", line["at_ms"])
        elif saw == "stage":
            press.stages.setdefault(line["stage"], line["at_ms"])
        elif saw == "test":
            self.tell(line)
        else:
            return None
        return press

    def tell(self, row: dict[str, Any]) -> None:
        """What a wearable said of its newest test: a row of the reply to `test`, or a line of `watch`."""
        press = self._found.get((row["wearable"], row["number"] or 0))
        if press is not None:
            press.took_ms = row["took_ms"] if row["took_ms"] is not None else press.took_ms
            press.shown = row["shown"]

    def _heard(self, wearable: str, line: dict[str, Any]) -> Press | None:
        if line.get("rssi_dbm") is not None:
            self._signal[wearable] = line["at_ms"], line["rssi_dbm"]
        if line.get("frame") != "event" or line.get("class") != "test":
            return None
        key = wearable, line["number"]
        press = self._found.get(key)
        if press is None:
            pressed_ms = line["at_ms"] - (line["age_ms"] or 0)
            press = self._found[key] = Press(wearable, line["number"], int(line["detail"]), pressed_ms)
        press.links[line["link"]] = press.links.get(line["link"], 0) + 1
        signal = self._signal.get(wearable)
        if line["link"] == "ble" and press.rssi_dbm is None and signal and line["at_ms"] - signal[0] <= _SIGNAL_KEPT_MS:
            press.rssi_dbm = signal[1]
        return press
