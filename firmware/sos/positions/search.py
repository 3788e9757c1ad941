"""One look for a place: the receiver on, its words read, the first good place believed, or none after a while.

Owns the receiver's power and which place to believe. Must not know why one is looked for.
"""

from .earth import metres
from .nmea import Nmea

# What is as good as this is good enough; else the best of what comes in so long after the first.
_GOOD_M = 20
_BETTER_WITHIN_MS = 10000
# Nobody moves faster (m/s): a place so far off must be said twice.
_FASTEST = 110
_BUFFER = 256
# A line that does not stop speaking must not hold the main loop.
_READS_MOST = 16


class Search:
    """`on`: the receiver has power. `last`: the newest place believed, from any search."""

    def __init__(self, board):
        self._board = board
        self._nmea = Nmea()
        self._buffer = bytearray(_BUFFER)
        self.on = False
        self.last = None
        self._began_ms = self._first_ms = 0
        self._best = None
        self._strange = None

    def begin(self, now_ms):
        """Look."""
        if not self.on:
            self._board.gnss(True)
            self._nmea.forget()
        self.on = True
        self._began_ms = now_ms
        self._best = self._strange = None

    def end(self):
        """No more."""
        self._board.gnss(False)
        self.on = False

    def looked_ms(self, now_ms):
        """For how long."""
        return now_ms - self._began_ms

    def turn(self, now_ms):
        """Read what the receiver has said. Returns the newest Fix that can be believed, or None."""
        found = None
        for _ in range(_READS_MOST):
            size = self._board.gnss_read(self._buffer)
            if not size:
                break
            fix = self._nmea.feed(self._buffer, size)
            if fix is not None and self._believed(fix):
                found = fix
        if found is not None:
            self.last = found
            if self._best is None:
                self._first_ms = now_ms
            if self._best is None or _off_m(found) <= _off_m(self._best):
                self._best = found
        return found

    def good(self, now_ms, hurry):
        """The Fix of this search that will do, or None as long as a better one may come. `hurry`: any will do."""
        if self._best is None:
            return None
        if hurry or _off_m(self._best) <= _GOOD_M or now_ms - self._first_ms >= _BETTER_WITHIN_MS:
            return self._best
        return None

    def _believed(self, fix):
        """Not a place that nobody could have got to, unless the next one is there, too."""
        strange, self._strange = self._strange, None
        if _near(fix, self.last) or _near(fix, strange):
            return True
        self._strange = fix
        return self.last is None


def _near(fix, other):
    if other is None:
        return False
    far_m = metres(other.latitude_e6, other.longitude_e6, fix.latitude_e6, fix.longitude_e6)
    return far_m <= _FASTEST * max(1, abs(fix.unix_s - other.unix_s)) + _off_m(fix) + _off_m(other)


def _off_m(fix):
    """How far off it may be; one of which nobody says is worse than what is said to be good."""
    return fix.accuracy_m if fix.accuracy_m >= 0 else 2 * _GOOD_M
