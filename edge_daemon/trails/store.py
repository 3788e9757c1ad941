"""The boxes on disk: one SQLite file. Guarantee: `keep` returned means that a power cut loses none of them.

Owns the file, from a thread. Must not know who asks, nor what is in a box. A file apart from the journal's: a trail
must neither wait for alarms' commits nor lengthen them, and what is damaged here leaves them alone. What SQLite and the
system raise leaves here as TrailsFailed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_daemon.durable import sync_directory
from edge_daemon.log import Log

log = Log("trails")

_SCHEMA = """
CREATE TABLE boxes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, wearable TEXT NOT NULL, sequence INTEGER NOT NULL, number INTEGER NOT NULL,
    box BLOB NOT NULL, boot_id TEXT NOT NULL, heard_ms INTEGER NOT NULL, UNIQUE (wearable, sequence)
);
PRAGMA user_version = 1;
"""
_VERSION = 1
_KEEP = """
INSERT INTO boxes (wearable, sequence, number, box, boot_id, heard_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (wearable, sequence) DO NOTHING
"""
_BUSY_MOST_S = 5.0

Key = tuple[str, int]


class TrailsFailed(Exception):
    """Nothing of what was to be done is on disk."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box as it was heard: of the event `number`, 0 of none. `heard_ms` by the clock of the run `boot_id`."""

    wearable: str
    sequence: int
    number: int
    box: bytes
    boot_id: str
    heard_ms: int

    @property
    def key(self) -> Key:
        """Its identity."""
        return self.wearable, self.sequence


class Store:
    """One file at `path`. One caller at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        # The name under which a damaged file was set aside at the last opening, or "".
        self.aside = ""

    def open(self) -> dict[Key, int]:
        """Open or create it; the number of the event of each box, oldest first. A damaged file is set aside.

        Raises TrailsFailed: try again later.
        """
        self.close()
        try:
            try:
                return self._open()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._set_aside(str(error))
                return self._open()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise TrailsFailed(str(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def keep(self, boxes: list[Box]) -> None:
        """Write them; those that are here already stay as they are. Raises TrailsFailed."""
        rows = [(b.wearable, b.sequence, b.number, b.box, b.boot_id, b.heard_ms) for b in boxes]
        # Not OR IGNORE, which passes over any refused row: TAKEN would be a lie.
        self._write(_KEEP, rows)

    def forget(self, keys: list[Key]) -> None:
        """The platform has them. Raises TrailsFailed."""
        self._write("DELETE FROM boxes WHERE wearable = ? AND sequence = ?", keys)

    def read(self, keys: list[Key]) -> list[Box]:
        """These boxes, as far as they are here, in this order. Raises TrailsFailed."""
        sql = "SELECT wearable, sequence, number, box, boot_id, heard_ms FROM boxes WHERE wearable = ? AND sequence = ?"
        try:
            found = [self._connection().execute(sql, key).fetchone() for key in keys]
        except (sqlite3.Error, OSError) as error:
            raise TrailsFailed(str(error)) from error
        return [Box(*row) for row in found if row is not None]

    def _open(self) -> dict[Key, int]:
        if not self._path.exists():
            self._path.touch(mode=0o600)
            sync_directory(self._path.parent)
        db = self._db = sqlite3.connect(self._path, timeout=_BUSY_MOST_S, check_same_thread=False)
        # FULL does not sync the directory once the journal is deleted: a power cut then brings it back, and with it
        # what was before the commit.
        db.execute("PRAGMA synchronous = EXTRA")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            # Of a later version of us, that was rolled back: nothing of it is understood, and nothing thrown away.
            raise sqlite3.DatabaseError(f"version {version}")
        (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)
        if version == 0:
            db.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        rows = db.execute("SELECT wearable, sequence, number FROM boxes ORDER BY id").fetchall()
        return {(wearable, sequence): number for wearable, sequence, number in rows}

    def _set_aside(self, why: str) -> None:
        """Raises OSError."""
        self.close()
        number = 1 + sum(1 for _ in self._path.parent.glob(f"{self._path.name}.damaged-*"))
        self.aside = f"{self._path.name}.damaged-{number}"
        log.error("trails_damaged", file=self._path.name, why=why, aside=self.aside)
        # Its log first: a file without it could be taken for whole, and a new file must not find it.
        for end in ("-journal", ""):
            part = self._path.with_name(self._path.name + end)
            if part.exists():
                part.rename(self._path.with_name(self.aside + end))
        sync_directory(self._path.parent)

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise TrailsFailed("not open")
        return self._db

    def _write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        db = self._connection()
        try:
            with db:
                db.executemany(sql, rows)
        except (sqlite3.Error, OSError) as error:
            raise TrailsFailed(str(error)) from error
