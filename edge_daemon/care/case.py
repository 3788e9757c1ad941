"""All that care holds of one wearer: the plan and the settings, the check-ins, the stillness. Owns what falls to it.

Must not know the other wearers, messages or disks. Times of day are milliseconds since 1970, and believed; others are
of the boot-time clock.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from edge_daemon.care.checkins import CheckIns
from edge_daemon.care.inactivity import Stillness
from edge_daemon.care.mail import Boxed, Reply
from edge_daemon.care.plan import Plan
from edge_daemon.care.schedule import Due, falls_due, local
from edge_daemon.care.settings import Settings

# What is asked later than this wakes nobody in their quiet hours.
_LATE_MS = 120_000
_KEPT_EVERY_MS = 600_000


class Case:
    """`plan_box` and `plan` are one thing, sealed and read. `refused`: what was last told of one that was refused."""

    def __init__(self, handle: str, checkins: CheckIns, settings: Settings) -> None:
        self.handle = handle
        self.checkins = checkins
        self.settings = settings
        self.still = Stillness()
        self.plan_box: Boxed | None = None
        self.plan: Plan | None = None
        self.refused = ""
        # Nothing that fell due before the plan came is asked for; None: it came when nobody knew the time.
        self._since_ms: int | None = None
        self._kept_still_ms = 0

    def take(self, boxed: Boxed, plan: Plan, wall_ms: int | None) -> None:
        """A newer plan is in force from now on."""
        self.plan_box, self.plan, self._since_ms, self.refused = boxed, plan, wall_ms, ""
        self.checkins.plan_changed(plan)

    def fall_due(self, after_ms: int, wall_ms: int, unasked: str) -> None:
        """Time of day has gone on: have asked what fell due. `unasked`: why what is too late was not asked in time."""
        if self._since_ms is None:
            self._since_ms = wall_ms
        if self.plan is None:
            return
        too_late: dict[str, list[Due]] = defaultdict(list)
        for due in falls_due(self.plan, max(after_ms, self._since_ms), wall_ms):
            late_ms = wall_ms - due.at_ms
            wakes = late_ms > _LATE_MS and self.plan.is_quiet(local(self.plan, wall_ms))
            if late_ms < due.checkin.answer_within_s * 1000 and not wakes:
                self.checkins.due(due, late_ms)
            else:
                too_late[due.checkin.id].append(due)
        for dues in too_late.values():
            self.checkins.missed(dues, wall_ms - dues[-1].at_ms, unasked)

    def inactive(self, now_ms: int, wall_ms: int | None, *, told: bool) -> bool:
        """Whether nothing has been seen of the wearer for too long. `told`: whether that is what was said last."""
        rule = self.plan.inactivity if self.plan is not None else None
        if self.plan is None or rule is None:
            return False
        counts = wall_ms is not None
        if wall_ms is not None:
            now = local(self.plan, wall_ms)
            counts = not self.plan.is_quiet(now) and not self.plan.is_away(now)
        self.still.look(now_ms, counts=counts)
        return self.still.judged(rule.after_min, told=told)

    @property
    def holds(self) -> bool:
        """Whether the platform has sent anything for this one."""
        return self.plan_box is not None or self.settings.kept is not None

    @property
    def grown(self) -> bool:
        """Whether the stillness has changed by so much that it is to be kept."""
        return abs(self.still.still_ms - self._kept_still_ms) >= _KEPT_EVERY_MS

    def reply(self, reason: str | None = None) -> Reply:
        """The versions in force, and why something was refused."""
        version = None if self.plan_box is None else self.plan_box.version
        return Reply(self.handle, version, self.settings.lives_by, reason)

    def row(self, offset_ms: int | None) -> dict[str, Any]:
        """All that is to be kept."""
        self._kept_still_ms = self.still.still_ms
        return {
            "plan": None if self.plan_box is None else [self.plan_box.version, self.plan_box.box.hex()],
            "since": self._since_ms,
            "refused": self.refused,
            **self.settings.row(),
            **self.checkins.rows(offset_ms),
            **self.still.row(),
        }

    def resume(self, row: dict[str, Any], plan: tuple[Boxed, Plan] | None, offset_ms: int | None) -> None:
        """Go on where a run before this one ended. `plan`: that of the row, opened."""
        if plan is not None:
            self.plan_box, self.plan = plan
        self._since_ms, self.refused = row["since"], row["refused"]
        self.still = Stillness.from_row(row)
        self._kept_still_ms = self.still.still_ms
        self.settings.resume(row)
        self.checkins.resume(row, offset_ms)
