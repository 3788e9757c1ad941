"""Opened records into the desk's key file. Owns the rows that it writes, and that a row is never changed into another.

A row: {"wearable", "root", "hardware", "made_at", "replaces" or null}; keys.py reads the first two. The file is read,
changed and replaced under a lock, mode 0600, and made where there is none. Must not know how a record is sealed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge_daemon.errors import Refusal
from tools.desk import keys
from tools.records import files
from tools.records.record import Record

ADDED = "added"
KNOWN = "known"

Outcome = str | Refusal


def take_up(path: Path, opened: list[tuple[Record, bytes]]) -> list[Outcome]:
    """Add wearables to the key file, durable on return; per record ADDED, KNOWN or why it is refused.

    Raises Refusal when the file is not understood or cannot be written; it is then as it was.
    """
    try:
        with files.locked(path):
            rows = _rows(path)
            outcomes = [_take(rows, record, root) for record, root in opened]
            if ADDED in outcomes:
                files.replace_json(path, {"v": 1, "wearables": list(rows.values())})
    except OSError as error:
        raise Refusal("record.not_written", file=error.filename or path, why=error.strerror) from error
    return outcomes


def _rows(path: Path) -> dict[str, dict[str, Any]]:
    """The rows that are there, by handle. keys.load() judges mode and shape."""
    if not path.exists():
        return {}
    handles = list(keys.load(path))
    rows = json.loads(path.read_bytes())["wearables"]
    return dict(zip(handles, rows, strict=True))


def _take(rows: dict[str, dict[str, Any]], record: Record, root: bytes) -> Outcome:
    about = record.about
    there = rows.get(about.handle, {})
    if "root" in there:
        # One root is one board's: a second board with it would spend the first one's counters.
        if there.get("hardware", about.hardware) != about.hardware:
            return Refusal("record.other_hardware", file=record.source, got=about.hardware, known=there["hardware"])
        if "hardware" in there:
            return KNOWN
    rows[about.handle] = {
        "wearable": about.handle,
        "root": root.hex(),
        "hardware": about.hardware,
        "made_at": about.made_at,
        "replaces": about.replaces,
    }
    return ADDED
