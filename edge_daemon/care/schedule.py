"""When who is to be asked. Pure: a plan and two moments in, what falls due in between out.

Owns the local times: a check-in is one of its day, whatever the clocks do. Where a zone's clocks go forward over its
time it is asked by the time as it was before; where they go back over it, at the first of the two. Must not know what
was asked already (checkins.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from edge_daemon.care.plan import CheckIn, Plan

# Of what a clock has passed over, this much is looked at.
_BACK_MOST_MS = 8 * 86_400_000


@dataclass(frozen=True, slots=True)
class Due:
    """One check-in on one day. `at_ms`: since 1970; `on`, `at`: the local date and time that name it."""

    checkin: CheckIn
    at_ms: int
    on: str
    at: str

    @property
    def name(self) -> str:
        """The same for the same check-in of the same day, for ever."""
        return f"{self.checkin.id} {self.on} {self.at}"


def local(plan: Plan, wall_ms: int) -> datetime:
    """A moment as the wearer's clock shows it."""
    return datetime.fromtimestamp(wall_ms / 1000, plan.zone)


def falls_due(plan: Plan, after_ms: int, until_ms: int) -> list[Due]:
    """What falls due after one moment and not after the other, in its order; of a longer time than 8 days the end.

    What falls within the wearer's absence is none.
    """
    after_ms = max(after_ms, until_ms - _BACK_MOST_MS)
    found = [due for day in _days(plan, after_ms, until_ms) for due in _of_day(plan, day)]
    found = [due for due in found if after_ms < due.at_ms <= until_ms and not plan.is_away(local(plan, due.at_ms))]
    return sorted(found, key=lambda due: due.at_ms)


def _days(plan: Plan, after_ms: int, until_ms: int) -> Iterator[date]:
    """The local days of that time. A time that does not exist on its day may fall into the next."""
    day, last = local(plan, after_ms).date() - timedelta(days=1), local(plan, until_ms).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _of_day(plan: Plan, day: date) -> Iterator[Due]:
    for checkin in plan.checkins:
        if day.isoweekday() in checkin.days:
            moment = datetime.combine(day, checkin.at, plan.zone).astimezone(UTC)
            yield Due(checkin, int(moment.timestamp()) * 1000, day.isoformat(), checkin.at.strftime("%H:%M"))
