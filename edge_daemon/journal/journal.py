"""The journal's one writer: group commit. Guarantee: when `store` returns, the alarm survives a power cut.

Owns the one connection, what is in memory of it, and the order of writes. Must not know links or brokers.
While one transaction is being synced, everything that arrives waits for the next: 64 waiting alarms cost one sync,
not 64.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import aiosqlite

from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal, StoreFailed
from edge_daemon.heard import FINAL_STAGES, Alarm
from edge_daemon.journal import rows, schema
from edge_daemon.log import Log
from protocol import codes

log = Log("journal")

# A counter window that moved without an alarm (a hello) waits this long for company before it is written.
_WINDOW_LAZY_S = 1.0
# After a commit failed: how long until the writes it left behind (stages, windows) are tried again.
_RETRY_S = 1.0


@dataclass
class _Batch:
    """What the next transaction will hold."""

    alarms: list[Alarm] = field(default_factory=list)
    advanced: dict[tuple[str, int], Alarm] = field(default_factory=dict)
    windows: dict[str, int] = field(default_factory=dict)


class Journal:
    """Alarms by identity, and the counter window of each wearable, on disk and in memory.

    `alarms` holds everything in the file, closed ones too until they are purged: it answers "do we know this event"
    without a query. One whose stage is still HEARD is not in the file (yet). `windows` is the highest counter accepted from each wearable.
    """

    def __init__(self, path: Path, counters: Counters) -> None:
        self._path = path
        self._counters = counters
        self._db: aiosqlite.Connection | None = None
        self._loaded = False
        self._next = _Batch()
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._storing: dict[tuple[str, int], asyncio.Future[None]] = {}
        self.alarms: dict[tuple[str, int], Alarm] = {}
        self.windows: dict[str, int] = {}

    async def open(self) -> None:
        """Open or create the file and load it. Raises Refusal when it can't be used."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = await aiosqlite.connect(self._path)
        try:
            await self._load()
        except sqlite3.OperationalError as error:
            raise Refusal("journal.in_use", file=self._path, why=error) from error
        except sqlite3.DatabaseError as error:
            raise Refusal("journal.damaged", file=self._path, why=error) from error
        finally:
            # aiosqlite's thread outlives a failed start and would keep the process from ending.
            if not self._loaded:
                await self.close()
        log.info("journal_opened", alarms=len(self.alarms))

    async def _load(self) -> None:
        assert self._db is not None
        await schema.prepare(self._db, self._path)
        loaded = await self._db.execute_fetchall(f"SELECT {rows.COLUMNS} FROM events ORDER BY id")
        windows = await self._db.execute_fetchall("SELECT wearable, counter FROM windows")
        for row in loaded:
            alarm = rows.from_row(row)
            self.alarms[alarm.wearable, alarm.number] = alarm
        self.windows = dict(windows)  # type: ignore[arg-type]
        self._loaded = True

    async def close(self) -> None:
        """Close the file. What was not committed is not there."""
        if self._db is not None:
            await self._db.close()
            self._db = None

    async def store(self, alarm: Alarm, counter: int) -> None:
        """Put a new alarm on disk together with the window that its frame moved; return after the commit.

        Asked twice for one event, both wait for the same commit. Raises StoreFailed: then nothing of it is on disk
        and the wearable must not be told STORED; it may be asked again.
        """
        self._move(alarm.wearable, counter)
        key = (alarm.wearable, alarm.number)
        done = self._storing.get(key)
        if done is None:
            done = self._storing[key] = asyncio.get_running_loop().create_future()
            self.alarms[key] = alarm
            self._next.alarms.append(alarm)
            self._urgent.set()
        self._wake.set()
        await asyncio.shield(done)

    def move_window(self, wearable: str, counter: int) -> None:
        """Note the counter of an accepted frame that brings no new alarm. Written with the next transaction."""
        self._move(wearable, counter)
        self._wake.set()

    def advance(self, alarm: Alarm) -> None:
        """Write the alarm's present stage and reason behind. The platform has promised; a lost write is asked again."""
        self._next.advanced[alarm.wearable, alarm.number] = alarm
        self._wake.set()
        self._urgent.set()

    def open_alarms(self) -> list[Alarm]:
        """Alarms that are not closed or refused, oldest first."""
        return [alarm for alarm in self.alarms.values() if alarm.stage not in FINAL_STAGES]

    async def run(self) -> None:
        """Write for ever. The one task that touches the database once it is open."""
        while True:
            await self._wake.wait()
            try:
                await asyncio.wait_for(self._urgent.wait(), _WINDOW_LAZY_S)
            except TimeoutError:
                pass
            batch, self._next = self._next, _Batch()
            self._wake.clear()
            self._urgent.clear()
            await self._write(batch)

    def _move(self, wearable: str, counter: int) -> None:
        if counter > self.windows.get(wearable, -1):
            self.windows[wearable] = counter
        self._next.windows[wearable] = self.windows[wearable]

    async def _write(self, batch: _Batch) -> None:
        try:
            await self._commit(batch)
        except (sqlite3.Error, OSError) as error:
            self._counters.add("store_failed")
            log.error("store_failed", exc=error, alarms=len(batch.alarms))
            self._give_back(batch)
            for alarm in batch.alarms:
                self._storing.pop((alarm.wearable, alarm.number)).set_exception(StoreFailed(str(error)))
            await asyncio.sleep(_RETRY_S)
            return
        for alarm in batch.alarms:
            alarm.stage = max(alarm.stage, codes.STORED)
            self._storing.pop((alarm.wearable, alarm.number)).set_result(None)
        self._counters.add("commits")

    async def _commit(self, batch: _Batch) -> None:
        assert self._db is not None
        try:
            if batch.alarms:
                values = [rows.to_row(alarm, max(alarm.stage, codes.STORED)) for alarm in batch.alarms]
                await self._db.executemany(rows.INSERT, values)
            if batch.advanced:
                changes = [(a.stage, a.reason, a.wearable, a.number) for a in batch.advanced.values()]
                await self._db.executemany(rows.ADVANCE, changes)
            if batch.windows:
                await self._db.executemany(rows.WINDOW, list(batch.windows.items()))
            await self._db.commit()
        except (sqlite3.Error, OSError):
            await self._db.rollback()
            raise

    def _give_back(self, batch: _Batch) -> None:
        """Stages and windows of a failed transaction go into the next one; newer values win."""
        self._next.advanced = {**batch.advanced, **self._next.advanced}
        self._next.windows = {**batch.windows, **self._next.windows}
        self._wake.set()

    async def purge(self, heard_before_wall_ms: int) -> int:
        """Forget closed and refused alarms heard before a wall time; return how many. Open ones stay for ever."""
        assert self._db is not None
        old = [
            key
            for key, alarm in self.alarms.items()
            if alarm.stage in FINAL_STAGES and alarm.heard_wall_ms < heard_before_wall_ms
        ]
        if old:
            await self._db.executemany("DELETE FROM events WHERE wearable = ? AND number = ?", old)
            await self._db.commit()
            for key in old:
                del self.alarms[key]
        return len(old)
