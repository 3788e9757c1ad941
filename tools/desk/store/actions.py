"""What operators do with an incident: take it, close it. Guarantee: once committed, every gateway will be told.

Owns the rules of who may do what, the append-only record of it, and the news owed to gateways, all in one
transaction. Must not know HTTP or MQTT.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, or_, select, tuple_, update

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


def take(transaction: Transaction, event: str, operator: str, now_ms: int, *, over: bool) -> list[str]:
    """An operator takes an incident: it is answered. `over`: also from a colleague. Returns the events answered.

    Asking again for what is one's own changes nothing. Raises NoSuchIncident, TakenAlready.
    """
    row = _row(transaction, event)
    if row.stage == "closed" or (row.stage == "answered" and row.operator != operator and not over):
        raise TakenAlready(_view(transaction, event))
    if row.stage == "answered" and row.operator == operator:
        return []
    action = "answered" if row.stage == "accepted" else "taken_over"
    taken = []
    for each in _with_cancels(transaction, row):
        if each.stage == "closed":
            continue
        answered_ms = now_ms if each.answered_ms is None else each.answered_ms
        values = {"stage": "answered", "operator": operator, "answered_ms": answered_ms}
        _change(transaction, each.event, values)
        note_action(transaction, each.event, action, now_ms, operator=operator)
        if each.stage == "accepted":
            owe(transaction, each.event, "answered")
            taken.append(each.event)
    return taken


def close(
    transaction: Transaction, event: str, operator: str, outcome: str, note: str | None, now_ms: int
) -> list[str]:
    """An operator closes an incident, and with it the cancels that refer to it. Returns the events closed.

    Raises NoSuchIncident; TakenAlready when it is closed with another outcome or by another operator.
    """
    row = _row(transaction, event)
    if row.stage == "closed":
        if (row.operator, row.outcome) == (operator, outcome):
            return []
        raise TakenAlready(_view(transaction, event))
    closed = []
    for each in _with_cancels(transaction, row):
        if each.stage == "closed":
            continue
        answered_ms = now_ms if each.answered_ms is None else each.answered_ms
        values = {"stage": "closed", "operator": operator, "outcome": outcome, "note": note}
        _change(transaction, each.event, {**values, "answered_ms": answered_ms, "closed_ms": now_ms})
        note_action(transaction, each.event, "closed", now_ms, operator=operator, outcome=outcome, note=note)
        owe(transaction, each.event, "closed")
        closed.append(each.event)
    return closed


def owed(connection: Connection, most: int, leave_out: Iterable[tuple[str, str]] = ()) -> list[News]:
    """News not told yet, but for these gateways."""
    by = (schema.news.c.area, schema.news.c.gateway)
    query = select(schema.news).where(tuple_(*by).not_in(list(leave_out)))
    rows = connection.execute(query.order_by(*by).limit(most))
    return [News(row.event, row.area, row.gateway, row.stage) for row in rows]


def told(transaction: Transaction, news: list[News]) -> None:
    """The broker has these. A stage that changed meanwhile stays owed."""
    table = schema.news.c
    for each in news:
        same = (table.event == each.event) & (table.area == each.area) & (table.gateway == each.gateway)
        transaction.run(delete(schema.news).where(same & (table.stage == each.stage)))


def _row(transaction: Transaction, event: str) -> _Incident:
    row = transaction.connection.execute(select(schema.incidents).where(_c.event == event)).first()
    if row is None:
        raise NoSuchIncident(event)
    return row


def _view(transaction: Transaction, event: str) -> views.View:
    return views.one(transaction.connection, event) or {}


def _with_cancels(transaction: Transaction, row: _Incident) -> Sequence[_Incident]:
    """The incident and the open events that refer to it, it first."""
    cancels = (_c.refers_to == row.event) & (_c.stage != "closed")
    query = select(schema.incidents).where(or_(_c.event == row.event, cancels))
    return transaction.connection.execute(query.order_by(_c.event != row.event, _c.id).limit(REVISIONS)).all()


def _change(transaction: Transaction, event: str, values: dict[str, object]) -> None:
    statement = update(schema.incidents).where(_c.event == event)
    transaction.run(statement.values(**values, revision=transaction.next_revision()))


def note_action(transaction: Transaction, event: str, action: str, now_ms: int, **said: str | None) -> None:
    """Add to the record of what was done."""
    row = {"event": event, "action": action, "at_ms": now_ms, **said}
    transaction.run(schema.actions.insert(), [row])


def owe(transaction: Transaction, event: str, stage: str) -> None:
    """Every gateway that reported the event is to hear; what strangers are told is strangers.py's."""
    table = schema.reports.c
    query = select(table.area, table.gateway).where((table.event == event) & ~table.sealed).distinct()
    rows = [
        {"event": event, "area": row.area, "gateway": row.gateway, "stage": stage}
        for row in transaction.connection.execute(query)
    ]
    statement = transaction.insert(schema.news)
    statement = statement.on_conflict_do_update(
        index_elements=["event", "area", "gateway"], set_={"stage": statement.excluded.stage}
    )
    transaction.run(statement, rows)
