"""Workers' visits, out of what gateways say of badges: who, where, when, how long, what for. Reads; owns that shape.

A visit is a badge_arrived and the badge_left that ended it (conditions.py joins them); one without an end goes on. The
gateway's note at the end has its words: minutes, purpose, `at_least` where the minutes are a lower bound, and `silent`,
how many minutes before the event the badge was heard last, where nobody said that the visit is over.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, select

from edge_daemon.clock import iso
from protocol import kinds
from tools.desk.store import schema

LISTED_MOST = 100
_PURPOSES = re.compile(r"[a-z_]{1,32}(,[a-z_]{1,32})*", re.ASCII)
_MINUTES = re.compile(r"[0-9]{1,6}", re.ASCII)

_c = schema.incidents.c


def listed(connection: Connection) -> list[dict[str, Any]]:
    """The newest: badge, area, gateway, arrived_at, left_at, minutes, at_least, purposes; null where not known."""
    arrived = kinds.BY_CODE[kinds.BADGE_ARRIVED].name
    own = (_c.kind == arrived) & (_c.source == "gateway")
    rows = connection.execute(select(schema.incidents).where(own).order_by(_c.id.desc()).limit(LISTED_MOST)).all()
    ends = [row.ended_by for row in rows if row.ended_by is not None]
    notes = {row.event: row.remark for row in connection.execute(select(schema.incidents).where(_c.event.in_(ends)))}
    said = schema.reports.c
    heard = connection.execute(select(schema.reports).where(said.event.in_([row.event for row in rows])))
    where = {row.event: (row.area, row.gateway) for row in heard}
    return [_visit(row, notes.get(row.ended_by), *where[row.event]) for row in rows]


def _visit(row: Any, note: str | None, area: str, gateway: str) -> dict[str, Any]:
    arrived_ms = row.accepted_ms if row.pressed_ms is None else row.pressed_ms
    words = dict(word.partition("=")[::2] for word in (note or "").split())
    minutes, purpose = words.get("minutes", ""), words.get("purpose", "")
    silent = words.get("silent", "")
    silent_ms = int(silent) * 60_000 if _MINUTES.fullmatch(silent) else 0
    known = _PURPOSES.fullmatch(purpose) and purpose != "none"
    return {
        "badge": row.about,
        "area": area,
        "gateway": gateway,
        "arrived_at": iso(arrived_ms),
        "left_at": None if row.ended_ms is None else iso(max(row.ended_ms - silent_ms, arrived_ms)),
        "minutes": int(minutes) if _MINUTES.fullmatch(minutes) else None,
        "at_least": "at_least" in words,
        "purposes": purpose.split(",") if known else [],
    }
