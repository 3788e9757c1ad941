"""What operators do with an incident: take it, close it. Guarantee: once committed, every gateway will be told.

Owns the rules of who may do what, the append-only record of it, and the news owed to gateways, all in one
transaction. Must not know HTTP or MQTT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.desk.errors import NoSuchIncident, TakenAlready
from tools.desk.store import schema, views
from tools.desk.store.store import Transaction

OUTCOMES = ("helped", "ambulance", "visit", "false_alarm", "cancelled", "no_contact", "test_passed", "fixed", "other")
# One incident and what refers to it (its cancels) change together; no wearer cancels one SOS this often.
REVISIONS = 64

_c = schema.incidents.c
_Incident = Row[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class News:
    """A stage that a gateway is still to be told."""

    event: str
    area: str
    gateway: str
    stage: str


async def take(transaction: Transaction, event: str, operator: str, now_ms: int, *, over: bool) -> list[str]:
    """An operator takes an incident: it is answered. `over`: also from a colleague. Returns the events answered.

    Asking again for what is one's own changes nothing. Raises NoSuchIncident, TakenAlready.
    """
    row = await _row(transaction, event)
    if row.stage == "closed" or (row.stage == "answered" and row.operator != operator and not over):
        raise TakenAlready(await _view(transaction, event))
    if row.stage == "answered" and row.operator == operator:
        return []
    action = "answered" if row.stage == "accepted" else "taken_over"
    taken = []
    for each in await _with_cancels(transaction, row):
        if each.stage == "closed":
            continue
        answered_ms = now_ms if each.answered_ms is None else each.answered_ms
        values = {"stage": "answered", "operator": operator, "answered_ms": answered_ms}
        await _change(transaction, each.event, values)
        await _note(transaction, each.event, action, now_ms, operator=operator)
        if each.stage == "accepted":
            await _owe(transaction, each.event, "answered")
            taken.append(each.event)
    return taken


async def close(
    transaction: Transaction, event: str, operator: str, outcome: str, note: str | None, now_ms: int
) -> list[str]:
    """An operator closes an incident, and with it the cancels that refer to it. Returns the events closed.

    Raises NoSuchIncident; TakenAlready when it is closed with another outcome or by another operator.
    """
    row = await _row(transaction, event)
    if row.stage == "closed":
        if (row.operator, row.outcome) == (operator, outcome):
            return []
        raise TakenAlready(await _view(transaction, event))
    closed = []
    for each in await _with_cancels(transaction, row):
        if each.stage == "closed":
            continue
        answered_ms = now_ms if each.answered_ms is None else each.answered_ms
        values = {"stage": "closed", "operator": operator, "outcome": outcome, "note": note}
        await _change(transaction, each.event, {**values, "answered_ms": answered_ms, "closed_ms": now_ms})
        await _note(transaction, each.event, "closed", now_ms, operator=operator, outcome=outcome, note=note)
        await _owe(transaction, each.event, "closed")
        closed.append(each.event)
    return closed


async def owed(connection: AsyncConnection, most: int) -> list[News]:
    """News not told yet."""
    rows = await connection.execute(select(schema.news).order_by(schema.news.c.area, schema.news.c.gateway).limit(most))
    return [News(row.event, row.area, row.gateway, row.stage) for row in rows]


async def told(transaction: Transaction, news: list[News]) -> None:
    """The broker has these. A stage that changed meanwhile stays owed."""
    table = schema.news.c
    for each in news:
        same = (table.event == each.event) & (table.area == each.area) & (table.gateway == each.gateway)
        await transaction.run(delete(schema.news).where(same & (table.stage == each.stage)))


async def _row(transaction: Transaction, event: str) -> _Incident:
    row = (await transaction.connection.execute(select(schema.incidents).where(_c.event == event))).first()
    if row is None:
        raise NoSuchIncident(event)
    return row


async def _view(transaction: Transaction, event: str) -> views.View:
    return await views.one(transaction.connection, event) or {}


async def _with_cancels(transaction: Transaction, row: _Incident) -> Sequence[_Incident]:
    """The incident and the open events that refer to it, it first."""
    cancels = (_c.refers_to == row.event) & (_c.stage != "closed")
    query = select(schema.incidents).where(or_(_c.event == row.event, cancels))
    return (await transaction.connection.execute(query.order_by(_c.event != row.event, _c.id).limit(REVISIONS))).all()


async def _change(transaction: Transaction, event: str, values: dict[str, object]) -> None:
    statement = update(schema.incidents).where(_c.event == event)
    await transaction.run(statement.values(**values, revision=transaction.next_revision()))


async def _note(transaction: Transaction, event: str, action: str, now_ms: int, **said: str | None) -> None:
    row = {"event": event, "action": action, "at_ms": now_ms, **said}
    await transaction.run(schema.actions.insert(), [row])


async def _owe(transaction: Transaction, event: str, stage: str) -> None:
    """Every gateway that reported the event is to hear; what strangers are told is strangers.py's."""
    table = schema.reports.c
    query = select(table.area, table.gateway).where((table.event == event) & ~table.sealed).distinct()
    rows = [
        {"event": event, "area": row.area, "gateway": row.gateway, "stage": stage}
        for row in await transaction.connection.execute(query)
    ]
    statement = transaction.insert(schema.news)
    statement = statement.on_conflict_do_update(
        index_elements=["event", "area", "gateway"], set_={"stage": statement.excluded.stage}
    )
    await transaction.run(statement, rows)
