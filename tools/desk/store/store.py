"""Opens the database and gives transactions. Guarantee: when `write()` returns, its work survives a power cut.

Owns the tables' version, the turn of writers, and the turning of the database's errors into ours. Must not know what is
written, nor how work gets to the database: engine.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, Executable, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from edge_daemon.errors import Refusal
from edge_daemon.log import Log
from tools.desk.errors import StoreFailed
from tools.desk.store import schema
from tools.desk.store.engine import QUERY_WITHIN_S, Engine, Work, insist_on_durability, open_engine

log = Log("store")

T = TypeVar("T")

_value = schema.revision.c.value
_TAKEN = update(schema.revision).values(value=_value + bindparam("revisions", type_=BigInteger)).returning(_value)


class Store:
    """`await open()`, then `write()` and `read()`. `healthy` says whether the last transaction came through."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._engine: Engine | None = None
        self.healthy = False
        self._in_use = 0
        self._closing = False
        self._idle = asyncio.Event()
        # Random, made with the database: a desk that starts again is known to the broker as the same.
        self.id = ""

    async def open(self) -> None:
        """Open or create it. Raises Refusal when it cannot be used."""
        try:
            self._engine = open_engine(self._database)
            self.id = await self._engine.write(_prepare)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            await self.close()
            raise Refusal("desk.database_unusable", why=_first_line(error)) from error
        except Refusal:
            # Its connections would otherwise outlive it.
            await self.close()
            raise
        self.healthy = True
        log.info("store_opened", dialect=self._engine.dialect)

    async def drain(self) -> None:
        """Let what is under way end and begin nothing more; call it before cancelling the tasks that use the store.

        A database operation cut short leaves statements behind that keep SQLite's file locked.
        """
        self._closing = True
        if self._in_use:
            self._idle.clear()
            try:
                async with asyncio.timeout(QUERY_WITHIN_S):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("store_not_idle", in_use=self._in_use)

    async def close(self) -> None:
        """Close it. What was not committed is not there."""
        if self._engine is not None:
            await self._engine.close()

    async def write(self, work: Callable[[Transaction], T], revisions: int = 1) -> T:
        """Call `work` in one transaction with `revisions` numbers to give to what it changes; it is committed.

        `work` may run in a thread: it must touch nothing but what it is given. Raises StoreFailed, and what it raises.
        """

        def whole(connection: Connection) -> T:
            # Taking the numbers first also takes the turn: no other writer comes between.
            last: int = connection.execute(_TAKEN, {"revisions": revisions}).scalar_one()
            return work(Transaction(connection, last - revisions))

        with self._ours() as engine:
            return await engine.write(whole)

    async def read(self, work: Work[T]) -> T:
        """Call `work` with a connection to read with, perhaps in a thread. Raises StoreFailed."""
        with self._ours() as engine:
            return await engine.read(work)

    @contextlib.contextmanager
    def _ours(self) -> Iterator[Engine]:
        """Turn the database's errors into ours, and note whether it works."""
        if self._engine is None or self._closing:
            raise StoreFailed("not open")
        self._in_use += 1
        try:
            yield self._engine
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

    def __init__(self, connection: Connection, revision: int) -> None:
        self.connection = connection
        self._revision = revision

    def next_revision(self) -> int:
        """The number of the next change."""
        self._revision += 1
        return self._revision

    @property
    def dialect(self) -> str:
        """The name that insert() wants: sqlite or postgresql."""
        return self.connection.dialect.name

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT, in this database's dialect."""
        return insert(self.dialect, table)

    def run(self, statement: Executable, rows: list[dict[str, Any]] | None = None) -> Any:
        """Execute a statement, with many rows in one call; nothing at all for no rows."""
        if rows is not None and not rows:
            return None
        return self.connection.execute(statement, rows)


def insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT. What is executed for every event should be built once for each dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _prepare(connection: Connection) -> str:
    """Make the tables where there are none, and look at their version; the database's own id. Raises Refusal."""
    insist_on_durability(connection)
    schema.metadata.create_all(connection)
    connection.execute(
        insert(connection.dialect.name, schema.meta).on_conflict_do_nothing(),
        [{"name": "version", "value": str(schema.VERSION)}, {"name": "desk", "value": secrets.token_hex(8)}],
    )
    first = insert(connection.dialect.name, schema.revision).on_conflict_do_nothing()
    connection.execute(first, [{"one": 1, "value": 0}])
    rows = {row.name: row.value for row in connection.execute(select(schema.meta))}
    if rows["version"] != str(schema.VERSION):
        raise Refusal("desk.database_version", got=rows["version"], wanted=schema.VERSION)
    return str(rows["desk"])


def _first_line(error: BaseException) -> str:
    """What went wrong, without the statement and its parameters: those hold what no log may."""
    cause = getattr(error, "orig", None) or error
    return str(cause).partition("\n")[0][:200]
