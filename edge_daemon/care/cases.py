"""The wearers who are cared for, by wearable: who has a case, and what the platform sends for each. Owns that table.

Must not know when anything is due, nor disks. A wearable that is revoked keeps its plan and nobody lives by it; one
that is not ours any more is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from edge_daemon.care import mail, plans
from edge_daemon.care.case import Case
from edge_daemon.care.checkins import CheckIns
from edge_daemon.care.mail import Boxed, CareRow, Reply
from edge_daemon.care.settings import Settings
from edge_daemon.care.telling import Telling
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands, Told
from edge_daemon.counters import Counters
from edge_daemon.enrolled import Enrolled
from edge_daemon.log import Log
from protocol import kinds

log = Log("care")


class Cases:
    """`get` asks who has a case already, `of` makes one. `changed` is called when there is something to keep."""

    def __init__(
        self,
        enrolled: Enrolled,
        commands: Commands,
        telling: Telling,
        changed: Callable[[], None],
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._enrolled = enrolled
        self._commands = commands
        self._telling = telling
        self._changed = changed
        self._clock = clock
        self._counters = counters
        self._cases: dict[str, Case] = {}

    def __iter__(self) -> Iterator[Case]:
        """All of them, also of those who are not served now."""
        return iter(list(self._cases.values()))

    def served(self) -> Iterator[Case]:
        """Those who are lived by."""
        return (case for case in self if case.handle in self._enrolled)

    def get(self, handle: str) -> Case | None:
        """The case of a wearable, if there is one and it is served."""
        return self._cases.get(handle) if handle in self._enrolled else None

    def of(self, handle: str) -> Case:
        """The case of a wearable, made now if need be."""
        if handle not in self._cases:
            self._cases[handle] = self._new(handle)
        return self._cases[handle]

    def _new(self, handle: str) -> Case:
        def give(code: int, args: bytes, expires_s: float, told: Told) -> Callable[[], None]:
            return self._commands.give(handle, code, args, expires_s, told)

        def say(kind: int, note: str) -> None:
            self._telling.say(handle, kind, note)
            self._changed()

        def refused() -> None:
            self._refused(case, plans.Refused(mail.NOT_GENUINE, "not_genuine settings"))

        def missed_here() -> bool:
            wearable = self._enrolled.get(handle)
            return wearable is not None and wearable.supervised

        checkins = CheckIns(handle, give, say, self._changed, self._clock.now_ms, missed_here)
        case = Case(handle, checkins, Settings(give, refused))
        return case

    def leave_others(self) -> list[str]:
        """Have done with those who are not served; returns who they are."""
        left = [case for case in self if case.handle not in self._enrolled]
        for case in left:
            case.checkins.withdraw()
            case.settings.stop()
            if self._enrolled.get(case.handle) is None:
                del self._cases[case.handle]
                self._changed()
        return [case.handle for case in left]

    # ---- what the platform sends ----

    def read(self, data: bytes, wall_ms: int | None) -> None:
        """A down/care message."""
        try:
            rows = mail.read(data)
        except mail.NotUnderstood as error:
            self._counters.add("platform_not_understood")
            log.warning("platform_not_understood", kind="care", why=str(error), size=len(data))
            return
        for row in rows:
            self._take(row, wall_ms)

    def _take(self, row: CareRow, wall_ms: int | None) -> None:
        wearable = self._enrolled.get(row.wearable)
        if wearable is None or wearable.revoked:
            self._telling.reply(Reply(row.wearable, None, None, mail.UNKNOWN_WEARABLE))
            return
        case = self.of(row.wearable)
        try:
            if plans.take(case, wearable, row, wall_ms):
                log.info("care_taken", wearable=row.wearable, plan=case.reply().plan_version)
                self._changed()
            self._telling.reply(case.reply())
        except plans.Refused as refused:
            self._refused(case, refused)

    def _refused(self, case: Case, refused: plans.Refused) -> None:
        """Tell the platform each time, a person once for each cause."""
        log.warning("care_refused", wearable=case.handle, reason=refused.reason, note=refused.note)
        self._telling.reply(case.reply(refused.reason))
        if refused.note and refused.note != case.refused:
            case.refused = refused.note
            self._telling.say(case.handle, kinds.CARE_PLAN_REFUSED, refused.note)
        self._changed()

    # ---- over restarts ----

    def rows(self, offset_ms: int | None) -> dict[str, dict[str, Any]]:
        """All that is to be kept, by wearable."""
        return {case.handle: case.row(offset_ms) for case in self}

    def resume(self, handle: str, row: dict[str, Any], offset_ms: int | None) -> None:
        """Go on with one where a run before this one ended."""
        wearable = self._enrolled.get(handle)
        if wearable is None:
            return
        case, plan = self.of(handle), None
        if row["plan"] is not None:
            boxed = Boxed(row["plan"][0], bytes.fromhex(row["plan"][1]))
            try:
                plan = boxed, plans.opened(wearable, boxed)
            except plans.Refused as refused:
                self._refused(case, refused)
        case.resume(row, plan, offset_ms)
