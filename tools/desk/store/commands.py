"""Operators' calls to look at a wearable, and what became of them. Owns those rows and how an incident shows them.

A call goes to every gateway of the wearable; the best result counts. Whoever answers on the wearable does so by an
event of its own (checkin_answered, look), which is joined here on reading.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from edge_daemon.clock import iso
from protocol import codes, kinds
from tools.desk.reading.results import CommandResult
from tools.desk.report import Report
from tools.desk.store import schema
from tools.desk.store.care import Gateway
from tools.desk.store.store import Transaction

LOOK = "look"
# One call, or one result, changes how so many open incidents look, at most.
REVISIONS = 64
_KEPT_MS = 30 * 86_400_000
_RANK = {"done": 0, "queued": 1, None: 2, "refused": 3, "expired": 4}
_ANSWER = kinds.BY_CODE[codes.CHECKIN_ANSWERED].name
_LOOKED = kinds.DETAILS[codes.CHECKIN_ANSWERED][codes.PROMPT_LOOK]

_c, _i = schema.commands.c, schema.incidents.c


def asked(
    transaction: Transaction, command: str, wearable: str, operator: str, gateways: list[Gateway], now_ms: int
) -> None:
    """Note a call before it is sent."""
    row = {"command": command, "wearable": wearable, "name": LOOK, "operator": operator, "asked_ms": now_ms}
    transaction.run(schema.commands.insert(), [{**row, "area": area, "gateway": name} for area, name in gateways])
    touch(transaction, wearable)


def became(transaction: Transaction, said: CommandResult) -> bool:
    """Note a result. False: there is no such command of this gateway."""
    same = (_c.command == said.command) & (_c.area == said.area) & (_c.gateway == said.gateway)
    wearable = transaction.connection.execute(select(_c.wearable).where(same)).scalar_one_or_none()
    if wearable is None:
        return False
    transaction.run(update(schema.commands).where(same).values(result=said.result, reason=said.reason))
    touch(transaction, wearable)
    return True


def answers(report: Report) -> bool:
    """Whether an event answers a call to look at the watch."""
    return report.source == "wearable" and (report.kind, report.detail) == (_ANSWER, _LOOKED)


def touch(transaction: Transaction, wearable: str) -> None:
    """Open incidents of a wearable, or about it, look different now: pages are to hear of it."""
    of_it = (_i.wearable == wearable) | (_i.about == wearable)
    query = select(_i.event).where(of_it & (_i.stage != "closed")).order_by(_i.id.desc()).limit(REVISIONS)
    for event in transaction.connection.execute(query).scalars().all():
        change = update(schema.incidents).where(_i.event == event)
        transaction.run(change.values(revision=transaction.next_revision()))


def purge(transaction: Transaction, now_ms: int) -> None:
    """Forget calls that nobody will ask about."""
    transaction.run(delete(schema.commands).where(_c.asked_ms < now_ms - _KEPT_MS))


def looks(connection: Connection, wearables: set[str]) -> dict[str, dict[str, Any]]:
    """Of each wearable its newest call: by whom, when, what became of it, and when somebody answered."""
    rows = connection.execute(select(schema.commands).where(_c.wearable.in_(wearables)).order_by(_c.asked_ms)).all()
    newest = {row.wearable: row for row in rows}
    found = {}
    for wearable, last in newest.items():
        best = min((row for row in rows if row.command == last.command), key=lambda row: _RANK.get(row.result, 2))
        answered = _answered(connection, wearable, last.asked_ms)
        found[wearable] = {
            "at": iso(last.asked_ms),
            "operator": last.operator,
            "result": best.result,
            "reason": best.reason,
            "answered_at": None if answered is None else iso(answered),
        }
    return found


def _answered(connection: Connection, wearable: str, asked_ms: int) -> int | None:
    """When a look was answered that was asked for at this time."""
    of_it = (_i.event >= f"{wearable}-") & (_i.event < f"{wearable}-g") & (_i.source == "wearable")
    # An answer to an earlier call may come late.
    at_ms = func.coalesce(_i.pressed_ms, _i.accepted_ms)
    answer = of_it & (_i.kind == _ANSWER) & (_i.detail == _LOOKED) & (at_ms >= asked_ms)
    found: int | None = connection.execute(select(func.min(at_ms)).where(answer)).scalar_one()
    return found
