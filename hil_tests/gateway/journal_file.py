"""The journal of a daemon that is dead, as another process reads it. Owns the copy it is read from: it stays as it is.

A daemon that lives keeps its journal to itself (SQLite's exclusive locking).
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

_JOURNAL = "journal.sqlite3"


def asked(state: Path, question: str, *values: Any) -> list[tuple[Any, ...]]:
    """The answer, all its rows. `state`: the daemon's state directory. Raises sqlite3.Error."""
    with tempfile.TemporaryDirectory() as copy:
        for file in state.glob(f"{_JOURNAL}*"):
            shutil.copy(file, copy)
        with contextlib.closing(sqlite3.connect(Path(copy) / _JOURNAL)) as db:
            return db.execute(question, values).fetchall()
