"""Events that need nobody's click: what began and is over, what says that all is well, tests of ways out, restarts.

Owns which event ends which, and that both are closed in the transaction that stores the later of the two, in whichever
order they come: within one journal, and of one wearable, numbers rise, so the number says what was first. `by_itself`
marks what no person closed; it stays in the history. Emergencies, urgent and security events are for people: never
closed here, only marked as over. What ends them is. So an alarm, or a request, of a wearable stays open until a person
closes it, whatever else it says. No class but the one of protocol/kinds.py counts, and fall_recovered ends nothing:
somebody fell.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, update

from protocol import codes, kinds
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
_WORN = {kind.name: kind for kind in kinds.ON_AIR.values()}
_KINDS = {"gateway": _OWN, "wearable": _WORN}
_NAME = {code: kind.name for code, kind in kinds.BY_CODE.items()}
# The end of each condition.
_END = {_NAME[kind.code - 1]: kind.name for kind in _OWN.values() if kind.restore}
_END[_NAME[kinds.WEARABLE_MISSING]] = _END[_NAME[kinds.SUPERVISION_LOST]]
_SETTLED = _NAME[kinds.CHECKIN_SETTLED]
_END |= dict.fromkeys((_NAME[kinds.CHECKIN_SILENT], _NAME[kinds.CHECKIN_NOT_WORN]), _SETTLED)
# A visit: open while it lasts, shown as one (visits.py) and never as something wrong.
_END[_NAME[kinds.BADGE_ARRIVED]] = _NAME[kinds.BADGE_ARRIVED + 1]
# A wearer's own. A fence is one by its number, which is the detail.
_END |= {
    _NAME[codes.FENCE_LEFT]: _NAME[codes.FENCE_ENTERED],
    _NAME[codes.HOME_LEFT]: _NAME[codes.HOME_RETURNED],
    _NAME[codes.WEARABLE_REMOVED]: _NAME[codes.WEARABLE_WORN],
    "wearable_battery_low": "wearable_battery_ok",
    "wearable_battery_critical": "wearable_battery_ok",
}
# Of a wearable: says that somebody is well, or where a worker is; read by whoever asks, and dealt with by nobody.
_NOTED = {_NAME[code] for code in (codes.CHECKIN_ANSWERED, codes.VISIT_ARRIVED, codes.VISIT_DONE)}
# What the arrival of a kind leaves behind: the same certificate's earlier warning, and what was out of use before.
_CERTIFICATE = _NAME[kinds.CERTIFICATE_EXPIRES]
_OVERTAKES = {_CERTIFICATE: _CERTIFICATE, _NAME[kinds.CERTIFICATE_EXPIRES_SOON]: _CERTIFICATE}
_OVERTAKES |= {_NAME[kinds.WEARABLE_IMPAIRED]: _NAME[kinds.WEARABLE_IMPAIRED]}
_RESTARTED = _NAME[kinds.RESTARTED]
_ENDS = set(_END.values())

_c = schema.incidents.c
_Incident = Row[Any]


def settle(transaction: Transaction, reports: list[Report], now_ms: int) -> set[str]:
    """Close what these new events, stored already, end or leave behind, and those among them that need nobody.

    Returns which are closed now. Of the new ones gateways hear by the answer, of the others by news.
    """
    new = {report.event: report for report in reports}
    settling = _Settling(transaction, new, now_ms)
    for report in {report.wearable: report for report in new.values() if report.source == "gateway"}.values():
        settling.journal(report)
    for report in new.values():
        known = _KINDS[report.source].get(report.kind)
        if known is not None and known.event_class == report.event_class and settles(report):
            settling.event(report)
    return settling.closed


def settles(report: Report) -> bool:
    """Whether a new event may close or end anything. Most of a wearable's may not, and cost nothing here."""
    return report.source == "gateway" or report.kind in _END or report.kind in _NOTED or report.kind in _ENDS


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
        elif self._needs_nobody(report):
            self._close(row, NOTED)

    def _needs_nobody(self, report: Report) -> bool:
        if report.source == "wearable":
            return report.kind in _NOTED
        return report.test or (report.kind == _RESTARTED and not self._too_often(report))

    def _open(self, report: Report, names: list[str]) -> list[_Incident]:
        """What is open and not over of these kinds, came before in the same journal, and is about the same."""
        of_journal = (_c.wearable == report.wearable) & (_c.stage != "closed")
        same = _c.kind.in_(names) & _about_the_same(report) & (_c.event < report.event)
        query = select(schema.incidents).where(of_journal & same & _c.ended_ms.is_(None)).order_by(_c.event.desc())
        return self._of_subject(report, query) if any(names) else []

    def _of_subject(self, report: Report, query: Select[Any]) -> list[_Incident]:
        rows = self._connection.execute(query.limit(_CLOSED_MOST))
        return [row for row in rows if _subject(row.kind, row.remark) == _subject(report.kind, report.remark)]

    def _ended_too_late(self, report: Report, names: list[str]) -> list[_Incident]:
        """What a later event ended, because this earlier end came after it."""
        before = (_c.event > _earlier(report)) & (_c.event < report.event) & (_c.ended_by > report.event)
        same = _c.kind.in_(names) & _about_the_same(report)
        query = select(schema.incidents).where(before & same & (_c.ended_by < report.event[:17] + "g"))
        return self._of_subject(report, query) if names else []

    def _end_of(self, report: Report) -> _Incident | None:
        """The end of a condition whose beginning came after it."""
        if report.kind not in _END:
            return None
        later = _of_journal(report.event) & (_c.event > report.event)
        same = (_c.kind == _END[report.kind]) & _about_the_same(report)
        query = select(schema.incidents).where(later & same).order_by(_c.event)
        return next(iter(self._of_subject(report, query)), None)

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


def _about_the_same(report: Report) -> ColumnElement[bool]:
    """Said by the same of the same: of a wearable, of the fence with the same number."""
    same = (_c.source == report.source) & _c.about.is_not_distinct_from(report.about)
    return same & (_c.detail == report.detail) if report.source == "wearable" else same


def _subject(kind: str, remark: str | None) -> tuple[str, ...]:
    """Which check-in is meant, by the words of the gateway's note: one that was answered settles no other."""
    if not kind.startswith("checkin_"):
        return ()
    words = dict(word.partition("=")[::2] for word in (remark or "").split())
    return tuple(words.get(name, "") for name in ("kind", "id", "on", "due"))


def _ended(end: _Incident) -> dict[str, Any]:
    return {"ended_ms": end.accepted_ms if end.pressed_ms is None else end.pressed_ms, "ended_by": end.event}


def _earlier(report: Report) -> str:
    """An identity in the same journal, not long before."""
    return f"{report.event[:16]}-{max(report.number - _LOOKED_BACK, 0):06x}"


def _of_journal(event: str) -> ColumnElement[bool]:
    """Events of the same journal, by the index of events: handle, hyphen, number."""
    return (_c.event >= event[:17]) & (_c.event < event[:17] + "g")
