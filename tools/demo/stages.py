"""What is known of one press: when it was made, and when each stage was shown to its wearer. Pure.

Owns the milliseconds that the demo prints. Must not know where a stage was seen: time comes in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# In the order a press goes through them; the others stand beside.
WAY = ("PRESSED", "STORED", "ACCEPTED", "ANSWERED", "CLOSED")
BESIDE = ("COUNTING", "NO_PATH", "BUSY", "REFUSED", "CANCELLED")
FINAL = ("CLOSED", "REFUSED", "CANCELLED")


@dataclass
class Press:
    """One press of one wearable; `stages` maps a stage to ms since the button went down, first showing only."""

    link: str
    wearable: str
    made_ms: float
    event: str = ""
    stages: dict[str, int] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether it has come to its end."""
        return any(stage in self.stages for stage in FINAL)


@dataclass(frozen=True)
class Shown:
    """A stage that a wearer has just been shown for the first time."""

    press: Press
    stage: str
    ms_since_press: int

    def row(self) -> dict[str, str | int]:
        """One line of `pingan demo --json`."""
        return {
            "link": self.press.link,
            "event": self.press.event,
            "stage": self.stage,
            "ms_since_press": self.ms_since_press,
        }


class Presses:
    """All presses of a demo, newest last. A press gets its event number with the first stage shown after it."""

    def __init__(self) -> None:
        self.all: list[Press] = []
        self._by_event: dict[str, Press] = {}

    def pressed(self, link: str, wearable: str, now_ms: float) -> Press:
        """The button went down."""
        press = Press(link, wearable, now_ms)
        self.all.append(press)
        return press

    def shown(self, wearable: str, stage: str, number: int, now_ms: float) -> Shown | None:
        """A wearable shows a stage for one of its events; None when that is nothing new."""
        event = f"{wearable}-{number:06x}"
        press = self._by_event.get(event) or self._unnamed(wearable)
        if press is None or stage == "IDLE" or stage in press.stages:
            return None
        if not press.event:
            press.event = event
            self._by_event[event] = press
        press.stages[stage] = round(now_ms - press.made_ms)
        return Shown(press, stage, press.stages[stage])

    def _unnamed(self, wearable: str) -> Press | None:
        """The oldest press of a wearable that has no event yet."""
        return next((press for press in self.all if press.wearable == wearable and not press.event), None)
