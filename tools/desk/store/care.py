"""Each wearable's newest plan and settings, to whom they are to be sent, and who lives by which.

Guarantee: a version is never replaced by an older one, nor by another of the same number; what is due stays so until it
was sent, over restarts. Must not know how a box is opened, nor MQTT.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, tuple_, update

from edge_daemon.clock import iso
from tools.desk.errors import TooOld
from tools.desk.reading.care import Boxed, CareRow, CareState
from tools.desk.store import schema
from tools.desk.store.store import Transaction

Gateway = tuple[str, str]
# A gateway that did not say what it took of it within so long is sent it again while it is there.
UNANSWERED_MS = 600_000
_BOUND_MOST = 16

_c, _at = schema.care.c, schema.care_at.c


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk may know of a plan, where it has the keys."""

    beneficiary: str
    centre: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be sent to a gateway now."""

    area: str
    gateway: str
    row: CareRow


def put(transaction: Transaction, row: CareRow, known: Known | None) -> None:
    """Keep a row's newer halves, due at every gateway of the wearable. Raises TooOld: nothing has changed."""
    connection = transaction.connection
    old = connection.execute(select(schema.care).where(_c.wearable == row.wearable)).first()
    values: dict[str, Any] = {}
    for name, part in (("plan", row.plan), ("settings", row.settings)):
        if part is not None and _is_newer(old, name, part):
            values |= {f"{name}_version": part.version, f"{name}_box": part.box}
    if not values:
        return
    if row.plan is not None:
        values |= {name: getattr(known, name, None) for name in ("beneficiary", "centre", "retention_days")}
    _upsert(transaction, schema.care, ["wearable"], [{"wearable": row.wearable, **values}])
    _bind(transaction, [(row.wearable, gateway) for gateway in bound(connection, row.wearable)])
    transaction.run(update(schema.care_at).where(_at.wearable == row.wearable).values(due=True))


def unread(connection: Connection) -> list[tuple[str, Boxed]]:
    """Plans that came before their wearables' keys: nobody has looked for whom they are."""
    query = select(schema.care).where(_c.plan_box.is_not(None) & _c.beneficiary.is_(None))
    return [(row.wearable, Boxed(row.plan_version, row.plan_box)) for row in connection.execute(query)]


def learnt(transaction: Transaction, wearable: str, plan: Boxed, known: Known) -> None:
    """What is known of a plan by now, if it is still the one that is kept."""
    same = (_c.wearable == wearable) & (_c.plan_version == plan.version)
    transaction.run(update(schema.care).where(same).values(**asdict(known)))


def _is_newer(old: Row[Any] | None, name: str, part: Boxed) -> bool:
    """Raises TooOld."""
    version = None if old is None else getattr(old, f"{name}_version")
    if version is None or old is None or part.version > version:
        return True
    if part.version < version or getattr(old, f"{name}_box") != part.box:
        raise TooOld(old.plan_version, old.settings_version)
    return False


def bound(connection: Connection, wearable: str) -> list[Gateway]:
    """The gateways of a wearable: the last that heard it, those that reported its events, those that know it.

    Not those that passed it on as a stranger, or have said that it is none of theirs.
    """
    said, heard = schema.reports.c, schema.wearables.c
    of_it = (said.event > f"{wearable}-") & (said.event < f"{wearable}-g") & ~said.sealed
    queries = (
        select(heard.area, heard.gateway).where((heard.wearable == wearable) & _at_home()),
        select(_at.area, _at.gateway).where(_at.wearable == wearable),
        select(said.area, said.gateway).where(of_it).distinct(),
    )
    found = [(row.area, row.gateway) for query in queries for row in connection.execute(query.limit(_BOUND_MOST))]
    foreign = select(_at.area, _at.gateway).where((_at.wearable == wearable) & (_at.reason == "unknown_wearable"))
    not_its = {(row.area, row.gateway) for row in connection.execute(foreign)}
    return [gateway for gateway in dict.fromkeys(found) if gateway not in not_its][:_BOUND_MOST]


def _at_home() -> ColumnElement[bool]:
    """Of wearables' rows: whether the gateway that heard it last can read it, as far as is known."""
    said, heard = schema.reports.c, schema.wearables.c
    of_it = (said.event > heard.wearable + "-") & (said.event < heard.wearable + "-g")
    by_it = of_it & (said.area == heard.area) & (said.gateway == heard.gateway)
    unread, read = (select(said.event).where(by_it & (said.sealed == sealed)).exists() for sealed in (True, False))
    return ~unread | read


def _bind(transaction: Transaction, pairs: Iterable[tuple[str, Gateway]]) -> None:
    """Gateways that are to have a wearable's care; those that are known stay as they are."""
    rows = [{"wearable": wearable, "area": area, "gateway": name, "due": True} for wearable, (area, name) in pairs]
    transaction.run(transaction.insert(schema.care_at).on_conflict_do_nothing(), rows)


def there(transaction: Transaction, came: set[Gateway], here: set[Gateway], now_ms: int) -> None:
    """Gateways came, or still are there: what they are yet to be sent, or to be sent again.

    To one that came all of it, whatever it said last: it may be a new machine of the old name, or have lost its disk.
    """
    for area, gateway in came | here:
        heard = schema.wearables.c
        by_it = (heard.area == area) & (heard.gateway == gateway)
        unbound = select(_c.wearable).join(schema.wearables, heard.wearable == _c.wearable).where(by_it & _at_home())
        wearables = transaction.connection.execute(unbound).scalars()
        _bind(transaction, [(wearable, (area, gateway)) for wearable in wearables])
        again = (_at.area == area) & (_at.gateway == gateway) & ~_at.due
        if (area, gateway) not in came:
            again &= (_at.sent_ms < now_ms - UNANSWERED_MS) & (func.coalesce(_at.said_ms, 0) < _at.sent_ms)
        transaction.run(update(schema.care_at).where(again).values(due=True))


def due(connection: Connection, most: int, leave_out: Iterable[Gateway] = ()) -> list[Due]:
    """What is to be sent, but to these gateways."""
    query = select(schema.care, _at.area, _at.gateway).join(schema.care_at, _at.wearable == _c.wearable).where(_at.due)
    query = query.where(tuple_(_at.area, _at.gateway).not_in(list(leave_out)))
    return [
        Due(row.area, row.gateway, CareRow(row.wearable, _part(row, "plan"), _part(row, "settings")))
        for row in connection.execute(query.order_by(_at.area, _at.gateway, _at.wearable).limit(most))
    ]


def _part(row: Row[Any], name: str) -> Boxed | None:
    version = getattr(row, f"{name}_version")
    return None if version is None else Boxed(version, getattr(row, f"{name}_box"))


def sent(transaction: Transaction, told: Due, now_ms: int) -> None:
    """The broker has it. What has become newer meanwhile stays due."""
    row = told.row
    same = [
        (_c.plan_version.is_(None) if row.plan is None else _c.plan_version == row.plan.version),
        (_c.settings_version.is_(None) if row.settings is None else _c.settings_version == row.settings.version),
    ]
    kept = select(_c.wearable).where((_c.wearable == row.wearable), *same).exists()
    of_it = (_at.wearable == row.wearable) & (_at.area == told.area) & (_at.gateway == told.gateway)
    transaction.run(update(schema.care_at).where(of_it, kept).values(due=False, sent_ms=now_ms))


def said(transaction: Transaction, states: list[CareState]) -> None:
    """What gateways say that they live by; the last word counts."""
    same = ("wearable", "area", "gateway", "plan_version", "settings_version", "result", "reason", "said_ms")
    last = {(state.wearable, state.area, state.gateway): state for state in states}
    rows = [{**{name: getattr(state, name) for name in same}, "due": False} for state in last.values()]
    statement = transaction.insert(schema.care_at)
    values = {name: statement.excluded[name] for name in same}
    transaction.run(statement.on_conflict_do_update(index_elements=["wearable", "area", "gateway"], set_=values), rows)


def listed(connection: Connection, wearable: str | None = None) -> list[dict[str, Any]]:
    """What is kept for each wearable (or for one), and who lives by which: the shape of the API."""
    query = select(schema.care).order_by(_c.wearable)
    whose = connection.execute(query if wearable is None else query.where(_c.wearable == wearable)).all()
    names = [row.wearable for row in whose]
    at: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    rows = connection.execute(select(schema.care_at).where(_at.wearable.in_(names)).order_by(_at.area, _at.gateway))
    for row in rows:
        at[row.wearable].append(_gateway_view(row))
    heard = schema.wearables.c
    beats = connection.execute(select(schema.wearables).where(heard.wearable.in_(names) & heard.heartbeat.is_not(None)))
    own = {row.wearable: (json.loads(row.heartbeat).get("settings"), row.beat_ms) for row in beats}
    same = ("wearable", "plan_version", "settings_version", "beneficiary", "centre", "retention_days")
    return [
        {
            **{name: getattr(row, name) for name in same},
            "lives_by": _lives_by(own, row.wearable),
            "gateways": at[row.wearable],
        }
        for row in whose
    ]


def _lives_by(own: dict[str, tuple[int | None, int | None]], wearable: str) -> dict[str, Any]:
    version, at_ms = own.get(wearable, (None, None))
    return {"settings_version": version, "at": None if at_ms is None else iso(at_ms)}


def _gateway_view(row: Row[Any]) -> dict[str, Any]:
    same = ("area", "gateway", "plan_version", "settings_version", "result", "reason")
    return {
        **{name: getattr(row, name) for name in same},
        "at": None if row.said_ms is None else iso(row.said_ms),
        "sent_at": None if row.sent_ms is None else iso(row.sent_ms),
    }


def _upsert(transaction: Transaction, table: Any, keys: list[str], rows: list[dict[str, Any]]) -> None:
    statement = transaction.insert(table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    transaction.run(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
