"""What gateways say of themselves and of their wearables' health. Owns those rows and their JSON shape.

A gateway is lost when nothing came from it for 180 s: that is worked out on reading, from the time of the last sign.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from edge_daemon.clock import iso
from tools.desk.reading.health import GatewayBeat, GatewayStatus, Sign
from tools.desk.store import schema
from tools.desk.store.store import Transaction, insert

# DESIGN section 6: the platform calls a gateway lost at three minutes without a heartbeat (EN 50136 grade 4).
LOST_AFTER_MS = 180_000
# The contract, section 5: look into it; urgent. Any event counts as a sign of life.
OVERDUE_AFTER_MS = 4 * 3_600_000
MISSING_AFTER_MS = 24 * 3_600_000
WEARABLES_MOST = 1000


def beat(transaction: Transaction, said: GatewayBeat) -> None:
    """A heartbeat: it is there."""
    heartbeat = json.dumps(said.heartbeat)
    _seen(transaction, said.area, said.gateway, "online", said.received_ms, {"heartbeat": heartbeat})


def status(transaction: Transaction, said: GatewayStatus) -> None:
    """It came, or its will says that it went."""
    _seen(transaction, said.area, said.gateway, said.state, said.received_ms, {})


def _seen(transaction: Transaction, area: str, gateway: str, state: str, now_ms: int, more: dict[str, Any]) -> None:
    row = {"area": area, "gateway": gateway, "state": state, "revision": transaction.next_revision(), **more}
    table = schema.gateways.c
    known = select(table.state, table.since_ms, table.seen_ms)
    old = transaction.connection.execute(known.where((table.area == area) & (table.gateway == gateway))).first()
    if old is not None and state == "online" and now_ms < old.seen_ms:
        # It lay at a broker while newer ones came by another.
        return
    same = old is not None and old.state == state and now_ms - old.seen_ms <= LOST_AFTER_MS
    if old is not None and state == "online" and now_ms - old.seen_ms > LOST_AFTER_MS:
        row |= {"lost_from_ms": old.seen_ms, "lost_until_ms": now_ms}
    row["since_ms"] = old.since_ms if same and old is not None else now_ms
    # A will is the broker's word, not a sign of life.
    row["seen_ms"] = old.seen_ms if state == "offline" and old is not None else now_ms
    statement = transaction.insert(schema.gateways)
    statement = statement.on_conflict_do_update(
        index_elements=["area", "gateway"], set_={name: statement.excluded[name] for name in row}
    )
    transaction.run(statement, [row])


def heard(transaction: Transaction, signs: Iterable[Sign]) -> None:
    """Signs of life of wearables, in any order and of any age: newer is never replaced by older."""
    transaction.run(_heard(transaction.dialect), [_row(sign) for sign in newest(signs).values()])


@cache
def _heard(dialect: str) -> Any:
    table, statement = schema.wearables.c, insert(dialect, schema.wearables)
    new = statement.excluded
    later = new.heard_ms > table.heard_ms
    # Null, which is no answer, where it is no heartbeat.
    fresher = new.beat_ms > func.coalesce(table.beat_ms, 0)
    values = {name: case((later, new[name]), else_=table[name]) for name in ("area", "gateway", "heard_ms")}
    values |= {name: case((fresher, new[name]), else_=table[name]) for name in ("beat_ms", "heartbeat")}
    return statement.on_conflict_do_update(index_elements=["wearable"], set_=values, where=later | fresher)


def newest(signs: Iterable[Sign]) -> dict[str, Sign]:
    """Of each wearable the newest sign; one with a heartbeat where there is one, for it says more."""
    found: dict[str, Sign] = {}
    for sign in signs:
        old = found.get(sign.wearable)
        found[sign.wearable] = sign if old is None else newer(old, sign)
    return found


def newer(one: Sign, other: Sign) -> Sign:
    """The newer of two signs of one wearable. A heartbeat is kept though a sign without one is newer."""
    late, early = (one, other) if one.heard_ms >= other.heard_ms else (other, one)
    if late.heartbeat is not None or early.heartbeat is None:
        return late
    beat_ms = early.heard_ms if early.beat_ms is None else early.beat_ms
    return replace(late, heartbeat=early.heartbeat, beat_ms=beat_ms)


def _row(sign: Sign) -> dict[str, Any]:
    beat = sign.heartbeat
    return {
        "wearable": sign.wearable,
        "area": sign.area,
        "gateway": sign.gateway,
        "heard_ms": sign.heard_ms,
        "beat_ms": None if beat is None else sign.heard_ms if sign.beat_ms is None else sign.beat_ms,
        "heartbeat": None if beat is None else json.dumps(beat),
    }


def listed(connection: Connection, now_ms: int) -> list[dict[str, Any]]:
    """Every gateway that was ever heard of."""
    table = schema.gateways.c
    rows = connection.execute(select(schema.gateways).order_by(table.area, table.gateway))
    return [_view(row, now_ms) for row in rows]


def since(connection: Connection, revision: int, now_ms: int, most: int) -> list[dict[str, Any]]:
    """Gateways changed after a revision, in the order of their changes."""
    table = schema.gateways.c
    query = select(schema.gateways).where(table.revision > revision).order_by(table.revision).limit(most)
    return [_view(row, now_ms) for row in connection.execute(query)]


def wearables_listed(connection: Connection, now_ms: int) -> list[dict[str, Any]]:
    """When each wearable was heard last, whether that is too long ago, and its newest heartbeat.

    Who has not been heard for longest comes first, up to a bound: nobody reads more, and alarms wait meanwhile.
    """
    heard, badge = schema.wearables.c, _is_badge()
    query = select(schema.wearables, badge.label("badge")).order_by(heard.heard_ms).limit(WEARABLES_MOST)
    rows = connection.execute(query)
    return [
        {
            **(json.loads(row.heartbeat) if row.heartbeat else {}),
            "wearable": row.wearable,
            "area": row.area,
            "gateway": row.gateway,
            "heard_at": iso(row.heard_ms),
            "beat_at": None if row.beat_ms is None else iso(row.beat_ms),
            "state": "heard" if row.badge else _heard_state(now_ms - row.heard_ms),
        }
        for row in rows
    ]


def wearables_counted(connection: Connection, now_ms: int) -> dict[str, int]:
    """How many there are, and how many of them have not been heard for too long."""
    silent = func.count().filter((schema.wearables.c.heard_ms < now_ms - OVERDUE_AFTER_MS) & ~_is_badge())
    row = connection.execute(select(func.count(), silent).select_from(schema.wearables)).one()
    return {"all": row[0], "silent": row[1]}


def _is_badge() -> ColumnElement[bool]:
    """A worker's badge is out of every house most of the time, and missed by nobody."""
    c = schema.care.c
    return select(c.wearable).where((c.wearable == schema.wearables.c.wearable) & (c.beneficiary == "worker")).exists()


def _heard_state(silent_ms: int) -> str:
    if silent_ms > MISSING_AFTER_MS:
        return "missing"
    return "overdue" if silent_ms > OVERDUE_AFTER_MS else "heard"


def _view(row: Any, now_ms: int) -> dict[str, Any]:
    lost = row.state == "online" and now_ms - row.seen_ms > LOST_AFTER_MS
    return {
        "area": row.area,
        "gateway": row.gateway,
        "state": "lost" if lost else row.state,
        "since": iso(row.seen_ms + LOST_AFTER_MS if lost else row.since_ms),
        "seen_at": iso(row.seen_ms),
        "lost": None if row.lost_from_ms is None else {"from": iso(row.lost_from_ms), "until": iso(row.lost_until_ms)},
        "heartbeat": None if row.heartbeat is None else json.loads(row.heartbeat),
        "revision": row.revision,
    }
