"""Reads incidents as the page and the API show them. Owns that JSON shape; writes nothing.

An incident: event, wearable, number, kind, class, detail, test, restore, refers_to, raw, scaip, contact_id,
battery_percent, late, age_quality, stage, operator, outcome, note, stages {pressed, heard, accepted, answered, closed:
RFC 3339, each only where known}, reports [{area, gateway, link, rssi_dbm, heard_at, received_at, times, stored,
sealed}], cancelled_by [{event, stage, at}], revision; position {at, latitude, longitude, accuracy_m}: the newest of the
event, or null; look {at, operator, result, reason, answered_at}: the last call to look at the watch since, or null. Of
gateways' own events also: source, about, remark. ended_at and ended_by once it is over; by_itself: closed by no person.
Who asks for one incident also gets its `actions`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from edge_daemon.clock import iso
from protocol import kinds
from tools.desk import positions
from tools.desk.store import commands, schema, trails

View = dict[str, Any]
# More open incidents than this fill no page in time; the count still tells.
OPEN_MOST = 5000
CLOSED_MOST = 50

_BADGES = [kinds.BY_CODE[code].name for code in (kinds.BADGE_ARRIVED, kinds.BADGE_ARRIVED + 1)]

_c = schema.incidents.c


def revision(connection: Connection) -> int:
    """The number of the last change."""
    value: int = connection.execute(select(schema.revision.c.value)).scalar_one()
    return value


def listed(connection: Connection) -> View:
    """Open incidents, most urgent and newest first, then the last closed ones, with the revision they are of."""
    changed = revision(connection)
    is_open = _c.stage != "closed"
    opened = select(schema.incidents).where(is_open).order_by(_c.urgency, _c.id.desc()).limit(OPEN_MOST)
    by_hand, by_itself = _closed(by_itself=False), _closed(by_itself=True)
    count = connection.execute(select(func.count()).select_from(schema.incidents).where(is_open)).scalar_one()
    views = [view for query in (opened, by_hand, by_itself) for view in _views(connection, query)]
    return {"revision": changed, "open": count, "incidents": views}


def _closed(*, by_itself: bool) -> Select[Any]:
    """The last closed ones: what closes by itself must not push out what people did."""
    closed = (_c.stage == "closed") & (_c.by_itself == by_itself)
    if by_itself:
        # Tests of ways out are three a day and gateway: heartbeats say when each was passed. Visits: visits.py.
        closed &= ~((_c.test | _c.kind.in_(_BADGES)) & (_c.source == "gateway"))
    return select(schema.incidents).where(closed).order_by(_c.closed_ms.desc(), _c.id.desc()).limit(CLOSED_MOST)


def since(connection: Connection, revision: int, most: int) -> list[View]:
    """Incidents changed after a revision, in the order of their changes."""
    changed = select(schema.incidents).where(_c.revision > revision).order_by(_c.revision).limit(most)
    return _views(connection, changed)


def one(connection: Connection, event: str) -> View | None:
    """One incident with its actions, or None."""
    found = _views(connection, select(schema.incidents).where(_c.event == event))
    if not found:
        return None
    table = schema.actions.c
    done = connection.execute(select(schema.actions).where(table.event == event).order_by(table.id))
    found[0]["actions"] = [
        {"action": r.action, "operator": r.operator, "outcome": r.outcome, "note": r.note, "at": iso(r.at_ms)}
        for r in done
    ]
    return found[0]


def _views(connection: Connection, query: Select[Any]) -> list[View]:
    incidents = list(connection.execute(query))
    events = [row.event for row in incidents]
    reports: dict[str, list[Row[Any]]] = defaultdict(list)
    cancels: dict[str, list[View]] = defaultdict(list)
    if events:
        table = schema.reports.c
        heard = select(schema.reports).where(table.event.in_(events)).order_by(table.received_ms, table.gateway)
        for row in connection.execute(heard):
            reports[row.event].append(row)
        about = select(_c.event, _c.refers_to, _c.stage, _c.pressed_ms, _c.accepted_ms).where(_c.refers_to.in_(events))
        for row in connection.execute(about.order_by(_c.id)):
            at_ms = row.accepted_ms if row.pressed_ms is None else row.pressed_ms
            cancels[row.refers_to].append({"event": row.event, "stage": row.stage, "at": iso(at_ms)})
    places = trails.places(connection, events) if events else {}
    found = [_view(row, reports[row.event], cancels[row.event]) for row in incidents]
    looks = commands.looks(connection, {whose for view in found if (whose := _whose(view))}) if found else {}
    for view in found:
        place = places.get(view["event"])
        view["position"] = None if place is None else positions.view(place)
        look = looks.get(_whose(view) or "")
        # One of before it says nothing of it.
        view["look"] = look if look is not None and look["at"] >= view["stages"]["accepted"] else None
    return found


def _whose(view: View) -> str | None:
    """The wearable that an incident is of; of a gateway's own event, that it is about."""
    whose: str | None = view["wearable"] if view["source"] == "wearable" else view["about"]
    return whose


def _view(row: Row[Any], reports: Sequence[Row[Any]], cancelled_by: list[View]) -> View:
    heard_ms = min((report.heard_ms for report in reports), default=None)
    at = {
        "pressed": row.pressed_ms,
        "heard": heard_ms,
        "accepted": row.accepted_ms,
        "answered": row.answered_ms,
        "closed": row.closed_ms,
    }
    scaip = {"dty": row.dty, "stc": row.stc}
    if row.lco is not None:
        scaip["lco"] = row.lco
    same = (
        "event", "source", "about", "remark", "by_itself", "ended_by",
        "wearable", "number", "kind", "detail", "test", "restore", "refers_to", "raw", "contact_id",
        "battery_percent", "late", "age_quality", "stage", "operator", "outcome", "note", "revision",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in same},
        "class": row.event_class,
        "ended_at": None if row.ended_ms is None else iso(row.ended_ms),
        "scaip": scaip,
        "stages": {stage: iso(ms) for stage, ms in at.items() if ms is not None},
        "reports": [_report(report) for report in reports],
        "cancelled_by": cancelled_by,
    }


def _report(row: Row[Any]) -> View:
    same = ("area", "gateway", "link", "rssi_dbm", "stored", "sealed", "times")
    return {
        **{name: getattr(row, name) for name in same},
        "heard_at": iso(row.heard_ms),
        "received_at": iso(row.received_ms),
    }
