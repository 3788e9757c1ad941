"""Whether it was moved, since when it lies still, and whether it is worn. Pure; takes no heap within a run.

Owns the rules, each a rule from motion alone (README.md says what it cannot tell). Must not know heartbeats. Times are
ms since power-on, for they outlive a deep sleep.
"""

from protocol import codes

# A second with more than this was one of movement: an arm or a trunk that does something.
MOVED_MG = 50
# A second with more than this is one that a thing on a table does not have. The non-wear rule of van Hees (2013) asks
# for a standard deviation of each axis; three axes' mean deviation of 7 mg each is this.
STIRRED_MG = 17
# Nothing stirred for so long: it is on nobody. 135 min with 7 mg: the setting that Syed et al. (2020) found best.
NOT_WORN_MS = 135 * 60 * 1000
# So many seconds of movement within so many make it worn again: not a lorry that passes, not a drawer that is pushed.
_WORN_SECONDS = 3
_WORN_WITHIN = 10


class Activity:
    """`worn`: codes.WORN*. `moved_ms`, `stirred_ms`: the last second of either, in ms since power-on."""

    def __init__(self, now_ms: int) -> None:
        self.worn = codes.WORN_UNKNOWN
        self.moved_ms = self.stirred_ms = now_ms
        self._moving = 0
        self._waited = 0

    def second(self, activity: int, now_ms: int) -> None:
        """One second's activity in mg, over at `now_ms`."""
        self._waited += 1
        if self._waited >= _WORN_WITHIN:
            self._waited = self._moving = 0
        if activity >= STIRRED_MG:
            self.stirred_ms = max(now_ms, self.stirred_ms)
        if activity >= MOVED_MG:
            self.moved_ms = max(now_ms, self.moved_ms)
            self._moving += 1
            if self._moving >= _WORN_SECONDS:
                self.worn = codes.WORN

    def looked(self, now_ms: int) -> bool:
        """Time has passed; whether that made it not worn just now."""
        if self.worn == codes.NOT_WORN or now_ms - self.stirred_ms < NOT_WORN_MS:
            return False
        self.worn = codes.NOT_WORN
        return True

    def still_ms(self, now_ms: int) -> int:
        """For how long it has not been moved."""
        return now_ms - self.moved_ms
