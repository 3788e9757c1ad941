"""What gateways say of themselves and of their wearables' health. Owns those rows and their JSON shape.

A gateway is lost when nothing came from it for 180 s: that is worked out on reading, from the time of the last sign.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from edge_daemon.clock import iso
from tools.desk.reading.health import GatewayBeat, GatewayStatus, WearableBeats
from tools.desk.store import schema
from tools.desk.store.store import Transaction

# DESIGN section 6: the platform calls a gateway lost at three minutes without a heartbeat (EN 50136 grade 4).
LOST_AFTER_MS = 180_000


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
    same = old is not None and old.state == state and now_ms - old.seen_ms <= LOST_AFTER_MS
    row["since_ms"] = old.since_ms if same and old is not None else now_ms
    # A will is the broker's word, not a sign of life.
    row["seen_ms"] = old.seen_ms if state == "offline" and old is not None else now_ms
    statement = transaction.insert(schema.gateways)
    statement = statement.on_conflict_do_update(
        index_elements=["area", "gateway"], set_={name: statement.excluded[name] for name in row}
    )
    transaction.run(statement, [row])


def wearables(transaction: Transaction, said: WearableBeats) -> None:
    """Heartbeats of wearables: the newest of each is kept."""
    statement = transaction.insert(schema.wearables)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["wearable"],
        set_={name: new[name] for name in ("area", "gateway", "heard_ms", "heartbeat")},
        where=schema.wearables.c.heard_ms <= new.heard_ms,
    )
    rows = {}
    for each in said.wearables:
        heard_ms = said.received_ms - each["heard_age_ms"]
        heartbeat = json.dumps(each)
        rows[each["wearable"]] = {
            "wearable": each["wearable"],
            "area": said.area,
            "gateway": said.gateway,
            "heard_ms": heard_ms,
            "heartbeat": heartbeat,
        }
    transaction.run(statement, list(rows.values()))


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


def wearables_listed(connection: Connection) -> list[dict[str, Any]]:
    """The newest heartbeat of every wearable."""
    rows = connection.execute(select(schema.wearables).order_by(schema.wearables.c.wearable))
    return [
        {**json.loads(row.heartbeat), "area": row.area, "gateway": row.gateway, "heard_at": iso(row.heard_ms)}
        for row in rows
    ]


def _view(row: Any, now_ms: int) -> dict[str, Any]:
    lost = row.state == "online" and now_ms - row.seen_ms > LOST_AFTER_MS
    return {
        "area": row.area,
        "gateway": row.gateway,
        "state": "lost" if lost else row.state,
        "since": iso(row.seen_ms + LOST_AFTER_MS if lost else row.since_ms),
        "seen_at": iso(row.seen_ms),
        "heartbeat": None if row.heartbeat is None else json.loads(row.heartbeat),
        "revision": row.revision,
    }
