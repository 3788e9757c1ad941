"""Wearables that are not heard any more: told after hours, urgently after a day, and when they are heard again.

Owns the deadlines. Any genuine frame is a sign of life. What counts is the time in which this gateway listened in vain,
over restarts too: after a power cut of the house every wearable would look lost. Must not know links or what is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from edge_daemon.clock import Clock
from edge_daemon.config import Supervision as Settings
from edge_daemon.faults import Faults
from edge_daemon.journal import Journal
from protocol import kinds

_EVERY_S = 30.0
# A silence is written down when it has grown by this much: a restart costs no more of it, and a card lives long.
_NOTED_EVERY_MS = 600_000
# A loop that was held up, or a machine that slept, did not listen meanwhile.
_STEP_MOST_MS = 120_000
_TOLD = (kinds.SUPERVISION_LOST, kinds.WEARABLE_MISSING)


class WearableWatch:
    """Call `heard` for each genuine frame. `handles`: who is to be heard; one that is new begins with no silence.

    `expect` says it of one that comes or goes while we run.
    """

    def __init__(
        self, handles: Iterable[str], journal: Journal, faults: Faults, settings: Settings, clock: Clock
    ) -> None:
        self._handles = set(handles)
        self._journal = journal
        self._faults = faults
        self._settings = settings
        self._clock = clock
        self._silent_ms: dict[str, int] = {}
        self._looked_ms = clock.now_ms()

    def heard(self, handle: str) -> None:
        """A genuine frame of a wearable."""
        self._silent_ms[handle] = 0
        self._faults.once(kinds.WEARABLE_MISSING, handle, active=False)
        self._faults.condition(kinds.SUPERVISION_LOST, handle, active=False)

    def expect(self, handle: str, *, expected: bool) -> None:
        """A wearable is to be heard from now on, or is not any more: whatever was told of its silence ends."""
        if expected and handle not in self._handles:
            self._handles.add(handle)
            # The next look adds all of the time since the last one.
            self._silent_ms[handle] = self._looked_ms - self._clock.now_ms()
            self._note_none(handle)
        elif not expected:
            self._handles.discard(handle)
            self._silent_ms.pop(handle, None)
            self._release(handle)

    def release_others(self) -> None:
        """What a run before this one told, or noted, of those who are not to be heard any more."""
        told = {about for kind, about in self._journal.conditions if kind in _TOLD}
        for handle in sorted((told | self._journal.silences.keys()) - self._handles):
            self._release(handle)

    def _release(self, handle: str) -> None:
        self._note_none(handle)
        self._faults.once(kinds.WEARABLE_MISSING, handle, active=False)
        self._faults.condition(kinds.SUPERVISION_LOST, handle, active=False, note="not expected here any more")

    def _note_none(self, handle: str) -> None:
        """Whenever it comes (again), it has all its time."""
        if self._journal.silences.get(handle):
            self._journal.note_silence(handle, 0)

    async def run(self) -> None:
        """Look every half minute, for ever."""
        self.release_others()
        self._looked_ms = self._clock.now_ms()
        while True:
            await asyncio.sleep(_EVERY_S)
            self.look()

    def look(self) -> None:
        """Add the time since the last look to every silence, and tell of those that are too long."""
        now_ms = self._clock.now_ms()
        step_ms = min(now_ms - self._looked_ms, _STEP_MOST_MS)
        self._looked_ms = now_ms
        for handle in sorted(self._handles):
            noted_ms = self._journal.silences.get(handle, 0)
            silent_ms = self._silent_ms.get(handle, noted_ms) + step_ms
            self._silent_ms[handle] = silent_ms
            if abs(silent_ms - noted_ms) >= _NOTED_EVERY_MS:
                self._journal.note_silence(handle, silent_ms)
            hours = f"not heard for {silent_ms / 3_600_000:.0f} h"
            # Of one that has gone out with its wearer that is known, and told.
            out = self._faults.holds(kinds.AT_HOME_LEFT, handle)
            if silent_ms >= self._settings.wearable_lost_s * 1000 and not out:
                self._faults.condition(kinds.SUPERVISION_LOST, handle, active=True, note=hours)
            if silent_ms >= self._settings.wearable_missing_s * 1000:
                self._faults.once(kinds.WEARABLE_MISSING, handle, active=True, note=hours)
