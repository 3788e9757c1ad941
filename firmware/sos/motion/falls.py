"""Whether somebody has fallen and lies. Pure, integers, no heap; README.md has the states, the reasons and the figures.

Owns the states. Must not know what is done about a fall (part.py). It counts samples, not time: after a gap (a sleep)
say so with gap(). Of several impacts the last one counts; a wearer who goes on, or whose posture came back, has not
fallen.
"""

from array import array

from . import signal
from .levels import SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .levels import Level
    from .signal import Signal
    from .steps import StepCounter

# States.
WATCHING = 0
SETTLING = 1
LYING = 2

# What sample() reports.
NOTHING = 0
FALLEN = 1
CALM = 2  # it looked like one, and was none

# An impact up to so long after low g belongs to it.
_LOW_HOLDS = signal.HZ
# Bounces, rolling over, limbs that come down: the posture is looked at so long after the last impact.
_SETTLE = 2 * signal.HZ
# Posture before: so many half seconds before the first impact.
_BEFORE_MARKS = 4
# So many steps counted after that, and the wearer goes on.
_GOES_ON_STEPS = 6
# Above this a sample is strong: a body comes down over many of them, a knock on a table is over after a few.
_STRONG = 1700 * 1700
_BUCKET = signal.HZ // 2
# So many blows, each at most a second after the one before, are a rhythm: applause, running, hammering. After it only
# real stillness is one of lying. A tumble down a stair has fewer.
_BEATS = 6
_BEAT_LEAST = 6
_BEAT_MOST = signal.HZ
_STILL_SHIFT = 2


class FallDetector:
    """Over a Signal and a StepCounter that are fed before it. `state`: one of the states.

    `before`: which way down was before the last impact, in mg.
    """

    def __init__(self, level: "Level", body: "Signal", steps: "StepCounter") -> None:
        self.level = level
        self.state = WATCHING
        self._signal = body
        self._steps = steps
        self._low_run = 0
        self._low_left = 0
        self._left = 0
        self._quiet = self._turned = 0
        self._steps_then = 0
        # Strong samples: of the half second under way and the one before; since shortly before the first impact.
        self._now = self._was = self._to_bucket = 0
        self._strong = 0
        self._beats = 0
        self._since_blow = _BEAT_MOST
        self.before = array("h", [0, 0, 0])

    def gap(self) -> None:
        """What comes next does not follow what came before."""
        self.state = WATCHING
        self._low_run = self._low_left = 0

    def sample(self) -> int:
        """The sample that signal and steps have just taken: NOTHING, FALLEN or CALM."""
        level, square = self.level, self._signal.square
        if square < level.low:
            self._low_run += 1
            if self._low_run >= level.low_samples:
                self._low_left = _LOW_HOLDS
        else:
            self._low_run = 0
            if self._low_left:
                self._low_left -= 1
        self._since_blow += 1
        self._count(square)
        if square >= level.hard or (self._low_left and square >= level.impact):
            self._impact()
        elif self.state == SETTLING:
            self._left -= 1
            if not self._left:
                return self._settled()
        elif self.state == LYING and self._signal.second:
            return self._second()
        return NOTHING

    def _count(self, square: int) -> None:
        """How long it has been strong lately."""
        if square >= _STRONG:
            self._now += 1
            self._strong += 1
        self._to_bucket += 1
        if self._to_bucket == _BUCKET:
            self._to_bucket = 0
            self._was, self._now = self._now, 0

    def _impact(self) -> None:
        if self.state == WATCHING:
            self._strong = self._was + self._now
            self._signal.note(self.before, _BEFORE_MARKS)
        self.state = SETTLING
        self._left = _SETTLE
        if self._since_blow > _BEAT_MOST:
            self._beats = 1
        elif self._since_blow > _BEAT_LEAST:
            self._beats += 1
        self._since_blow = 0

    def _settled(self) -> int:
        """Nothing has struck any more for a while: what follows is looked at, if it was a body that came down."""
        if self._strong < self.level.strong:
            return self._calm()
        self.state = LYING
        self._left = SECONDS
        self._quiet = self._turned = 0
        self._steps_then = self._steps.steps
        return NOTHING

    def _second(self) -> int:
        """One more second of lying, or of going on."""
        level = self.level
        self._left -= 1
        turned = self._signal.turned(self.before, level.turn)
        # Where posture is the body's, nobody walks lying down: what looks like steps then are limbs.
        if self._steps.steps - self._steps_then >= _GOES_ON_STEPS and not (turned and level.turned):
            return self._calm()
        if turned:
            self._turned += 1
            if self._signal.activity < (level.quiet_mg >> _STILL_SHIFT if self._beats >= _BEATS else level.quiet_mg):
                self._quiet += 1
        if self._quiet >= level.quiet or (level.turned and self._turned >= level.turned):
            self.state = WATCHING
            return FALLEN
        return NOTHING if self._left else self._calm()

    def _calm(self) -> int:
        self.state = WATCHING
        return CALM
