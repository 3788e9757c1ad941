"""The factory's book: one JSON line per tested wearable, never overwritten.

Owns the line and that it is on the disk before the next board is taken. Must not know verdicts.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_daemon.errors import Refusal


def default() -> Path:
    """Beside the kit's other books."""
    return Path.home() / ".local/share/pingan/kit/factory.jsonl"


def append(file: Path, about: dict[str, str], parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Add a line and return it. Raises Refusal "factory.book" when it cannot be kept."""
    passed = all(part["state"] != "failed" for part in parts.values())
    at = datetime.now(UTC).isoformat(timespec="seconds")
    row: dict[str, Any] = {"v": 1, "at": at, **about, "passed": passed, "parts": parts}
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as book:
            book.write(json.dumps(row, ensure_ascii=False) + "\n")
            book.flush()
            os.fsync(book.fileno())
    except OSError as error:
        raise Refusal("factory.book", file=file, why=error) from error
    return row
