"""Steps, counted from the swing of |a|^2. Takes no heap.

Owns the rule: that of N. Zhao, "Full-Featured Pedometer Design Realized with 3-Axis Digital Accelerometer" (Analog
Dialogue 44-06, 2010), on the magnitude instead of one axis, so that it does not matter how the wearable sits. Must not
know what steps are for. A step is a fall of the smoothed signal through the middle of its last second's extremes, 0.2 s
to 2 s after the last one; four such in a row are a walk, and count from the first. Ours besides: a walk is even, each
interval within half of the last one's, which limbs that flail are not.
"""

from array import array

_SMOOTHED = 4
_WINDOW = 50
_SOONEST = 10
_LATEST = 100
_REGULAR = 4
# The signal is |a|^2 / 256: 1 g is 3,906, and near it 0.1 g of swing is 780. Less than 0.15 g of swing is no walk.
_SHIFT = 8
_SWING_LEAST = 1170


class StepCounter:
    """`steps`: all that were counted. `row`: how many there are in the walk that goes on, 0 when none does."""

    def __init__(self) -> None:
        self.steps = 0
        self.row = 0
        self._last = array("i", [0] * _SMOOTHED)
        self._at = 0
        self._sum = 0
        self._high = 0
        self._low = 1 << 29
        self._middle = 0
        self._swings = False
        self._above = False
        self._window = _WINDOW
        self._since = _LATEST + 1
        self._interval = 0

    def sample(self, square: int) -> None:
        """One sample's |a|^2, in mg^2."""
        value = square >> _SHIFT
        self._sum += value - self._last[self._at]
        self._last[self._at] = value
        self._at = (self._at + 1) % _SMOOTHED
        smooth = self._sum // _SMOOTHED
        self._high = max(self._high, smooth)
        self._low = min(self._low, smooth)
        self._window -= 1
        if not self._window:
            self._learn()
        self._since += 1
        if self._since > _LATEST:
            self.row = 0
        above = smooth > self._middle
        if self._above and not above and self._swings:
            self._step()
        self._above = above

    def _learn(self) -> None:
        """The last second's extremes are the next second's measure."""
        self._swings = self._high - self._low >= _SWING_LEAST
        self._middle = (self._high + self._low) // 2
        self._high = 0
        self._low = 1 << 29
        self._window = _WINDOW

    def _step(self) -> None:
        if self._since < _SOONEST:
            return
        interval, self._interval = self._interval, self._since
        if self._since > _LATEST:
            self.row = 1
        elif self.row < 2 or -interval <= 2 * (self._since - interval) <= interval:
            self.row += 1
        else:
            self.row = 1
        self._since = 0
        if self.row == _REGULAR:
            self.steps += _REGULAR
        elif self.row > _REGULAR:
            self.steps += 1
