"""Gateways' own events that need nobody's click: what began and is over, tests of ways out, restarts.

Owns which event ends which, and that both are closed in the transaction that stores the later of the two, in whichever
order they come: within one journal numbers rise, so the number says what was first. `by_itself` marks what no person
closed; it stays in the history. Urgent and security events are for people and are never closed here, only marked as
over. Nothing that a wearable says, and no class but the one of protocol/kinds.py, is ever closed by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

from protocol import kinds
from tools.desk.report import Report
from tools.desk.store import schema
from tools.desk.store.actions import note_action, owe
from tools.desk.store.store import Transaction

# Over by the gateway's own word; or nothing to be dealt with; or overtaken by what the gateway said later.
ITSELF, NOTED, OVERTAKEN = "itself", "noted", "overtaken"
# So many are closed at most by one event. A gateway has a condition once at a time; more only where ends were lost.
_CLOSED_MOST = 30
REVISIONS = 4 * _CLOSED_MOST + 4
# A gateway that starts again and again is a person's business; one that was updated or whose mains came back is not.
_RESTARTS = 3
_RESTARTS_WITHIN_MS = 86_400_000
# So many numbers before one are looked at: a year's would be looked through for nothing. Each start leaves out 64.
_LOOKED_BACK = 1000

_FAULT = kinds.CLASSES.index("fault")
_OWN = {kind.name: kind for kind in kinds.BY_CODE.values() if kind.code >= kinds.FIRST_OF_GATEWAY}
_NAME = {code: kind.name for code, kind in kinds.BY_CODE.items()}
# The end of each condition.
_END = {_NAME[kind.code - 1]: kind.name for kind in _OWN.values() if kind.restore}
_END[_NAME[kinds.WEARABLE_MISSING]] = _END[_NAME[kinds.SUPERVISION_LOST]]
# What the arrival of a kind leaves behind: the same certificate's earlier warning.
_CERTIFICATE = _NAME[kinds.CERTIFICATE_EXPIRES]
_OVERTAKES = {_CERTIFICATE: _CERTIFICATE, _NAME[kinds.CERTIFICATE_EXPIRES_SOON]: _CERTIFICATE}
_RESTARTED = _NAME[kinds.RESTARTED]

_c = schema.incidents.c
_Incident = Row[Any]


def settle(transaction: Transaction, reports: list[Report], now_ms: int) -> set[str]:
    """Close what these new events, stored already, end or leave behind, and those among them that need nobody.

    Returns which are closed now. Of the new ones gateways hear by the answer, of the others by news.
    """
    own = {report.event: report for report in reports if report.source == "gateway"}
    settling = _Settling(transaction, own, now_ms)
    for report in {report.wearable: report for report in own.values()}.values():
        settling.journal(report)
    for report in own.values():
        known = _OWN.get(report.kind)
        if known is not None and known.event_class == report.event_class:
            settling.event(report)
    return settling.closed


class _Settling:
    """One transaction's work. `new`: the events that are stored in it."""

    def __init__(self, transaction: Transaction, new: dict[str, Report], now_ms: int) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._new = new
        self._now_ms = now_ms
        self.closed: set[str] = set()

    def journal(self, report: Report) -> None:
        """A gateway with a new journal tells anew whatever is wrong: what the old one began, nothing will end."""
        before = _of_journal(report.event) & _c.event.not_in(list(self._new))
        if self._connection.execute(select(_c.event).where(before).limit(1)).first() is not None:
            return
        said = schema.reports.c
        by_it = select(said.event).where((said.area == report.area) & (said.gateway == report.gateway))
        others = (_c.stage != "closed") & (_c.source == "gateway") & (_c.wearable != report.wearable)
        faults = (_c.urgency >= _FAULT) & _c.kind.in_(list(_END)) & _c.event.in_(by_it)
        for row in self._connection.execute(select(schema.incidents).where(others & faults).limit(_CLOSED_MOST)).all():
            self._close(row, OVERTAKEN)

    def event(self, report: Report) -> None:
        """One event of a kind and class that we know."""
        row = self._connection.execute(select(schema.incidents).where(_c.event == report.event)).one()
        began = [name for name, end in _END.items() if end == report.kind]
        for one in self._open(report, began):
            self._over(one, row)
        for one in self._ended_too_late(report, began):
            self._change(one.event, **_ended(row))
        end = self._end_of(report)
        if end is not None and row.ended_by is None:
            self._over(row, end)
        elif end is not None and row.ended_by > end.event:
            # A later end, which came together with it, has closed it already.
            self._change(row.event, **_ended(end))
        for one in self._open(report, [_OVERTAKES.get(report.kind, "")]):
            self._close(one, OVERTAKEN)
        if began:
            self._close(row, ITSELF)
        elif report.test or (report.kind == _RESTARTED and not self._too_often(report)):
            self._close(row, NOTED)

    def _open(self, report: Report, names: list[str]) -> list[_Incident]:
        """What is open and not over of these kinds, came before in the same journal, and is about the same."""
        of_journal = (_c.wearable == report.wearable) & (_c.stage != "closed") & (_c.source == "gateway")
        same = _c.kind.in_(names) & _c.about.is_not_distinct_from(report.about) & (_c.event < report.event)
        query = select(schema.incidents).where(of_journal & same & _c.ended_ms.is_(None)).order_by(_c.event.desc())
        return list(self._connection.execute(query.limit(_CLOSED_MOST))) if any(names) else []

    def _ended_too_late(self, report: Report, names: list[str]) -> list[_Incident]:
        """What a later event ended, because this earlier end came after it."""
        before = (_c.event > _earlier(report)) & (_c.event < report.event) & (_c.ended_by > report.event)
        same = _c.kind.in_(names) & _c.about.is_not_distinct_from(report.about) & (_c.source == "gateway")
        query = select(schema.incidents).where(before & same & (_c.ended_by < report.event[:17] + "g"))
        return list(self._connection.execute(query.limit(_CLOSED_MOST))) if names else []

    def _end_of(self, report: Report) -> _Incident | None:
        """The end of a condition whose beginning came after it."""
        if report.kind not in _END:
            return None
        later = _of_journal(report.event) & (_c.event > report.event) & (_c.source == "gateway")
        same = (_c.kind == _END[report.kind]) & _c.about.is_not_distinct_from(report.about)
        query = select(schema.incidents).where(later & same).order_by(_c.event).limit(1)
        return self._connection.execute(query).first()

    def _too_often(self, report: Report) -> bool:
        """Whether this restart is for a person: the third within a day, unless one of them is before people now."""
        others = (_c.event > _earlier(report)) & _of_journal(report.event) & (_c.event != report.event)
        rows = self._connection.execute(select(_c.kind, _c.stage, _c.accepted_ms).where(others)).all()
        lately_ms = self._now_ms - _RESTARTS_WITHIN_MS
        lately = [row for row in rows if row.kind == _RESTARTED and row.accepted_ms > lately_ms]
        return len(lately) + 1 >= _RESTARTS and all(row.stage == "closed" for row in lately)

    def _over(self, row: _Incident, end: _Incident) -> None:
        """A condition is over. What is more than a fault is only marked: a person closes it."""
        if row.urgency >= _FAULT:
            self._close(row, ITSELF, **_ended(end))
        else:
            self._change(row.event, **_ended(end))

    def _close(self, row: _Incident, outcome: str, **more: Any) -> None:
        if row.stage == "closed" or row.event in self.closed:
            return
        self._change(row.event, stage="closed", outcome=outcome, by_itself=True, closed_ms=self._now_ms, **more)
        note_action(self._transaction, row.event, "closed", self._now_ms, outcome=outcome)
        if row.event not in self._new:
            owe(self._transaction, row.event, "closed")
        self.closed.add(row.event)

    def _change(self, event: str, **values: Any) -> None:
        statement = update(schema.incidents).where(_c.event == event)
        self._transaction.run(statement.values(**values, revision=self._transaction.next_revision()))


def _ended(end: _Incident) -> dict[str, Any]:
    return {"ended_ms": end.accepted_ms if end.pressed_ms is None else end.pressed_ms, "ended_by": end.event}


def _earlier(report: Report) -> str:
    """An identity in the same journal, not long before."""
    return f"{report.event[:16]}-{max(report.number - _LOOKED_BACK, 0):06x}"


def _of_journal(event: str) -> ColumnElement[bool]:
    """Events of the same journal, by the index of events: handle, hyphen, number."""
    return (_c.event >= event[:17]) & (_c.event < event[:17] + "g")
