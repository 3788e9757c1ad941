"""Visits of workers, by their badges: arrived with the first frame, left by VISIT_DONE or by silence, and what for.

Owns what a visit is. It counts from the first that was heard of it (or an earlier press of this visit) to the last, by
clocks that do not jump, over restarts of the daemon and the machine. A press that was made before, in another home
and brought here late, is none of this visit. A badge is nobody's wearable in danger until it says SOS, and that goes
the way of every SOS, past here. Told once each, in the journal (faults.py).
"""

from __future__ import annotations

from collections.abc import Callable

from edge_daemon.ages import Ages
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.heard import Alarm
from edge_daemon.presence.home import Plans
from edge_daemon.presence.kept import Kept, Moment, Visit
from protocol import codes, kinds

WORKER = "worker"
# A badge whose plan says nothing else: one heartbeat of 30 min may be lost, it has not left for that.
_GONE_AFTER_MIN = 65
# A press at the door, made before the first frame was heard here, is of this visit.
_BEFORE_MS = 300_000
# A badge that stays is written down as heard so often.
_NOTED_EVERY_MS = 60_000
_PURPOSES = {code: row.name.removeprefix("service_") for code, row in kinds.ON_AIR.items() if "service_" in row.name}


class Visits:
    """`heard` for each genuine frame of a badge, `event` for each new event, `look` every second or so."""

    def __init__(
        self, enrolled: Enrolled, faults: Faults, ages: Ages, plan: Plans, kept: Kept, changed: Callable[[], None]
    ) -> None:
        self._enrolled = enrolled
        self._faults = faults
        self._ages = ages
        self._clock = ages.clock
        self._plan = plan
        self._visits = kept.visits
        self._changed = changed

    def badges(self) -> list[str]:
        """Whose visits are told."""
        return [one.handle for one in self._enrolled.all() if one.role == WORKER and not one.revoked]

    def is_badge(self, handle: str) -> bool:
        """Whether it is a worker's, and served."""
        wearable = self._enrolled.get(handle)
        return wearable is not None and wearable.role == WORKER and not wearable.revoked

    def heard(self, badge: str) -> None:
        """It is here."""
        visit = self._visits.get(badge)
        if visit is None:
            self._begin(badge, self._now())
            return
        if visit.heard.boot_id != self._clock.boot_id or self._ms(visit.heard, self._now()) >= _NOTED_EVERY_MS:
            self._changed()
        visit.heard = self._now()

    def event(self, alarm: Alarm) -> None:
        """A press of a badge: arrived, done, or what the visit is for."""
        visit = self._visits.get(alarm.wearable)
        if visit is None or alarm.raw is not None or alarm.age_ms < 0 or alarm.age_at_least:
            # Without a visit it is no badge, or one that has gone since; and a press of no age may be anyone's visit.
            return
        pressed = Moment(alarm.boot_id, alarm.heard_ms - alarm.age_ms)
        if alarm.kind == codes.VISIT_DONE:
            self._done(alarm.wearable, visit, pressed)
        elif alarm.kind == codes.VISIT_ARRIVED or alarm.kind in _PURPOSES:
            self._pressed(alarm.wearable, visit, pressed, _PURPOSES.get(alarm.kind))

    def look(self, silent_ms: Callable[[str], int]) -> None:
        """End the visits of those that are silent too long, or not served as badges any more."""
        for badge in self._faults.about(kinds.BADGE_ARRIVED):
            if badge not in self._visits:
                # Told by a run before this one that could not write down when.
                self._visits[badge] = Visit(self._now(), self._now(), at_least=True)
                self._changed()
        for badge, visit in list(self._visits.items()):
            if visit.over is None:
                # Told already, unless the journal is another one by now.
                self._faults.condition(kinds.BADGE_ARRIVED, badge, active=True)
            if not self.is_badge(badge) or silent_ms(badge) >= self._gone_after_ms(badge):
                self._tell_left(badge, visit, visit.heard, silent=True)
                del self._visits[badge]
                self._changed()

    def _gone_after_ms(self, badge: str) -> int:
        plan = self._plan(badge)
        presence = None if plan is None else plan.presence
        return (_GONE_AFTER_MIN if presence is None else presence.away_after_min) * 60_000

    def _begin(self, badge: str, at: Moment) -> Visit:
        told = self._faults.holds(kinds.BADGE_ARRIVED, badge)
        visit = self._visits[badge] = Visit(at, self._now(), at_least=told)
        self._faults.condition(kinds.BADGE_ARRIVED, badge, active=True)
        self._changed()
        return visit

    def _pressed(self, badge: str, visit: Visit, pressed: Moment, purpose: str | None) -> None:
        if visit.over is not None:
            if self._ms(visit.over, pressed) <= 0:
                return
            # It had not gone: whoever presses after that is there for something again.
            visit = self._begin(badge, pressed)
        before_ms = self._ms(pressed, visit.began)
        if before_ms > _BEFORE_MS:
            return
        if before_ms > 0:
            visit.began = pressed
        if purpose is not None and purpose not in visit.purposes:
            visit.purposes.append(purpose)
        self._changed()

    def _done(self, badge: str, visit: Visit, pressed: Moment) -> None:
        if visit.over is not None or self._ms(pressed, visit.began) > _BEFORE_MS:
            return
        self._tell_left(badge, visit, pressed, silent=False)
        # It is still heard on its way out: that begins no visit.
        visit.over = pressed
        self._changed()

    def _tell_left(self, badge: str, visit: Visit, ended: Moment, *, silent: bool) -> None:
        minutes = max(self._ms(visit.began, ended), 0) // 60_000
        said = [f"minutes={minutes}", f"purpose={','.join(visit.purposes) or 'none'}"]
        if silent:
            said.append(f"silent={self._ages.heard_ago(ended)[0] // 60_000}")
        if visit.at_least or self._doubtful(visit.began, ended):
            said.append("at_least")
        self._faults.condition(kinds.BADGE_ARRIVED, badge, active=False, note=" ".join(said))

    def _now(self) -> Moment:
        return Moment(self._clock.boot_id, self._clock.now_ms())

    def _ms(self, earlier: Moment, later: Moment) -> int:
        """From one to the other; less than 0 where they came the other way round."""
        if earlier.boot_id == later.boot_id:
            return later.heard_ms - earlier.heard_ms
        return self._ages.heard_ago(earlier)[0] - self._ages.heard_ago(later)[0]

    def _doubtful(self, earlier: Moment, later: Moment) -> bool:
        """Whether the machine was off in between, and for how long nobody knows."""
        return earlier.boot_id != later.boot_id and self._ages.heard_ago(earlier)[1] == "at_least"
