"""The battery: cell voltage to percent, and when to tell that it runs low. Pure.

Owns the discharge curve and the thresholds with their hysteresis. Must not know how voltage is measured. What it
finds is an event like any other and never touches an alarm.
"""

BATTERY_LOW = 0x38
BATTERY_CRITICAL = 0x39
BATTERY_OK = 0x3A

# One lithium cell (4.2 V, LiCoO2/graphite) at rest at room temperature, (mV, percent), as fuel gauge makers tabulate
# it; below 3.3 V the board's regulator gives up.
_CURVE = (
    (3300, 0),
    (3500, 4),
    (3600, 10),
    (3700, 22),
    (3750, 36),
    (3800, 50),
    (3900, 66),
    (4000, 80),
    (4100, 92),
    (4180, 100),
)

# A pendant that lives two weeks on a charge has three days left at 20 percent, one at 8.
LOW_PERCENT = 20
CRITICAL_PERCENT = 8
OK_PERCENT = 40

UNKNOWN = -1
_LEVEL_OK = 0
_LEVEL_LOW = 1
_LEVEL_CRITICAL = 2
# A radio burst pulls the voltage down for a moment: one reading in eight counts.
_SMOOTHING = 8


def percent_of(mv):
    """Percent left, 0..100, of a cell at `mv`; UNKNOWN for 0."""
    if mv <= 0:
        return UNKNOWN
    low_mv, low = _CURVE[0]
    if mv <= low_mv:
        return 0
    for high_mv, high in _CURVE[1:]:
        if mv < high_mv:
            return low + (mv - low_mv) * (high - low) // (high_mv - low_mv)
        low_mv, low = high_mv, high
    return 100


class Battery:
    """`mv` smoothed (0: not known), `percent`. `level`: what was last told, kept over deep sleep."""

    def __init__(self, level=_LEVEL_OK):
        self.level = level
        self.mv = 0
        self.percent = UNKNOWN

    def measured(self, mv):
        """A reading; returns the kind of event to raise, or 0."""
        if mv <= 0:
            return 0
        self.mv = mv if not self.mv else self.mv + (mv - self.mv) // _SMOOTHING
        self.percent = percent_of(self.mv)
        if self.percent <= CRITICAL_PERCENT and self.level < _LEVEL_CRITICAL:
            self.level = _LEVEL_CRITICAL
            return BATTERY_CRITICAL
        if self.percent <= LOW_PERCENT and self.level < _LEVEL_LOW:
            self.level = _LEVEL_LOW
            return BATTERY_LOW
        if self.percent >= OK_PERCENT and self.level != _LEVEL_OK:
            self.level = _LEVEL_OK
            return BATTERY_OK
        return 0
