"""What has just been seen, as lines for people. Owns which of it is shown, and for how long."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from tools.label import code
from tools.messages import Messages

_KEPT = 6


class News:
    """`saw` takes the lines of `watch`; `lines` are the newest, oldest first."""

    def __init__(self, words: Messages) -> None:
        self._words = words
        self._lines: deque[tuple[str, str]] = deque(maxlen=_KEPT)
        self._last = ""

    def saw(self, line: dict[str, Any], at: datetime | None = None) -> None:
        """One more; what is not understood, or says nothing to a person, is passed over."""
        text = self._text(line)
        if text is None:
            return
        # One that asks every second is one line, whose time moves.
        if text == self._last:
            self._lines.pop()
        self._last = text
        self._lines.append(((at or datetime.now().astimezone()).strftime("%H:%M:%S"), text))

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Time of day and words."""
        return list(self._lines)

    def _text(self, line: dict[str, Any]) -> str | None:
        what, words = line.get("saw"), self._words
        who = self._who(line.get("wearable"))
        if what == "heard":
            return self._heard(line, who)
        if what in ("stored", "unstored"):
            return words.text(f"status.saw.{what}", who=who, kind=kind(line["kind"], words), ms=line["ms"])
        if what == "stage":
            stage = words.text(f"stage.{str(line['stage']).upper()}")
            return words.text("status.saw.stage", who=who, kind=kind(line["kind"], words), stage=stage)
        if what == "wearables":
            counts = {name: len(line[name]) for name in ("enrolled", "revoked", "forgotten")}
            return words.text("status.saw.wearables", **counts)
        # A fault is an event, too, and told as one; it stands among the faults.
        return words.text("status.saw.lost", count=line["count"]) if what == "lost" else None

    def _heard(self, line: dict[str, Any], who: str) -> str:
        words = self._words
        link = words.text(f"status.link.{line['link']}")
        if line["frame"] == "event":
            return words.text("status.saw.event", who=who, kind=kind(line["kind"], words), link=link)
        return words.text("status.saw.heard", who=who, link=link)

    def _who(self, handle: str | None) -> str:
        return code.of_handle(handle) if handle else self._words.text("status.saw.gateway")


def kind(name: str, words: Messages) -> str:
    """An event's kind as the desk's page calls it; its own name where that is newer than we are."""
    try:
        return words.text(f"desk.page.kind.{name}")
    except KeyError:
        return name
