"""Wearers' tests, which need no person: which are to be answered or closed now. Owns how long each stage stands.

Guarantee: only what is a test by protocol/kinds.py, of a wearable, by its kind and its class, and that no person has
taken; nothing that a peer says in any other field makes an alarm one. Everything else is for people.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from protocol import codes, kinds
from tools.desk.store import schema
from tools.desk.store.actions import note_action, owe
from tools.desk.store.store import Transaction

# The wearer is to see each stage: ACCEPTED takes a second on a wearable, ANSWERED three (firmware/sos/feedback.py).
ANSWERED_AFTER_MS = 2000
CLOSED_AFTER_MS = 4000
OUTCOME = "test_passed"
_AT_ONCE = 50
REVISIONS = 2 * _AT_ONCE

_c = schema.incidents.c
_KIND = kinds.BY_CODE[codes.TEST_BY_HAND]


def _ours() -> ColumnElement[bool]:
    test = (_c.kind == _KIND.name) & (_c.event_class == _KIND.event_class) & _c.test & _c.raw.is_(None)
    return test & (_c.source == "wearable") & (_c.stage != "closed") & _c.operator.is_(None)


def next_due_ms(connection: Connection) -> int | None:
    """When the next of them is due, by the wall clock; None: there is none."""
    accepted = select(func.min(_c.accepted_ms)).where(_ours() & (_c.stage == "accepted"))
    answered = select(func.min(_c.answered_ms)).where(_ours() & (_c.stage == "answered"))
    due = [
        at_ms + after_ms
        for query, after_ms in ((accepted, ANSWERED_AFTER_MS), (answered, CLOSED_AFTER_MS))
        if (at_ms := connection.execute(query).scalar_one()) is not None
    ]
    return min(due, default=None)


def answer(transaction: Transaction, now_ms: int) -> dict[str, list[str]]:
    """Answer and close what is due. Returns the events by their new stage."""
    closing = _due(_c.stage == "answered", _c.answered_ms <= now_ms - CLOSED_AFTER_MS)
    answering = _due(_c.stage == "accepted", _c.accepted_ms <= now_ms - ANSWERED_AFTER_MS)
    closed = list(transaction.connection.execute(closing).scalars())
    answered = list(transaction.connection.execute(answering).scalars())
    for event in closed:
        _change(transaction, event, stage="closed", outcome=OUTCOME, by_itself=True, closed_ms=now_ms)
        note_action(transaction, event, "closed", now_ms, outcome=OUTCOME)
        owe(transaction, event, "closed")
    for event in answered:
        _change(transaction, event, stage="answered", answered_ms=now_ms)
        note_action(transaction, event, "answered", now_ms)
        owe(transaction, event, "answered")
    return {stage: events for stage, events in (("answered", answered), ("closed", closed)) if events}


def _due(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(_c.event).where(_ours(), *conditions).order_by(_c.id).limit(_AT_ONCE)


def _change(transaction: Transaction, event: str, **values: Any) -> None:
    statement = update(schema.incidents).where(_c.event == event)
    transaction.run(statement.values(**values, revision=transaction.next_revision()))
