"""The journal around an upgrade: copied, put back, and what was stored meanwhile carried over.

Works on files only, while no gateway runs. `python -m tools.install.journal_copy` does it as the service's user: a file
that root leaves here would keep the gateway from its journal. Copies are made by SQLite itself, write-ahead log
included.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from pathlib import Path

from edge_daemon.durable import sync_directory


def copy(journal: Path, target: Path) -> None:
    """Copy a journal, whole and consistent, and have the copy on disk. Raises sqlite3.Error, OSError."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    for old in beside(target):
        old.unlink(missing_ok=True)
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(journal)) as source, contextlib.closing(sqlite3.connect(new)) as whole:
        source.backup(whole)
        whole.execute("PRAGMA journal_mode = DELETE")
    _sync(new)
    os.replace(new, target)
    sync_directory(target.parent)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _schema(journal: Path) -> int:
    with contextlib.closing(sqlite3.connect(journal)) as db:
        ((version,),) = db.execute("PRAGMA user_version").fetchall()
    return int(version)


def beside(journal: Path) -> list[Path]:
    """A database and what SQLite keeps beside it."""
    return [journal.with_name(journal.name + end) for end in ("", "-wal", "-shm", "-journal")]


def put_back(kept: Path, journal: Path, aside: Path) -> int:
    """Put the copy in the journal's place where its tables are others, with every event stored after it was made.

    A wearer has been told STORED of those: they may not go with the version that stored them. The journal itself is
    kept as `aside`, whatever happens. Returns how many events were carried over, -1 when that failed: then they are in
    `aside` alone, and a person must know. Raises sqlite3.Error, OSError.
    """
    readable = True
    try:
        if _schema(journal) == _schema(kept):
            return 0
        copy(journal, aside)
    except sqlite3.DatabaseError:
        # Damaged: what can be read of it is a matter for people and tools.
        readable = False
        for file, put in zip(beside(journal), beside(aside), strict=True):
            if file.exists():
                os.replace(file, put)
    ready = journal.with_name(journal.name + ".back")
    copy(kept, ready)
    carried = _carry_over(aside, ready) if readable else -1
    for old in beside(journal)[1:]:
        old.unlink(missing_ok=True)
    _sync(ready)
    os.replace(ready, journal)
    sync_directory(journal.parent)
    return carried


def _carry_over(newer: Path, older: Path) -> int:
    """Take events and windows over, by the columns that both have. Returns how many events, -1: none could be."""
    with contextlib.closing(sqlite3.connect(older, isolation_level=None)) as db:
        db.execute("ATTACH ? AS newer", (str(newer),))
        try:
            db.execute("BEGIN IMMEDIATE")
            events = ", ".join(_columns(db, "events", without="id"))
            carried = db.execute(
                # The columns are our own tables'.
                f"INSERT INTO main.events ({events}) SELECT {events} FROM newer.events WHERE true ORDER BY id "  # noqa: S608
                "ON CONFLICT (wearable, number) DO NOTHING"
            ).rowcount
            db.execute(
                "INSERT INTO main.windows (wearable, counter) SELECT wearable, counter FROM newer.windows WHERE true "
                "ON CONFLICT (wearable) DO UPDATE SET counter = max(counter, excluded.counter)"
            )
            db.execute("COMMIT")
        except sqlite3.Error as error:
            print(error, file=sys.stderr)
            if db.in_transaction:
                db.execute("ROLLBACK")
            return -1
    return carried


def _columns(db: sqlite3.Connection, table: str, without: str) -> list[str]:
    both = [{row[1] for row in db.execute(f"PRAGMA {schema}.table_info({table})")} for schema in ("main", "newer")]
    return sorted((both[0] & both[1]) - {without})


def main(arguments: list[str]) -> int:
    """`copy JOURNAL TARGET`, `put_back KEPT JOURNAL ASIDE`; prints what the function returns."""
    name, *paths = arguments
    try:
        if name == "copy":
            copy(*map(Path, paths))
        else:
            print(put_back(*map(Path, paths)))
    except (sqlite3.Error, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
