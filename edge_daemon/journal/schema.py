"""The journal's tables, by version. Owns SQL that defines; rows and when to write them are others' business.

`PRAGMA user_version` says how many of STEPS a file has had. A step, once released, never changes.
"""

from __future__ import annotations

import aiosqlite

from edge_daemon.errors import Refusal

STEPS = (
    """
    CREATE TABLE events (
        -- AUTOINCREMENT: a reused rowid would hide an event from whoever reads on from the last id.
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        wearable TEXT NOT NULL,
        number INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        detail INTEGER NOT NULL,
        age_ms INTEGER NOT NULL,
        age_resolution_ms INTEGER NOT NULL,
        age_at_least INTEGER NOT NULL,
        battery_percent INTEGER NOT NULL,
        link TEXT NOT NULL,
        rssi_dbm INTEGER,
        boot_id TEXT NOT NULL,
        heard_ms INTEGER NOT NULL,
        heard_wall_ms INTEGER NOT NULL,
        raw BLOB,
        about TEXT NOT NULL,
        note TEXT NOT NULL,
        stage INTEGER NOT NULL,
        reason INTEGER NOT NULL,
        urgency INTEGER NOT NULL,
        UNIQUE (wearable, number)
    ) STRICT;
    -- What the platform does not have yet, in the order it goes out; small however long the history is.
    CREATE INDEX waiting ON events (urgency, id) WHERE stage = 1;
    CREATE TABLE windows (
        wearable TEXT PRIMARY KEY,
        counter INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- Whose file this is: the maker of the gateway's own events. A new file is a new maker and may count from 1.
    CREATE TABLE store (handle TEXT NOT NULL) STRICT;
    INSERT INTO store VALUES (lower(hex(randomblob(8))));
    -- How long this gateway has listened for a wearable in vain. Of its own time only: off, it could not have heard.
    CREATE TABLE silences (
        wearable TEXT PRIMARY KEY,
        silent_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- What is wrong now: told once when it began, and to be told once when it ends.
    CREATE TABLE conditions (
        kind INTEGER NOT NULL,
        about TEXT NOT NULL,
        PRIMARY KEY (kind, about)
    ) STRICT, WITHOUT ROWID;
    -- How long each run of this machine has lasted at least, and its offset between wall and boot-time clock as long
    -- as NTP has vouched for it: by them an event of before a reboot has an age, whatever the wall clock was then.
    CREATE TABLE boots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        boot_id TEXT NOT NULL UNIQUE,
        lasted_ms INTEGER NOT NULL,
        offset_ms INTEGER
    ) STRICT;
    """,
)

# One commit costs one sync of a WAL that does not grow (a growing file costs a second one, of its size). 256 pages
# keep it at 1 MiB. EXCLUSIVE: two connections on one WAL can corrupt it before SQLite 3.51.3, and a second daemon on
# the same journal must be refused anyway.
PRAGMAS = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 256",
    "PRAGMA journal_size_limit = 1048576",
)


async def prepare(db: aiosqlite.Connection, path: object) -> None:
    """Set the connection up and bring the tables to the newest version.

    Raises Refusal when the file was written by a newer version than this one.
    """
    for pragma in PRAGMAS:
        await db.execute_fetchall(pragma)
    ((version,),) = await db.execute_fetchall("PRAGMA user_version")
    if version > len(STEPS):
        raise Refusal("journal.too_new", file=path, version=version, known=len(STEPS))
    for number, step in enumerate(STEPS[version:], version + 1):
        await db.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT")
