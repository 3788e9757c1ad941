"""Residents who have left home, by their silence at their own gateway, and who are back with their next frame.

Owns whom that is told of: who is enrolled here as at home, whose plan asks for it, and who has been heard here; a
wearable that still lies in its box has left nobody's home. Told once each, over restarts (faults.py). It is not
supervision: that says after hours that a wearable may be broken, this says after minutes that its wearer may be out.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_daemon.care.plan import Plan
from edge_daemon.care.schedule import local
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.presence.kept import Kept
from protocol import kinds

Plans = Callable[[str], Plan | None]
# Milliseconds since 1970 where somebody vouches for them, else None.
Believed = Callable[[], int | None]


class Home:
    """`heard` for each genuine frame, `look` every second or so. `changed` is told when `kept` is to be written."""

    def __init__(
        self,
        enrolled: Enrolled,
        faults: Faults,
        plan: Plans,
        believed_ms: Believed,
        kept: Kept,
        changed: Callable[[], None],
    ) -> None:
        self._enrolled = enrolled
        self._faults = faults
        self._plan = plan
        self._believed_ms = believed_ms
        self._kept = kept
        self._changed = changed

    def watched(self) -> list[str]:
        """Whose silence is listened to: of one who is away by plan it begins when they are to be back."""
        return [handle for handle in self._enrolled.expected if self._after_ms(handle) and not self._is_away(handle)]

    def heard(self, handle: str) -> None:
        """It is here."""
        self._faults.condition(kinds.AT_HOME_LEFT, handle, active=False)
        if handle not in self._kept.home and self._after_ms(handle):
            self._kept.home.add(handle)
            self._changed()

    def look(self, silent_ms: Callable[[str], int]) -> None:
        """Tell of those who are silent too long, and end what was told of those who are not watched any more."""
        expected = set(self._enrolled.expected)
        for handle in sorted(self._kept.home & expected):
            after_ms, silence_ms = self._after_ms(handle), silent_ms(handle)
            if after_ms and silence_ms >= after_ms:
                note = f"not heard for {silence_ms // 60_000} min"
                self._faults.condition(kinds.AT_HOME_LEFT, handle, active=True, note=note)
        for handle in self._faults.about(kinds.AT_HOME_LEFT):
            if handle not in expected or self._unwanted(handle):
                self._faults.condition(kinds.AT_HOME_LEFT, handle, active=False, note="not watched here any more")
        gone = {handle for handle in self._kept.home if handle not in expected or self._unwanted(handle)}
        if gone:
            self._kept.home -= gone
            self._changed()

    def _after_ms(self, handle: str) -> int:
        """After how much silence it is told; 0: never."""
        plan = self._plan(handle)
        if plan is None or plan.presence is None or not plan.presence.tell:
            return 0
        return plan.presence.away_after_min * 60_000

    def _is_away(self, handle: str) -> bool:
        """Whether its plan says so for now. Where nobody knows what time it is nobody is away."""
        plan, wall_ms = self._plan(handle), self._believed_ms()
        if plan is None or wall_ms is None:
            return False
        return plan.is_away(local(plan, wall_ms))

    def _unwanted(self, handle: str) -> bool:
        """Whether its plan says that nobody wants to know. Where there is none (yet) nothing is said at all."""
        return self._plan(handle) is not None and not self._after_ms(handle)
