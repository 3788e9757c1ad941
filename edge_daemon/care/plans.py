"""Boxes that come for a wearer, judged: genuine, newer, understood. Owns the order of these questions.

Guarantee: a box is refused with its reason and nothing has changed, or is in force. The plan is opened here; settings
are sealed for the wearable, and only it can tell whether they are genuine. Must not know messages or disks.
"""

from __future__ import annotations

from edge_daemon.care import mail, plan
from edge_daemon.care.case import Case
from edge_daemon.care.mail import Boxed, CareRow
from edge_daemon.care.plan import Plan
from edge_daemon.registry import Wearable
from protocol import box


class Refused(Exception):
    """A box that is not taken. `reason`: for the platform; `note`: for whoever looks into it, "" where none need."""

    def __init__(self, reason: str, note: str = "") -> None:
        super().__init__(note or reason)
        self.reason = reason
        self.note = note


def opened(wearable: Wearable, boxed: Boxed) -> Plan:
    """The plan in a box. Raises Refused."""
    content = box.opened(box.care_key(wearable.down), box.CARE, boxed.box)
    if content is None:
        raise Refused(mail.NOT_GENUINE, "not_genuine plan")
    try:
        return plan.read(content)
    except plan.PlanNotUnderstood as error:
        raise Refused(mail.NOT_UNDERSTOOD, f"not_understood {error}") from error


def take(case: Case, wearable: Wearable, row: CareRow, wall_ms: int | None) -> bool:
    """Put in force what is newer of a row; returns whether anything was.

    Raises Refused for the first part that is not taken, when the other has been: neither stands in the other's way.
    """
    if not row.understood:
        raise Refused(mail.NOT_UNDERSTOOD, "not_understood row")
    new, refusal = False, None
    try:
        new = _take_plan(case, wearable, row.plan, wall_ms)
    except Refused as refused:
        refusal = refused
    kept = case.settings.kept
    if row.settings is not None and (kept is None or row.settings.version > kept.version):
        case.settings.put(row.settings)
        new = True
    elif row.settings is not None and kept is not None and row.settings.version < kept.version:
        refusal = refusal or Refused(mail.TOO_OLD)
    if refusal is not None:
        raise refusal
    return new


def _take_plan(case: Case, wearable: Wearable, boxed: Boxed | None, wall_ms: int | None) -> bool:
    if boxed is None:
        return False
    version = -1 if case.plan_box is None else case.plan_box.version
    if boxed.version == version:
        return False
    if boxed.version < version:
        raise Refused(mail.TOO_OLD)
    case.take(boxed, opened(wearable, boxed), wall_ms)
    return True
