"""What is wrong at each gateway now, by its own word. Reads; the rules of what is open are conditions.py's."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, select

from edge_daemon.clock import iso
from protocol import kinds
from tools.desk.store import schema

_MOST = 5000
_FAULT = kinds.CLASSES.index("fault")

Faults = dict[tuple[str, str], list[dict[str, Any]]]


def faults(connection: Connection) -> Faults:
    """Of each (area, gateway) its own faults that are open: event, kind, about, note, since, stage, operator."""
    c, said = schema.incidents.c, schema.reports.c
    own = (c.stage != "closed") & (c.urgency == _FAULT) & (c.source == "gateway")
    query = select(schema.incidents, said.area, said.gateway).join(schema.reports, said.event == c.event).where(own)
    found: Faults = defaultdict(list)
    for row in connection.execute(query.order_by(c.id.desc()).limit(_MOST)):
        since_ms = row.accepted_ms if row.pressed_ms is None else row.pressed_ms
        found[row.area, row.gateway].append(
            {
                **{name: getattr(row, name) for name in ("event", "kind", "about", "stage", "operator")},
                "note": row.remark,
                "since": iso(since_ms),
            }
        )
    return found
