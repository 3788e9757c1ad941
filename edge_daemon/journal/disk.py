"""The journal's file: opened, judged, written, and set aside when it is damaged. Owns the one connection.

Must not know what is waited for or told. What SQLite and the system raise leaves here as DiskFailed, which says what
kind of trouble it is, or as Refusal, where only a person can help.
"""

from __future__ import annotations

import asyncio
import enum
import errno
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiosqlite

from edge_daemon.errors import Refusal
from edge_daemon.heard import Alarm
from edge_daemon.journal import cached, renewal, rows, salvage, schema
from edge_daemon.journal.batch import Batch
from edge_daemon.log import Log

log = Log("disk")


class Trouble(enum.Enum):
    """What a disk can have. ROW is none of the disk: the tables refuse a row, a fault of ours."""

    FULL = "full"
    FAILING = "failing"
    DAMAGED = "damaged"
    ROW = "row"


class DiskFailed(Exception):
    """Nothing of what was to be written is on disk."""

    def __init__(self, trouble: Trouble, why: str) -> None:
        super().__init__(why)
        self.trouble = trouble


@dataclass
class Kept:
    """What the file holds; `handle` "" where it could not be read.

    `damaged`: the name under which a damaged predecessor was set aside, or "". `doubt`: None when all of it is on disk;
    else why that could not be made sure, and the file is closed again.
    """

    handle: str = ""
    alarms: list[Alarm] = field(default_factory=list)
    windows: dict[str, int] = field(default_factory=dict)
    silences: dict[str, int] = field(default_factory=dict)
    conditions: set[tuple[int, str]] = field(default_factory=set)
    boots: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    damaged: str = ""
    doubt: DiskFailed | None = None


class Disk:
    """One file at `path`. `make_room` is asked when the disk is full, and says whether a second try is worth it."""

    def __init__(self, path: Path, make_room: Callable[[], bool]) -> None:
        self._path = path
        self._make_room = make_room
        self._db: aiosqlite.Connection | None = None
        # What was set aside and has not been told of.
        self._aside = ""

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._db is not None

    async def open(self) -> Kept:
        """Open or create the file and read it. A damaged one is set aside; a new one begins with what it still gives.

        Raises Refusal (in use, too new) and DiskFailed (it can neither be read nor made now: try again later).
        """
        await self._finish_renewal()
        try:
            kept = await self._open()
        except DiskFailed as failed:
            if failed.trouble is not Trouble.DAMAGED:
                raise
            log.error("journal_damaged", file=self._path.name, why=str(failed))
            await self._begin_renewal()
            await self._finish_renewal()
            kept = await self._open()
        kept.damaged, self._aside = self._aside, ""
        return kept

    async def _open(self) -> Kept:
        try:
            if not self._path.exists():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._path.touch(mode=0o600)
            self._db = await aiosqlite.connect(self._path)
            await schema.prepare(self._db, self._path)
            await _judge(self._db)
            kept = await self._read(self._db)
            # Behind the lock that `prepare` takes: a second gateway must not touch the file of a first.
            kept.doubt = await asyncio.to_thread(self._doubt)
        except (sqlite3.Error, OSError) as error:
            await self._drop()
            if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Refusal("journal.in_use", file=self._path) from error
            raise _failed(error) from error
        except BaseException:
            # aiosqlite's thread outlives a failed start and would keep the process from ending.
            await self._drop()
            raise
        if kept.doubt is not None:
            await self._drop()
        return kept

    def _doubt(self) -> DiskFailed | None:
        """None when all that can be read is on disk now; else what kept it from that."""
        try:
            cached.make_durable(self._path)
        except OSError as error:
            return _failed(error)
        return None

    async def _read(self, db: aiosqlite.Connection) -> Kept:
        kept = Kept()
        ((kept.handle,),) = await db.execute_fetchall("SELECT handle FROM store")
        for row in await db.execute_fetchall(f"SELECT {rows.COLUMNS} FROM events ORDER BY id"):
            kept.alarms.append(rows.from_row(row))
        kept.windows = dict(await db.execute_fetchall("SELECT wearable, counter FROM windows"))  # type: ignore[arg-type]
        kept.silences = dict(await db.execute_fetchall(rows.ALL_SILENCES))  # type: ignore[arg-type]
        kept.conditions = {(kind, about) for kind, about in await db.execute_fetchall(rows.ALL_CONDITIONS)}
        for boot, lasted_ms, offset_ms in await db.execute_fetchall(rows.ALL_BOOTS):
            kept.boots[boot] = (lasted_ms, offset_ms)
        return kept

    async def look(self, doubt: DiskFailed) -> Kept:
        """What can be read of a file that could not be opened, because of `doubt`. It stays closed."""
        found = await asyncio.to_thread(salvage.read_copy, renewal.begun(self._path))
        if not found.alarms:
            found = await asyncio.to_thread(salvage.read_copy, self._path)
        return Kept("", found.alarms, found.windows, {}, found.conditions, found.boots, doubt=doubt)

    async def _begin_renewal(self) -> None:
        """Make a new file of whatever can be read of the damaged one."""
        found = await asyncio.to_thread(salvage.read, self._path)
        content = Batch({alarm.key: alarm for alarm in found.alarms}, windows=found.windows, boots=found.boots)
        content.conditions = dict.fromkeys(found.conditions, True)
        await self._with_room(lambda: asyncio.to_thread(renewal.begin, self._path, content))
        log.error("journal_salvaged", file=self._path.name, alarms=len(found.alarms), windows=len(found.windows))

    async def _finish_renewal(self) -> None:
        """Put a new file in the damaged one's place, if one has been made."""
        try:
            if renewal.begun(self._path).exists():
                self._aside = await asyncio.to_thread(renewal.finish, self._path)
                log.error("journal_set_aside", file=self._aside)
        except OSError as error:
            raise _failed(error) from error

    async def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction. Raises DiskFailed; then nothing of it is on disk."""
        assert self._db is not None
        db = self._db
        await self._with_room(lambda: batch.commit(db))

    async def _with_room(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write; again as long as the disk is full and room can be made. Raises DiskFailed."""
        while True:
            try:
                await write()
                return
            except (sqlite3.Error, OSError) as error:
                failed = _failed(error)
                if failed.trouble is Trouble.FULL and await asyncio.to_thread(self._make_room):
                    continue
                raise failed from error

    async def close(self, last: Batch | None = None) -> None:
        """Write what waits, if anything, and close the file."""
        if self._db is None:
            return
        try:
            if last is not None:
                await self._db.rollback()
                await last.commit(self._db)
        except (sqlite3.Error, OSError) as error:
            log.error("last_write_failed", exc=error)
        finally:
            await self._drop()

    async def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            try:
                await db.close()
            except (sqlite3.Error, OSError) as error:
                log.warning("close_failed", why=str(error))


async def _judge(db: aiosqlite.Connection) -> None:
    """Raises DiskFailed for a file whose pages do not fit one another."""
    ((verdict,),) = await db.execute_fetchall("PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise DiskFailed(Trouble.DAMAGED, str(verdict))


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for what the system said itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _failed(error: Exception) -> DiskFailed:
    code = _code(error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        trouble = Trouble.DAMAGED
    elif code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        trouble = Trouble.FULL
    elif isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.OperationalError):
        # Constraint, mismatch, a value that is none: the same row is refused for ever.
        trouble = Trouble.ROW
    else:
        trouble = Trouble.FAILING
    return DiskFailed(trouble, str(error) or type(error).__name__)
