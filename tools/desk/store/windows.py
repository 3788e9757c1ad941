"""Which counters of wearables are spent, and the stages a wearable may ask for. Owns the replay rule's memory."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tools.desk.store import schema
from tools.desk.store.store import Transaction


def loaded(connection: Connection) -> dict[str, int]:
    """The highest counter taken of each wearable."""
    return {row.wearable: row.counter for row in connection.execute(select(schema.windows))}


def spend(transaction: Transaction, wearable: str, counter: int) -> bool:
    """Move a window in the transaction of what its frame brought. False: spent already, by whichever desk."""
    table = schema.windows
    query = select(table.c.counter).where(table.c.wearable == wearable)
    taken = transaction.connection.execute(query).scalar_one_or_none()
    if taken is not None and counter <= taken:
        return False
    statement = transaction.insert(table)
    statement = statement.on_conflict_do_update(index_elements=["wearable"], set_={"counter": counter})
    transaction.run(statement, [{"wearable": wearable, "counter": counter}])
    return True


def stage(connection: Connection, event: str) -> str | None:
    """The stage of an event, None when it is not here."""
    c = schema.incidents.c
    found: str | None = connection.execute(select(c.stage).where(c.event == event)).scalar_one_or_none()
    return found


def stages(connection: Connection, wearable: str, asked: int | None, most: int) -> list[tuple[int, str]]:
    """(event number, stage) of the wearable's open events, the newest `most`, and of the one asked for, it last."""
    c = schema.incidents.c
    query = select(c.number, c.stage).where((c.wearable == wearable) & (c.stage != "closed"))
    rows = connection.execute(query.order_by(c.id.desc()).limit(most)).all()
    told = [(row.number, row.stage) for row in reversed(rows) if row.number != asked]
    if asked is not None:
        one = select(c.number, c.stage).where(c.event == f"{wearable}-{asked:06x}")
        told += [(row.number, row.stage) for row in connection.execute(one)]
    return told
