"""What on the air is a person's business: recordings that are played back, revoked wearables that speak.

Owns what counts as a sign and how often it is told. Must not know keys or answers: both are refused, told or not.
Most that is refused is no sign of anything: a burst is heard many times, a neighbour's wearable is unknown here, noise
opens under no key. Told at every turn of those, an operator would soon look at none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from edge_daemon.admission import Admission
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.faults import Faults
from edge_daemon.heard import Heard
from protocol import kinds

# A wearable may go on advertising one frame until its next burst, 5 min at most (protocol/README.md 5.4, 8.1). What
# comes an hour after its counter was passed was recorded; what is played back sooner is refused as well, and not told.
_OLD_MS = 3_600_000
# Opening a frame to see whether it is genuine costs tens of microseconds, and anybody can send spent ids.
_LOOK_EVERY_MS = 200
_TOLD_EVERY_MS = 86_400_000
# When counters were passed is remembered of so many frames of each wearable. Beyond, they are taken for younger.
_REMEMBERED = 512


class _Passed:
    """When the counters of one wearable were passed: rising counters, and the time of each (boot-time ms)."""

    def __init__(self, counter: int, now_ms: int) -> None:
        self.counters = [counter]
        self.times_ms = [now_ms]

    def add(self, counter: int, now_ms: int) -> None:
        self.counters.append(counter)
        self.times_ms.append(now_ms)
        if len(self.counters) >= 2 * _REMEMBERED:
            del self.counters[:_REMEMBERED], self.times_ms[:_REMEMBERED]

    def since_ms(self, counter: int) -> int:
        """When this counter was passed, or later."""
        return self.times_ms[min(bisect_left(self.counters, counter), len(self.times_ms) - 1)]


class Security:
    """Told by admission and intake; tells at most once a day of each wearable and sign."""

    def __init__(
        self, faults: Faults, admission: Admission, windows: Mapping[str, int], clock: Clock, counters: Counters
    ) -> None:
        self._faults = faults
        self._admission = admission
        self._clock = clock
        self._counters = counters
        # Of what was passed before our start, nothing is known but that it is no younger than our start.
        self._passed = {handle: _Passed(counter, clock.now_ms()) for handle, counter in windows.items()}
        self._told_ms: dict[tuple[int, str, bool], int] = {}
        self._look_ms = 0

    def taken(self, handle: str, counter: int) -> None:
        """A frame was let in."""
        now_ms = self._clock.now_ms()
        if handle in self._passed:
            self._passed[handle].add(counter, now_ms)
        else:
            self._passed[handle] = _Passed(counter, now_ms)

    def spent(self, handle: str, counter: int, heard: Heard) -> None:
        """A frame under a spent id was refused. A sign only if it is old and genuine: noise has no old frames."""
        now_ms = self._clock.now_ms()
        old_ms = now_ms - self._passed[handle].since_ms(counter) if handle in self._passed else 0
        if old_ms < _OLD_MS or now_ms < self._look_ms:
            return
        self._look_ms = now_ms + _LOOK_EVERY_MS
        if not self._admission.genuine(handle, counter, heard.frame):
            return
        self._counters.add("replays_refused")
        self._tell(kinds.REPLAY_REJECTED, handle, f"{heard.link}, {old_ms // 60_000} min old or older", emergency=False)

    def revoked(self, handle: str, what: str) -> None:
        """A revoked wearable was heard. `what`: the kind of its event, or life_sign.

        A press is told although a life sign was told before, on the same day: whoever holds it may need help.
        """
        self._tell(kinds.REVOKED_HEARD, handle, what, emergency=what != "life_sign")

    def _tell(self, kind: int, handle: str, note: str, *, emergency: bool) -> None:
        now_ms = self._clock.now_ms()
        last_ms = self._told_ms.get((kind, handle, emergency))
        if last_ms is None or now_ms - last_ms >= _TOLD_EVERY_MS:
            self._told_ms[kind, handle, emergency] = now_ms
            self._faults.report(kind, handle, note)
