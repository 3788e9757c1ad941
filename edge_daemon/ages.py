"""How long ago something was heard, and how good that is. Owns what is known of this machine's clocks over reboots.

Must not know events' meaning. The boot-time clock counts suspend, and no step of the wall clock touches it; it begins
anew at each reboot. So the journal remembers for every run of the machine how long it lasted, and the offset between
the two clocks as long as NTP vouched for it. From them an age of before a reboot is

- known, when NTP has vouched for the wall clock in that run (then or later) and vouches for it now;
- else "at least" the time that the machine is known to have run since: never more than the truth.
"""

from __future__ import annotations

from typing import Protocol

from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm

# Written down anew when it has grown by this much, for an "at least"; a clock that NTP has set is written at once.
_NOTED_EVERY_MS = 600_000
# NTP slews by less; a larger change is a step, or the first setting.
_OFFSET_MOVED_MS = 500


class Boots(Protocol):
    """Where it is remembered: the journal."""

    @property
    def boots(self) -> dict[str, tuple[int, int | None]]:
        """Each run of the machine, oldest first: boot id -> (lasted_ms, offset_ms or None)."""

    def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
        """Remember one; it may be written behind."""


class Moment(Protocol):
    """Something that was heard: in which run of the machine, and when by its boot-time clock."""

    @property
    def boot_id(self) -> str:
        """Of /proc/sys/kernel/random/boot_id."""

    @property
    def heard_ms(self) -> int:
        """Of CLOCK_BOOTTIME."""


class Ages:
    """`note` is called every minute or so; the rest whenever somebody asks."""

    def __init__(self, journal: Boots, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    @property
    def clock(self) -> Clock:
        """The clock of it all."""
        return self._clock

    def note(self) -> None:
        """Remember this run of the machine, if there is something new."""
        now_ms = self._clock.now_ms()
        lasted_ms, offset_ms = self._journal.boots.get(self._clock.boot_id, (None, None))
        new_ms = self._clock.wall_at(0) if self._clock.synced() else offset_ms
        moved = new_ms is not None and (offset_ms is None or abs(new_ms - offset_ms) > _OFFSET_MOVED_MS)
        if lasted_ms is None or now_ms - lasted_ms >= _NOTED_EVERY_MS or moved:
            self._journal.note_boot(self._clock.boot_id, now_ms, new_ms)

    def heard_ago(self, alarm: Moment) -> tuple[int, str]:
        """(ms since it was heard, "exact" | "coarse" | "at_least"). Coarse: two settings of a wall clock apart."""
        now_ms = self._clock.now_ms()
        if alarm.boot_id == self._clock.boot_id:
            return max(now_ms - alarm.heard_ms, 0), "exact"
        least_ms = self._run_since(alarm) + now_ms
        offset_ms = self._journal.boots.get(alarm.boot_id, (0, None))[1]
        if offset_ms is None or not self._clock.synced():
            return least_ms, "at_least"
        # A wall clock that says less than the machine is known to have run has been set wrong in between.
        return max(self._clock.wall_ms() - (alarm.heard_ms + offset_ms), least_ms), "coarse"

    def heard_at(self, alarm: Alarm) -> tuple[int, bool]:
        """(wall time in ms when it was heard, whether NTP vouches for it). Vouched for later, it is set right."""
        if alarm.boot_id == self._clock.boot_id and self._clock.synced():
            return self._clock.wall_at(alarm.heard_ms), True
        offset_ms = self._journal.boots.get(alarm.boot_id, (0, None))[1]
        return (alarm.heard_wall_ms, False) if offset_ms is None else (alarm.heard_ms + offset_ms, True)

    def _run_since(self, alarm: Moment) -> int:
        """How long the machine is known to have run from the hearing to the end of its last run but this."""
        run_ms, found = 0, False
        for boot_id, (lasted_ms, _) in self._journal.boots.items():
            if boot_id == self._clock.boot_id:
                continue
            if found:
                run_ms += lasted_ms
            elif boot_id == alarm.boot_id:
                found = True
                run_ms = max(lasted_ms - alarm.heard_ms, 0)
        return run_ms
