"""Writes reports: each event becomes one incident, however often and through whomever it comes.

Owns the merging of reports. Guarantee: after `record`, the event is in the transaction exactly once, every gateway
and link that heard it is named, and nothing that was known better is replaced by worse. Must not know MQTT.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update

from tools.desk.reading.health import Sign
from tools.desk.report import Report, better_age
from tools.desk.store import commands, conditions, gateways, schema
from tools.desk.store.store import Transaction, insert

_FROM_REPORT = (
    "event", "wearable", "number", "kind", "event_class", "urgency", "detail", "test", "restore", "refers_to", "raw",
    "dty", "stc", "lco", "contact_id", "source", "about", "remark", "battery_percent", "pressed_ms", "age_quality",
)  # fmt: skip
_KNOWN = ("event", "stage", "pressed_ms", "age_quality", "late")
_BETTERED = ("pressed_ms", "age_quality", "late", "revision")
_ReportKey = tuple[str, str, str, str]

# Built once: that took longer than to execute them.
_events: BindParameter[Any] = bindparam("events", expanding=True)
_KNOWN_OF = select(*[schema.incidents.c[name] for name in _KNOWN]).where(schema.incidents.c.event.in_(_events))
_said = schema.reports.c
_HEARD_OF = select(_said.event, _said.area, _said.gateway, _said.link).where(_said.event.in_(_events))
_BETTER = (
    update(schema.incidents)
    .where(schema.incidents.c.event == bindparam("of_event"))
    .values({name: bindparam(f"new_{name}") for name in _BETTERED})
)


def revisions_for(reports: list[Report]) -> int:
    """How many revisions a transaction needs at most to record these."""
    settling = sum(conditions.settles(report) for report in reports)
    looks = commands.REVISIONS * len({report.wearable for report in reports if commands.answers(report)})
    return len(reports) + len({report.refers_to for report in reports}) + settling * conditions.REVISIONS + looks


def record(transaction: Transaction, reports: list[Report], now_ms: int) -> dict[str, str]:
    """Store reports, commit time `now_ms`. Returns each event's present stage: accepted, answered or closed."""
    known = _known(transaction, {report.event for report in reports})
    heard = _heard(transaction, set(known))
    new: dict[str, dict[str, Any]] = {}
    changed: dict[str, dict[str, Any]] = {}
    rows: dict[_ReportKey, dict[str, Any]] = {}
    for report in reports:
        key = (report.event, report.area, report.gateway, report.link)
        row = known.get(report.event)
        if row is None:
            row = known[report.event] = new[report.event] = _incident(report, now_ms)
        elif _improve(row, report) or (key not in heard and key not in rows):
            changed[report.event] = row
        _add(rows, key, report)
    _write(transaction, new, changed, list(rows.values()), now_ms)
    _touch(transaction, {row["refers_to"] for row in new.values() if row["refers_to"]} - set(new) - set(changed))
    for wearable in {report.wearable for report in reports if report.event in new and commands.answers(report)}:
        commands.touch(transaction, wearable)
    gateways.heard(transaction, _signs(reports))
    closed = conditions.settle(transaction, [report for report in reports if report.event in new], now_ms)
    return {event: "closed" if event in closed else row["stage"] for event, row in known.items()}


def _signs(reports: list[Report]) -> list[Sign]:
    """That a wearable said something says that it is there. What could not be read may say anything."""
    return [
        Sign(report.wearable, report.area, report.gateway, report.heard_ms)
        for report in reports
        if report.source == "wearable" and report.link != "unknown"
    ]


def _known(transaction: Transaction, events: Iterable[str]) -> dict[str, dict[str, Any]]:
    found = transaction.connection.execute(_KNOWN_OF, {"events": list(events)})
    return {row.event: dict(row._mapping) for row in found}  # noqa: SLF001  # SQLAlchemy's public name for it


def _heard(transaction: Transaction, events: set[str]) -> set[_ReportKey]:
    if not events:
        return set()
    found = transaction.connection.execute(_HEARD_OF, {"events": list(events)})
    return {(row.event, row.area, row.gateway, row.link) for row in found}


def _incident(report: Report, now_ms: int) -> dict[str, Any]:
    row = {name: getattr(report, name) for name in _FROM_REPORT}
    return {**row, "late": report.is_late, "stage": "accepted", "accepted_ms": now_ms, "by_itself": False}


def _improve(row: dict[str, Any], report: Report) -> bool:
    """Take over a better age. An event that was late stays so unless its age was not known well."""
    if not better_age(report, row["age_quality"], row["pressed_ms"]):
        return False
    same_quality = report.age_quality == row["age_quality"]
    row["late"] = report.is_late or (same_quality and row["late"])
    row["pressed_ms"], row["age_quality"] = report.pressed_ms, report.age_quality
    return True


def _add(rows: dict[_ReportKey, dict[str, Any]], key: _ReportKey, report: Report) -> None:
    """One row per event, gateway and link in a statement; copies in one batch are counted."""
    row = rows.get(key)
    if row is not None:
        row["times"] += 1
        row["last_received_ms"] = report.received_ms
        return
    rows[key] = {
        "event": report.event,
        "area": report.area,
        "gateway": report.gateway,
        "link": report.link,
        "rssi_dbm": report.rssi_dbm,
        "battery_percent": report.battery_percent,
        "stored": report.stored,
        "sealed": report.sealed,
        "heard_ms": report.heard_ms,
        "received_ms": report.received_ms,
        "last_received_ms": report.received_ms,
        "times": 1,
    }


def _write(
    transaction: Transaction,
    new: dict[str, dict[str, Any]],
    changed: dict[str, dict[str, Any]],
    rows: list[dict[str, Any]],
    now_ms: int,
) -> None:
    for row in (*new.values(), *changed.values()):
        row["revision"] = transaction.next_revision()
    # No other writer can have inserted it since `_known`: the transaction has the turn (Store.write).
    transaction.run(schema.incidents.insert(), list(new.values()))
    accepted = [{"event": event, "action": "accepted", "at_ms": now_ms} for event in new]
    transaction.run(schema.actions.insert(), accepted)
    values = [
        {"of_event": event, **{f"new_{name}": row[name] for name in _BETTERED}}
        for event, row in changed.items()
        if event not in new
    ]
    transaction.run(_BETTER, values)
    transaction.run(_upsert(transaction.dialect), rows)


@cache
def _upsert(dialect: str) -> Any:
    """What a gateway says first about hearing stays; a repeat only counts, and tells that it is stored by now."""
    statement = insert(dialect, schema.reports)
    said = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["event", "area", "gateway", "link"],
        set_={
            "times": schema.reports.c.times + said.times,
            "last_received_ms": said.last_received_ms,
            "stored": schema.reports.c.stored | said.stored,
        },
    )


def _touch(transaction: Transaction, events: set[str]) -> None:
    """Events that another one refers to look different now: a cancelled SOS must show it."""
    for event in sorted(events):
        statement = update(schema.incidents).where(schema.incidents.c.event == event)
        transaction.run(statement.values(revision=transaction.next_revision()))
