"""A new file in the place of a damaged one, so that a power cut at any moment loses nothing that was read of the old.

Owns the names `.part`, `.next` and `.damaged-N` beside the journal's. Must not know what is damaged or how to read it.
No order of renaming is safe by itself: a file without its log lacks what stands only there, and may look whole; a log
without its file is deleted by SQLite, or played into whatever file it finds beside. So the new file is made first, with
all that the old one gave, and its name `.next` says that it is whole: from then on the old one is not opened again, and
whoever starts next goes on from there, however often.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from edge_daemon.durable import sync_directory
from edge_daemon.journal import schema
from edge_daemon.journal.batch import Batch

# Of files set aside so many are kept for a technician; more would fill the disk of a machine whose card is dying.
_ASIDE_MOST = 3


def begun(path: Path) -> Path:
    """The new file; while it is there, what stands at `path` is not the journal any more."""
    return path.with_name(path.name + ".next")


def begin(path: Path, content: Batch) -> None:
    """Write a new file that holds `content`. Raises OSError, and sqlite3.Error for what the tables refuse."""
    part = path.with_name(path.name + ".part")
    image = _image(content)
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(image)
        file.flush()
        os.fsync(file.fileno())
    part.rename(begun(path))
    sync_directory(path.parent)


def finish(path: Path) -> str:
    """Set the old file aside and put the new one in its place. Returns the old one's new name. Raises OSError."""
    earlier = sorted(
        (p for p in path.parent.glob(f"{path.name}.damaged-*") if p.suffix[9:].isdigit()),
        key=lambda p: int(p.suffix[9:]),
    )
    number = int(earlier[-1].suffix[9:]) if earlier else 0
    if path.exists():
        number += 1
        for old in earlier[: max(len(earlier) - _ASIDE_MOST + 1, 0)]:
            for part in path.parent.glob(f"{old.name}*"):
                part.unlink()
    # Else a cut came after it was renamed; what is left of it gets the same number.
    aside = f"{path.name}.damaged-{number}"
    for end in ("-journal", "-wal", "-shm", ""):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(path.with_name(aside + end))
    # The old log's going is on disk before there is a file that it could be played into.
    sync_directory(path.parent)
    begun(path).rename(path)
    sync_directory(path.parent)
    return aside


def _image(content: Batch) -> bytes:
    with closing(sqlite3.connect(":memory:")) as db:
        for step in schema.STEPS:
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {len(schema.STEPS)}")
        content.write(db)
        return db.serialize()
