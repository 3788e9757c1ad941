"""What a story expects at the desk, against all that is there: none missing, none invented, each at its time.

Owns the judgement. Must not know how a story came about.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Expected:
    """One event: `kind` and `about` (a wearable's handle, or what a gateway's event is about), and when it happens."""

    kind: str
    about: str
    from_ms: int
    to_ms: int
    detail: str | None = None

    def fits(self, found: Found) -> bool:
        """Whether this is it."""
        same = found.kind == self.kind and self.about in ("", found.about)
        return same and self.detail in (None, found.detail) and self.from_ms <= found.at_ms <= self.to_ms


@dataclass(frozen=True)
class Found:
    """One event at the desk; `at_ms`: when it happened, by the story's wall clock."""

    kind: str
    about: str
    detail: str
    at_ms: int
    event: str
    late: bool


@dataclass
class Verdict:
    """What was `missing` and what was `invented`; `found` is everything."""

    missing: list[str]
    invented: list[str]
    found: list[Found]

    @property
    def passed(self) -> bool:
        """Whether there is neither."""
        return not self.missing and not self.invented


def at_desk(database: Path) -> list[Found]:
    """Every event the desk has, in order of when they happened."""
    with contextlib.closing(sqlite3.connect(database)) as desk:
        rows = desk.execute("SELECT kind, source, about, wearable, detail, pressed_ms, event, late FROM incidents")
        found = [
            Found(kind, (about or "") if source == "gateway" else wearable, detail, pressed_ms or 0, event, bool(late))
            for kind, source, about, wearable, detail, pressed_ms, event, late in rows
        ]
    return sorted(found, key=lambda one: one.at_ms)


def judge(expected: list[Expected], found: list[Found]) -> Verdict:
    """Each event that is expected is there once, at its time, and no other is. Narrow times are looked for first."""
    left = list(found)
    missing = []
    for one in sorted(expected, key=lambda one: (one.to_ms - one.from_ms, one.from_ms)):
        fitting = next((event for event in left if one.fits(event)), None)
        if fitting is None:
            detail = "" if one.detail is None else f" ({one.detail})"
            missing.append(f"{one.kind}{detail} of {one.about}, {clock(one.from_ms)} to {clock(one.to_ms)}")
        else:
            left.remove(fitting)
    invented = [f"{one.kind} ({one.detail}) of {one.about} at {clock(one.at_ms)}, {one.event}" for one in left]
    return Verdict(missing, invented, found)


def path_tests(gateway: str, from_ms: int, to_ms: int, every_ms: int = _DAY_MS) -> list[Expected]:
    """The tests of a gateway's way out between two moments of the wall clock: one after its start, then one a day."""
    part = zlib.crc32(gateway.encode()) / (1 << 32)
    offset_ms, begin_ms = int(part * every_ms), from_ms + int(part * min(every_ms // 24, 3_600_000))
    slots = [begin_ms]
    day = (begin_ms + offset_ms) // every_ms + 1
    while (at_ms := day * every_ms - offset_ms) < to_ms:
        slots.append(at_ms)
        day += 1
    # Looked at every half second of the machine, five minutes of the story at the most.
    return [Expected("path_test_primary", "primary", at_ms, at_ms + 600_000) for at_ms in slots if at_ms < to_ms]


def clock(wall_ms: int) -> str:
    """For people."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%m-%d %H:%M:%S UTC")
