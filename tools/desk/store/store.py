"""Opens the database and gives transactions. Guarantee: what left `write()` without StoreFailed survives a power cut.

Owns the engine, its durability settings and the turning of its errors into ours. Must not know what is written.
SQLite is used through one connection, in WAL with synchronous=FULL, locked against a second process: SQLite before
3.51.3 can corrupt a WAL that two connections reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, Table, event, func, make_url, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from edge_daemon.errors import Refusal
from edge_daemon.log import Log
from tools.desk.errors import StoreFailed
from tools.desk.store import schema

log = Log("store")

_CONNECT_WITHIN_S = 5.0
_QUERY_WITHIN_S = 10.0
# A predecessor that is just stopping gives the file up within so long.
_LOCKED_FOR_S = 3.0
# The name of a lock, known to desks only.
_MAKING_TABLES = 0x50415431
# A small WAL that is used again and again is faster than one that grows.
_PRAGMAS = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 500",
    "PRAGMA journal_size_limit = 4194304",
)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _engine(database: str) -> AsyncEngine:
    """The engine of a file path or a postgresql:// URL."""
    if database.startswith(("postgresql://", "postgresql+asyncpg://")):
        url = make_url(database).set(drivername="postgresql+asyncpg")
        limits = {"timeout": _CONNECT_WITHIN_S, "command_timeout": _QUERY_WITHIN_S}
        return create_async_engine(url, connect_args=limits, pool_pre_ping=True, pool_size=5, max_overflow=0)
    path = Path(database.removeprefix("sqlite:")).absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", connect_args={"timeout": _LOCKED_FOR_S}, pool_size=1, max_overflow=0
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


async def _prepare_postgresql(connection: AsyncConnection) -> None:
    """Let desks that start together make the tables one after another; insist that a commit is on the disk."""
    if connection.dialect.name != "postgresql":
        return
    await connection.execute(select(func.pg_advisory_xact_lock(_MAKING_TABLES)))
    for setting in ("synchronous_commit", "fsync"):
        # Whoever sets it higher (remote_apply) has reasons; off would make `accepted` a guess.
        if (await connection.execute(select(func.current_setting(setting)))).scalar_one() == "off":
            raise Refusal("desk.database_not_durable", setting=setting)


class Store:
    """`await open()`, then `write()` and `read()`. `healthy` says whether the last transaction came through."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._engine: AsyncEngine | None = None
        self.healthy = False
        self._in_use = 0
        self._closing = False
        self._idle = asyncio.Event()
        # Random, made with the database: a desk that starts again is known to the broker as the same.
        self.id = ""

    async def open(self) -> None:
        """Open or create it. Raises Refusal when it cannot be used."""
        try:
            self._engine = _engine(self._database)
            async with self._engine.begin() as connection:
                await _prepare_postgresql(connection)
                await connection.run_sync(schema.metadata.create_all)
                await self._check_version(connection)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            await self.close()
            raise Refusal("desk.database_unusable", why=_first_line(error)) from error
        except Refusal:
            # Its connections would otherwise outlive it.
            await self.close()
            raise
        self.healthy = True
        log.info("store_opened", dialect=self._engine.dialect.name)

    async def _check_version(self, connection: AsyncConnection) -> None:
        meta = schema.meta
        await connection.execute(
            self.insert(meta).on_conflict_do_nothing(),
            [{"name": "version", "value": str(schema.VERSION)}, {"name": "desk", "value": secrets.token_hex(8)}],
        )
        await connection.execute(self.insert(schema.revision).on_conflict_do_nothing(), [{"one": 1, "value": 0}])
        rows = {row.name: row.value for row in await connection.execute(select(meta))}
        if rows["version"] != str(schema.VERSION):
            raise Refusal("desk.database_version", got=rows["version"], wanted=schema.VERSION)
        self.id = rows["desk"]

    async def drain(self) -> None:
        """Let what is under way end and begin nothing more; call it before cancelling the tasks that use the store.

        A database operation cut short leaves statements behind that keep SQLite's file locked.
        """
        self._closing = True
        if self._in_use:
            self._idle.clear()
            try:
                async with asyncio.timeout(_QUERY_WITHIN_S):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("store_not_idle", in_use=self._in_use)

    async def close(self) -> None:
        """Close it. What was not committed is not there."""
        if self._engine is not None:
            await self._engine.dispose()

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT, in this database's dialect."""
        return postgresql.insert(table) if self._open_engine().dialect.name == "postgresql" else sqlite.insert(table)

    def _open_engine(self) -> AsyncEngine:
        if self._engine is None:
            raise StoreFailed("not open")
        return self._engine

    @contextlib.asynccontextmanager
    async def write(self, revisions: int = 1) -> AsyncIterator[Transaction]:
        """One transaction, committed on leaving, with `revisions` numbers to give to what it changes.

        Taking the numbers first also takes the turn: no other writer comes between. Raises StoreFailed.
        """
        engine = self._open_engine()
        with self._ours():
            async with engine.begin() as connection:
                taken = update(schema.revision).values(value=schema.revision.c.value + revisions)
                last: int = (await connection.execute(taken.returning(schema.revision.c.value))).scalar_one()
                yield Transaction(self, connection, last - revisions)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with. Raises StoreFailed."""
        engine = self._open_engine()
        with self._ours():
            async with engine.connect() as connection:
                yield connection

    @contextlib.contextmanager
    def _ours(self) -> Iterator[None]:
        """Turn the database's errors into ours, and note whether it works."""
        if self._closing:
            raise StoreFailed("closing")
        self._in_use += 1
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self.healthy = False
            log.error("store_failed", why=_first_line(error), kind=type(error).__name__)
            raise StoreFailed(_first_line(error)) from error
        else:
            self.healthy = True
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._idle.set()


class Transaction:
    """An open transaction. `next_revision()` numbers one change; asking for more than were taken is our bug."""

    def __init__(self, store: Store, connection: AsyncConnection, revision: int) -> None:
        self._store = store
        self.connection = connection
        self._revision = revision

    def next_revision(self) -> int:
        """The number of the next change."""
        self._revision += 1
        return self._revision

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT."""
        return self._store.insert(table)

    async def run(self, statement: Executable, rows: list[dict[str, Any]] | None = None) -> Any:
        """Execute a statement, with many rows in one call; nothing at all for no rows."""
        if rows is not None and not rows:
            return None
        return await self.connection.execute(statement, rows)


def _first_line(error: BaseException) -> str:
    """What went wrong, without the statement and its parameters: those hold what no log may."""
    cause = getattr(error, "orig", None) or error
    return str(cause).partition("\n")[0][:200]
