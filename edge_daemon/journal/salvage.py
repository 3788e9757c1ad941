"""What a damaged journal still gives. Owns reading around the damage; believes nothing that is not whole.

An alarm whose row can be read is sent on; the platform knows it by its identity if it had it already. Replay windows
that are lost are no door: what is recorded is an event that the platform has.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_daemon.heard import Alarm
from edge_daemon.journal import rows

_HANDLE = re.compile(r"[0-9a-f]{16}", re.ASCII)
_EVENTS = f"SELECT {rows.COLUMNS} FROM events NOT INDEXED ORDER BY id"
_STAGE_MOST = 7
_MEMORY = Path("/dev/shm")  # noqa: S108  # a directory of ours alone is made in it


@dataclass
class Salvaged:
    """What could be read."""

    alarms: list[Alarm] = field(default_factory=list)
    windows: dict[str, int] = field(default_factory=dict)
    conditions: set[tuple[int, str]] = field(default_factory=set)
    boots: dict[str, tuple[int, int | None]] = field(default_factory=dict)


def read(path: Path) -> Salvaged:
    """Read whatever can be read of a damaged file, from both ends of each table. Raises nothing for what cannot."""
    found = Salvaged()
    try:
        with closing(sqlite3.connect(path)) as db:
            events = {row[:2]: row for row in _rows(db, _EVENTS) if _is_event(row)}
            found.alarms = [rows.from_row(row) for row in events.values()]
            for wearable, counter in _rows(db, "SELECT wearable, counter FROM windows ORDER BY wearable"):
                if _is_handle(wearable) and _is_count(counter):
                    found.windows[wearable] = counter
            for kind, about in _rows(db, f"{rows.ALL_CONDITIONS} ORDER BY kind"):
                if _is_count(kind) and isinstance(about, str):
                    found.conditions.add((kind, about))
            for boot, lasted_ms, offset_ms in _rows(db, rows.ALL_BOOTS):
                if isinstance(boot, str) and _is_count(lasted_ms) and (offset_ms is None or type(offset_ms) is int):
                    found.boots[boot] = (lasted_ms, offset_ms)
    except (sqlite3.Error, OSError):
        # Not even a header: what was read before is what there is.
        return found
    return found


def read_copy(path: Path) -> Salvaged:
    """Read a file on a disk that cannot be written, where SQLite cannot lock it nor play its log: by a copy in memory.

    Raises nothing for what cannot be read.
    """
    try:
        with tempfile.TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as place:
            for end in ("", "-wal"):
                part = path.with_name(path.name + end)
                if part.exists():
                    shutil.copyfile(part, Path(place) / part.name)
            return read(Path(place) / path.name)
    except OSError:
        return Salvaged()


def _rows(db: sqlite3.Connection, query: str) -> list[Any]:
    """Rows from the front up to the damage, then from the back down to it."""
    front, whole = _until_damage(db, query)
    if whole:
        return front
    back, _ = _until_damage(db, f"{query} DESC")
    return front + [row for row in reversed(back) if row not in front]


def _until_damage(db: sqlite3.Connection, query: str) -> tuple[list[Any], bool]:
    read: list[Any] = []
    try:
        # A text that is no UTF-8 any more raises, too.
        for row in db.execute(query):
            read.append(row)  # noqa: PERF402  # list() would lose what came before the damage
    except (sqlite3.Error, UnicodeError):
        return read, False
    return read, True


def _is_handle(value: object) -> bool:
    return isinstance(value, str) and _HANDLE.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _is_event(row: tuple[Any, ...]) -> bool:
    """Whether a row is one that we could have written. Types and ranges; a flipped bit within them is not seen."""
    wearable, number, kind, detail, age_ms, resolution_ms, at_least, battery, link = row[:9]
    rssi, boot, heard_ms, wall_ms, raw, about, note, stage, reason = row[9:]
    whole = all(type(value) is int for value in (age_ms, battery, wall_ms, at_least))
    counts = all(_is_count(value) for value in (number, kind, detail, resolution_ms, heard_ms, stage, reason))
    texts = all(isinstance(value, str) for value in (link, boot, about, note))
    if not (_is_handle(wearable) and whole and counts and texts):
        return False
    if not (raw is None or isinstance(raw, bytes)) or not (rssi is None or type(rssi) is int):
        return False
    within = ((number, 0xFFFFFF), (kind, 255), (detail, 15), (stage, _STAGE_MOST), (reason, 255), (battery, 100))
    return all(value <= most for value, most in within)
