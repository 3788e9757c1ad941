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
    """One press, or tap that asks for something, of one wearable. `name`: which that is; `wearable`: its handle.

    `stages` maps a stage to ms since the button went down, or the tap; first showing only.
    """

    name: str
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
            "wearable": self.press.name,
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
        # Of a watch, by handle: its last tap, which is a press once an event comes of it.
        self._taps: dict[str, Press] = {}

    @property
    def unclosed(self) -> list[Press]:
        """Those that have not come to their end; a tap that nothing has come of yet is one of them."""
        return [press for press in (*self.all, *self._taps.values()) if not press.closed]

    @property
    def all_answered(self) -> bool:
        """Whether each of them came to CLOSED: REFUSED is an end, too, and nobody has come."""
        return all("CLOSED" in press.stages for press in self.all)

    def pressed(self, name: str, link: str, wearable: str, now_ms: float) -> Press:
        """The button went down."""
        press = Press(name, link, wearable, now_ms)
        self.all.append(press)
        return press

    def tapped(self, name: str, link: str, wearable: str, now_ms: float) -> None:
        """The glass was tapped."""
        self._taps[wearable] = Press(name, link, wearable, now_ms)

    def shown(self, wearable: str, stage: str, number: int, now_ms: float) -> Shown | None:
        """A wearable shows a stage for one of its events; None when that is nothing new."""
        event = f"{wearable}-{number:06x}"
        if stage == "IDLE" or not number:
            return None
        press = self._by_event.get(event) or self._unnamed(wearable)
        if press is None or stage in press.stages:
            return None
        if not press.event:
            press.event = event
            self._by_event[event] = press
        press.stages[stage] = round(now_ms - press.made_ms)
        return Shown(press, stage, press.stages[stage])

    def _unnamed(self, wearable: str) -> Press | None:
        """The oldest press of a wearable that has no event yet; else its last tap, which is one from now on."""
        for press in self.all:
            if press.wearable == wearable and not press.event:
                return press
        tap = self._taps.pop(wearable, None)
        if tap is not None:
            self.all.append(tap)
        return tap
