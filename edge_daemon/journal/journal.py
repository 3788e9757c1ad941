"""The journal's one writer: group commit. Guarantee: when `store` returns, the alarm survives a power cut.

Owns the one connection, what is in memory of it, and the order of writes. Must not know links or brokers.
While one transaction is being synced, everything that arrives waits for the next: 64 waiting alarms cost one sync,
not 64.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import aiosqlite

from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal, StoreFailed
from edge_daemon.heard import FINAL_STAGES, Alarm
from edge_daemon.journal import rows, schema
from edge_daemon.journal.batch import Batch
from edge_daemon.log import Log
from protocol import codes

log = Log("journal")

# Windows and what a failed transaction left behind wait this long for company before they are written.
_LAZY_S = 1.0


class Journal:
    """Alarms by identity, and the counter window of each wearable, on disk and in memory.

    `alarms` holds everything in the file, closed ones too until they are purged: it answers "do we know this event"
    without a query. One whose stage is still HEARD is not in the file (yet).
    `windows` is the highest counter accepted from each wearable. `conditions`: what is wrong now, as (kind, about).
    `boots`: each earlier run of the machine, oldest first: boot id -> (lasted_ms, offset_ms or None), see ages.py.
    """

    def __init__(self, path: Path, counters: Counters) -> None:
        self._path = path
        self._counters = counters
        self._db: aiosqlite.Connection | None = None
        self._loaded = False
        self._places = 0
        self._next = Batch()
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._storing: dict[tuple[str, int], asyncio.Future[None]] = {}
        self._open: dict[str, dict[int, Alarm]] = {}
        self.alarms: dict[tuple[str, int], Alarm] = {}
        self.windows: dict[str, int] = {}
        # Since when a transaction is under way, by time.monotonic(); None: none is.
        self.writing_since_s: float | None = None
        self.conditions: set[tuple[int, str]] = set()
        self.boots: dict[str, tuple[int, int | None]] = {}
        self.handle = ""

    async def open(self) -> None:
        """Open or create the file and load it. Raises Refusal when it can't be used."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = await aiosqlite.connect(self._path)
            await self._load()
        except OSError as error:
            raise Refusal("journal.unusable", file=self._path, why=error.strerror) from error
        except sqlite3.DatabaseError as error:
            raise Refusal(_refusal_key(error), file=self._path, why=error) from error
        finally:
            # aiosqlite's thread outlives a failed start and would keep the process from ending.
            if not self._loaded:
                await self.close()
        log.info("journal_opened", alarms=len(self.alarms))

    async def _load(self) -> None:
        assert self._db is not None
        await schema.prepare(self._db, self._path)
        for row in await self._db.execute_fetchall(f"SELECT {rows.COLUMNS} FROM events ORDER BY id"):
            self._keep(rows.from_row(row))
        windows = await self._db.execute_fetchall("SELECT wearable, counter FROM windows")
        self.windows = dict(windows)  # type: ignore[arg-type]
        ((self.handle,),) = await self._db.execute_fetchall("SELECT handle FROM store")
        conditions = await self._db.execute_fetchall("SELECT kind, about FROM conditions")
        self.conditions = {(kind, about) for kind, about in conditions}
        for boot, lasted_ms, offset_ms in await self._db.execute_fetchall(
            "SELECT boot_id, lasted_ms, offset_ms FROM boots ORDER BY id"
        ):
            self.boots[boot] = (lasted_ms, offset_ms)
        self._loaded = True

    async def close(self) -> None:
        """Write what waits, and close the file."""
        if self._db is None:
            return
        try:
            if self._loaded:
                await self._db.rollback()
                await self._next.commit(self._db)
        except (sqlite3.Error, OSError) as error:
            log.error("last_write_failed", exc=error)
        finally:
            await self._db.close()
            self._db = None

    async def store(self, alarm: Alarm, counter: int) -> None:
        """Put a new alarm on disk together with the window that its frame moved; return after the commit.

        Asked twice for one event, both wait for the same commit. Raises StoreFailed: then it is not on disk and the
        wearable must not be told STORED. The journal goes on trying, and it may be asked again.
        """
        self._move(alarm.wearable, counter)
        done = self._storing.get(alarm.key)
        if done is None:
            done = self._storing[alarm.key] = asyncio.get_running_loop().create_future()
            self._keep(alarm)
            self._next.alarms[alarm.key] = alarm
            self._urgent.set()
        self._wake.set()
        await asyncio.shield(done)

    def next_number(self) -> int:
        """A number for an event of the gateway's own. The window of the file's handle remembers the highest."""
        return self.windows.get(self.handle, 0) + 1

    def set_condition(self, condition: tuple[int, str], *, holds: bool) -> None:
        """Note that something is wrong now, or no more. Written with the next transaction."""
        (self.conditions.add if holds else self.conditions.discard)(condition)
        self._next.conditions[condition] = holds
        self._wake.set()

    def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
        """Note how long this run of the machine has lasted, and its wall clock's offset where NTP vouches for it."""
        self.boots[boot_id] = self._next.boots[boot_id] = (lasted_ms, offset_ms)
        self._wake.set()

    def move_window(self, wearable: str, counter: int) -> None:
        """Note the counter of an accepted frame that brings no new alarm. Written with the next transaction."""
        self._move(wearable, counter)
        self._wake.set()

    def advance(self, alarm: Alarm) -> None:
        """Write the alarm's present stage and reason behind. The platform has promised; a lost write is asked again."""
        if alarm.stage in FINAL_STAGES:
            self._open.get(alarm.wearable, {}).pop(alarm.number, None)
        self._next.advanced[alarm.key] = alarm
        self._wake.set()
        self._urgent.set()

    def open_alarms(self) -> list[Alarm]:
        """Alarms that are not closed or refused; those of one wearable oldest first."""
        return [alarm for alarms in self._open.values() for alarm in alarms.values()]

    def open_of(self, wearable: str) -> list[Alarm]:
        """The open alarms of one wearable, oldest first."""
        return list(self._open.get(wearable, {}).values())

    def purge(self, is_old: Callable[[Alarm], bool]) -> int:
        """Forget alarms that the platform has and that are old; return how many. Others stay for ever.

        Should a wearer still ask about one, it is taken for new, and the platform, which knows it, answers.
        """
        old = [a for a in self.alarms.values() if not a.waiting and is_old(a)]
        for alarm in old:
            del self.alarms[alarm.key]
            self._open.get(alarm.wearable, {}).pop(alarm.number, None)
            self._next.purged.append(alarm.key)
        if old:
            self._wake.set()
        return len(old)

    async def run(self) -> None:
        """Write for ever. The one task that touches the database once it is open."""
        while True:
            await self._wake.wait()
            try:
                async with asyncio.timeout(_LAZY_S):
                    await self._urgent.wait()
            except TimeoutError:
                pass
            batch, self._next = self._next, Batch()
            self._wake.clear()
            self._urgent.clear()
            self.writing_since_s = time.monotonic()
            try:
                await self._write(batch)
            finally:
                self.writing_since_s = None

    def _keep(self, alarm: Alarm) -> None:
        self.alarms[alarm.key] = alarm
        self._places += 1
        alarm.place = self._places
        if alarm.stage not in FINAL_STAGES:
            self._open.setdefault(alarm.wearable, {})[alarm.number] = alarm

    def _move(self, wearable: str, counter: int) -> None:
        self.windows[wearable] = max(counter, self.windows.get(wearable, -1))
        self._next.windows[wearable] = self.windows[wearable]

    async def _write(self, batch: Batch) -> None:
        assert self._db is not None
        try:
            await batch.commit(self._db)
        except asyncio.CancelledError:
            # We are stopped in the middle of it: `close` writes it again, which does no harm where it had been written.
            self._next.take_back(batch)
            raise
        except (sqlite3.Error, OSError) as error:
            self._failed(batch, error)
            return
        for alarm in batch.alarms.values():
            alarm.stage = max(alarm.stage, codes.STORED)
            done = self._storing.pop(alarm.key, None)
            if done is not None:
                done.set_result(None)
        self._counters.add("commits")

    def _failed(self, batch: Batch, error: Exception) -> None:
        """Nothing of the batch is on disk: say so to who waits, and put it into the next one, which is not hurried."""
        self._counters.add("store_failed")
        log.error("store_failed", exc=error, alarms=len(batch.alarms))
        if not isinstance(error, sqlite3.OperationalError | OSError):
            # Not the disk's state but a row the tables refuse: it would spoil every transaction it is put into.
            batch.alarms, failed = {}, batch.alarms
        else:
            failed = batch.alarms
        self._next.take_back(batch)
        for key in failed:
            done = self._storing.pop(key, None)
            if done is not None:
                done.set_exception(StoreFailed(str(error)))
        self._wake.set()


def _refusal_key(error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "journal.in_use"
    return "journal.damaged" if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else "journal.unusable"
