"""One question to a wearer: what is asked, how far that has come, and its words for the platform. Owns its shape.

Must not know commands, wearables or clocks. Moments are of the boot-time clock in ms; on disk they are wall times, for
after a reboot that clock begins anew (`row`, `from_row`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_daemon.care.plan import CHECKIN, MEDICINE
from edge_daemon.commands import Told
from protocol import codes, kinds

LOOK = "look"
PROMPTS = {CHECKIN: codes.PROMPT_CHECKIN, MEDICINE: codes.PROMPT_MEDICINE, LOOK: codes.PROMPT_LOOK}
OUTCOMES = {
    kinds.CHECKIN_SILENT: "silent",
    kinds.CHECKIN_NOT_WORN: "not_worn",
    kinds.CHECKIN_UNREACHABLE: "unreachable",
}
# Gone through a restart of which nobody knows how long it took: whatever is younger than this may be an answer.
_UNKNOWN_AGO_MS = 3_600_000
_NO_WORD = re.compile(r"[^A-Za-z0-9._:-]")
_KEPT = ("id", "kind", "on", "at", "within_s", "again", "text", "tries", "shown", "worn", "number", "last", "why")


@dataclass(slots=True)
class Asking:
    """`since_ms`: from when on an answer is one to this. `tries`: how often it was shown; `worn`: then, by its result.

    `number`: of its newest prompt, -1: it was not given yet.

    `shown`: the wearer sees it now, until `deadline_ms`; else it is to be shown by then. `last`: it is not repeated.
    `told`: operators who called for it. `given`: a command with it waits, or is on its way; `take_back` stops that.
    """

    id: str
    kind: str
    on: str
    at: str
    within_s: int
    again: int
    text: int
    since_ms: int
    deadline_ms: int = 0
    tries: int = 0
    shown: bool = False
    worn: int = codes.WORN_UNKNOWN
    number: int = -1
    last: bool = False
    why: str = ""
    given: bool = False
    spared: bool = False
    not_before_ms: int = 0
    take_back: Callable[[], None] = lambda: None
    told: list[Told] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The same for the same check-in of the same day."""
        return f"{self.id} {self.on} {self.at}"

    @property
    def outcome(self) -> int:
        """What is to be said of it when nobody has answered: a kind of event."""
        if not self.tries:
            return kinds.CHECKIN_UNREACHABLE
        return kinds.CHECKIN_NOT_WORN if self.worn == codes.NOT_WORN else kinds.CHECKIN_SILENT

    def note(self) -> str:
        """In words: key=value."""
        words = f"{named(self.kind, self.id, self.on, self.at)} tries={self.tries}"
        if self.worn != codes.WORN_UNKNOWN:
            words += " worn=" + ("no" if self.worn == codes.NOT_WORN else "yes")
        return f"{words} why={self.why}" if self.why else words

    def row(self, offset_ms: int | None) -> dict[str, Any]:
        """As it is kept. `offset_ms`: wall time minus boot time, None: not known."""
        kept = {key: getattr(self, key) for key in _KEPT}
        deadline = _wall(self.deadline_ms, offset_ms) if self.deadline_ms else 0
        return {**kept, "since": _wall(self.since_ms, offset_ms), "deadline": deadline}

    @classmethod
    def from_row(cls, row: dict[str, Any], now_ms: int, offset_ms: int | None) -> Asking:
        """As it was kept. Where nobody knows how long ago that was, it has all of its time again."""
        deadline_ms = now_ms + row["within_s"] * 1000
        if row["deadline"] is not None and offset_ms is not None:
            deadline_ms = row["deadline"] - offset_ms
        kept = {key: row[key] for key in _KEPT}
        since_ms = _since(row, now_ms, offset_ms)
        return cls(**kept, since_ms=since_ms, deadline_ms=0 if row["deadline"] == 0 else deadline_ms)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A check-in that ended without an answer, which may still come. `was`: how it ended, in a word.

    `until_ms`: until when an answer was one to this, None: any later one is, too.
    """

    id: str
    kind: str
    on: str
    at: str
    was: str
    since_ms: int
    until_ms: int | None

    def note(self) -> str:
        """In words: key=value."""
        return f"{named(self.kind, self.id, self.on, self.at)} was={self.was}"

    def row(self, offset_ms: int | None) -> dict[str, Any]:
        """As it is kept."""
        texts = {"id": self.id, "kind": self.kind, "on": self.on, "at": self.at, "was": self.was}
        until = None if self.until_ms is None else _wall(self.until_ms, offset_ms)
        return {**texts, "ends": self.until_ms is not None, "since": _wall(self.since_ms, offset_ms), "until": until}

    @classmethod
    def from_row(cls, row: dict[str, Any], now_ms: int, offset_ms: int | None) -> Unsettled:
        """As it was kept."""
        until_ms = now_ms if row["until"] is None or offset_ms is None else row["until"] - offset_ms
        since_ms, until_ms = _since(row, now_ms, offset_ms), until_ms if row["ends"] else None
        return cls(row["id"], row["kind"], row["on"], row["at"], row["was"], since_ms, until_ms)


def named(kind: str, name: str, on: str, at: str) -> str:
    """Which check-in, in words. What a platform calls its own commands may hold anything."""
    return f"kind={kind} id={_NO_WORD.sub('_', name)} on={on} due={at}"


def _wall(moment_ms: int, offset_ms: int | None) -> int | None:
    return None if offset_ms is None else moment_ms + offset_ms


def _since(row: dict[str, Any], now_ms: int, offset_ms: int | None) -> int:
    known = row["since"] is not None and offset_ms is not None
    return row["since"] - offset_ms if known else now_ms - _UNKNOWN_AGO_MS
