"""Messages that were not of the contract, kept raw for a person to look at. Owns the bound on how many."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select

from edge_daemon.clock import iso
from tools.desk.reading.message import Fault
from tools.desk.store import schema
from tools.desk.store.store import Transaction

KEPT = 1000
_PAYLOAD_KEPT_BYTES = 16_384
_SHOWN = 50


def keep(transaction: Transaction, faults: list[Fault]) -> None:
    """Add faults and forget the oldest beyond the bound."""
    rows = [
        {
            "at_ms": fault.at_ms,
            "topic": fault.topic[:200],
            "why": fault.why[:200],
            "payload": fault.payload[:_PAYLOAD_KEPT_BYTES],
            "size_bytes": len(fault.payload),
        }
        for fault in faults[-KEPT:]
    ]
    if not rows:
        return
    transaction.run(schema.faults.insert(), rows)
    newest = transaction.connection.execute(select(func.max(schema.faults.c.id))).scalar_one()
    transaction.run(delete(schema.faults).where(schema.faults.c.id <= newest - KEPT))


def listed(connection: Connection) -> list[dict[str, Any]]:
    """The newest faults, newest first; the payload as text with what is no UTF-8 replaced."""
    rows = connection.execute(select(schema.faults).order_by(schema.faults.c.id.desc()).limit(_SHOWN))
    return [
        {
            "id": row.id,
            "at": iso(row.at_ms),
            "topic": row.topic,
            "why": row.why,
            "size_bytes": row.size_bytes,
            "payload": row.payload.decode("utf-8", "replace")[:2000],
        }
        for row in rows
    ]
