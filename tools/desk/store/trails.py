"""Sealed positions, and the newest position of each event. Owns that both are forgotten when their time is over.

Guarantee: of one box one row, whoever brought it how often; a position never makes an incident and never replaces a
newer one. Retention: what the wearer's plan says, of a child never more than a week; 30 days where no plan is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from tools.desk.positions import Place
from tools.desk.reading.trails import SealedTrail
from tools.desk.store import schema
from tools.desk.store.store import Transaction

RETENTION_DAYS = 30
CHILD_RETENTION_DAYS = 7
_DAY_MS = 86_400_000
# Boxes that one look at a trail gives.
LISTED_MOST = 1000

_t, _p, _care = schema.trails.c, schema.positions.c, schema.care.c


@dataclass(frozen=True, slots=True)
class Kept:
    """A box to store, and the newest position in it where it was opened and has any."""

    trail: SealedTrail
    place: Place | None


def revisions_for(kept: list[Kept]) -> int:
    """How many revisions storing these takes at most."""
    return sum(each.place is not None for each in kept) + 1


def keep(transaction: Transaction, kept: list[Kept]) -> None:
    """Store boxes and what they say of events, each once."""
    floor = _forgotten(transaction.connection, {each.trail.wearable for each in kept})
    fresh = [each for each in kept if each.trail.sequence > floor.get(each.trail.wearable, -1)]
    rows = [_row(each.trail) for each in fresh]
    statement = transaction.insert(schema.trails).on_conflict_do_nothing()
    transaction.run(statement, rows)
    for each in fresh:
        if each.place is not None and each.trail.event is not None:
            _place(transaction, each.trail.event, each.trail, each.place)


def has(connection: Connection, wearable: str, sequence: int) -> bool:
    """Whether a box is here, or is past its time."""
    floor = _forgotten(connection, {wearable}).get(wearable, -1)
    same = select(_t.sequence).where((_t.wearable == wearable) & (_t.sequence == sequence))
    return sequence <= floor or connection.execute(same).first() is not None


def listed(connection: Connection, wearable: str) -> list[SealedTrail]:
    """The boxes of a wearable, the newest by sequence first."""
    query = select(schema.trails).where(_t.wearable == wearable).order_by(_t.sequence.desc()).limit(LISTED_MOST)
    return [
        SealedTrail(
            row.wearable, row.number, row.sequence, row.box, row.area, row.gateway, row.heard_ms, row.received_ms
        )
        for row in connection.execute(query)
    ]


def places(connection: Connection, events: Iterable[str]) -> dict[str, Place]:
    """The newest position of each of these events that has one."""
    rows = connection.execute(select(schema.positions).where(_p.event.in_(list(events))))
    return {row.event: Place(row.at_ms, row.latitude_e5, row.longitude_e5, row.accuracy_m) for row in rows}


def purge(transaction: Transaction, now_ms: int) -> int:
    """Forget what is past its time; how many boxes that were."""
    days = transaction.connection.execute(select(_care.retention_days).distinct()).scalars()
    purged = 0
    for each in {RETENTION_DAYS, *(day for day in days if day is not None)}:
        before_ms = now_ms - each * _DAY_MS
        whose = select(_care.wearable).where(_care.retention_days == each)
        planned: ColumnElement[bool] = _t.wearable.in_(whose)
        placed: ColumnElement[bool] = _p.wearable.in_(whose)
        if each == RETENTION_DAYS:
            known = select(_care.wearable).where(_care.retention_days.is_not(None))
            planned, placed = or_(planned, _t.wearable.not_in(known)), or_(placed, _p.wearable.not_in(known))
        old = planned & (_t.heard_ms < before_ms)
        _remember(transaction, old)
        purged += transaction.run(delete(schema.trails).where(old)).rowcount
        transaction.run(delete(schema.positions).where(placed & (_p.heard_ms < before_ms)))
    return purged


def _remember(transaction: Transaction, old: ColumnElement[bool]) -> None:
    """What is about to go, so that it does not come back by a late repeat."""
    highest = select(_t.wearable, func.max(_t.sequence).label("sequence")).where(old).group_by(_t.wearable)
    rows = [{"wearable": row.wearable, "sequence": row.sequence} for row in transaction.connection.execute(highest)]
    statement = transaction.insert(schema.forgotten)
    new = statement.excluded.sequence
    higher = statement.on_conflict_do_update(
        index_elements=["wearable"], set_={"sequence": new}, where=new > schema.forgotten.c.sequence
    )
    transaction.run(higher, rows)


def _forgotten(connection: Connection, wearables: set[str]) -> dict[str, int]:
    table = schema.forgotten
    rows = connection.execute(select(table).where(table.c.wearable.in_(wearables)))
    return {row.wearable: row.sequence for row in rows}


def _row(trail: SealedTrail) -> dict[str, Any]:
    same = ("wearable", "sequence", "number", "box", "area", "gateway", "heard_ms", "received_ms")
    return {name: getattr(trail, name) for name in same}


def _place(transaction: Transaction, event: str, trail: SealedTrail, place: Place) -> None:
    """A position of an event, if it is newer than what is known; its incident looks different then."""
    known = select(_p.at_ms).where(_p.event == event)
    at_ms = transaction.connection.execute(known).scalar_one_or_none()
    if at_ms is not None and at_ms >= place.at_ms:
        return
    row = {"event": event, "wearable": trail.wearable, "at_ms": place.at_ms, "heard_ms": trail.heard_ms}
    row |= {"accuracy_m": place.accuracy_m, "latitude_e5": place.latitude_e5, "longitude_e5": place.longitude_e5}
    statement = transaction.insert(schema.positions)
    newer = statement.on_conflict_do_update(
        index_elements=["event"], set_={name: statement.excluded[name] for name in row}
    )
    transaction.run(newer, [row])
    c = schema.incidents.c
    changed = update(schema.incidents).where(c.event == event)
    transaction.run(changed.values(revision=transaction.next_revision()))
