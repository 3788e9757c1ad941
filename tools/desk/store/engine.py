"""The database behind the store: SQLite in a thread of its own, PostgreSQL through asyncpg. Owns how work gets there.

What is done in one transaction is a function of a `Connection`, called whole: on SQLite in one trip to the thread, for
a trip with each statement cost several times the work itself. Durability settings are owned here. SQLite is used
through one connection, in WAL with synchronous=FULL, locked against a second process: SQLite before 3.51.3 can corrupt
a WAL that two connections reset. Must not know what is read or written, nor whose error an error is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event, func, make_url, select
from sqlalchemy.ext.asyncio import create_async_engine

from edge_daemon.errors import Refusal
from edge_daemon.log import Log

log = Log("store")

_CONNECT_WITHIN_S = 5.0
QUERY_WITHIN_S = 10.0
# A disk that hangs longer has failed: gateways are told busy, and what waits is let go.
_TURN_WITHIN_S = 30.0
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

T = TypeVar("T")
Work = Callable[[Connection], T]


class Engine(Protocol):
    """A database that is open. Raises what SQLAlchemy and its drivers raise."""

    dialect: str

    async def write(self, work: Work[T]) -> T:
        """Call `work` in one transaction, committed to the disk on return; nothing of it is kept if it raises."""
        ...

    async def read(self, work: Work[T]) -> T:
        """Call `work` with a connection to read with."""
        ...

    async def close(self) -> None:
        """What was not committed is not there."""
        ...


def open_engine(database: str) -> Engine:
    """The engine of a file path or a postgresql:// URL. Nothing is connected yet. Raises OSError."""
    if database.startswith(("postgresql://", "postgresql+asyncpg://")):
        return _Postgresql(database)
    return _Sqlite(Path(database.removeprefix("sqlite:")).absolute())


class _Sqlite:
    """One connection, one thread: work waits its turn there and never in the event loop."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._engine = create_engine(
            f"sqlite:///{path}", connect_args={"timeout": _LOCKED_FOR_S}, pool_size=1, max_overflow=0
        )
        event.listen(self._engine, "connect", _prepare_sqlite)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def write(self, work: Work[T]) -> T:
        return await self._call(self._write, work)

    async def read(self, work: Work[T]) -> T:
        return await self._call(self._read, work)

    async def close(self) -> None:
        try:
            await self._call(self._engine.dispose)
        except TimeoutError as error:
            log.error("store_not_closed", why=str(error))
        self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Raises TimeoutError; what is under way then may still be committed, what waits behind it is not begun."""
        try:
            async with asyncio.timeout(_TURN_WITHIN_S):
                return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        except TimeoutError as error:
            raise TimeoutError(f"no turn within {_TURN_WITHIN_S:.0f} s") from error

    def _write(self, work: Work[T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)

    def _read(self, work: Work[T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)


class _Postgresql:
    """Several connections, in the event loop; each statement waits for the server, and others work meanwhile."""

    dialect = "postgresql"

    def __init__(self, database: str) -> None:
        url = make_url(database).set(drivername="postgresql+asyncpg")
        limits = {"timeout": _CONNECT_WITHIN_S, "command_timeout": QUERY_WITHIN_S}
        self._engine = create_async_engine(url, connect_args=limits, pool_pre_ping=True, pool_size=5, max_overflow=0)

    async def write(self, work: Work[T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def read(self, work: Work[T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


def insist_on_durability(connection: Connection) -> None:
    """PostgreSQL: let desks that start together make the tables one after another; a commit must be on the disk.

    Raises Refusal.
    """
    if connection.dialect.name != "postgresql":
        return
    connection.execute(select(func.pg_advisory_xact_lock(_MAKING_TABLES)))
    for setting in ("synchronous_commit", "fsync"):
        # Whoever sets it higher (remote_apply) has reasons; off would make `accepted` a guess.
        if connection.execute(select(func.current_setting(setting))).scalar_one() == "off":
            raise Refusal("desk.database_not_durable", setting=setting)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
