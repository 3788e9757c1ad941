"""All that looks at the samples, in its order: one call a sample. Pure; takes no heap.

Owns the order, and the posture in which the wearer last walked: who walks like that again after a fall has got up. Must
not know boards or events (part.py).
"""

from array import array

from .falls import WATCHING, FallDetector
from .signal import Signal
from .steps import StepCounter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .levels import Level

# So many steps in a row are a walk whose posture is worth knowing; and so many are one after a fall.
WALK_STEPS = 8
# Walking again as before: down has turned by less than 45 degrees from what it was in the last walk.
_AS_BEFORE = 8


class Sensing:
    """`falls` None: nobody wants to know of falls. `walk`: down in the last walk, in mg; three zeros: none was seen."""

    def __init__(self) -> None:
        self.signal = Signal()
        self.steps = StepCounter()
        self.falls: "FallDetector | None" = None
        self.walk = array("h", [0, 0, 0])
        # Of the second before, when that was one of walking.
        self._candidate = array("h", [0, 0, 0])
        self._walks = False
        self._steps_seen = 0
        self._after_fall = False
        self._steps_then = 0
        self._upright = self.walk

    def watch(self, level: "Level | None") -> None:
        """Look for falls of this Level from now on; None: do not."""
        if level is None:
            self.falls = None
        elif self.falls is None:
            self.falls = FallDetector(level, self.signal, self.steps)
        else:
            self.falls.level = level

    def gap(self, gravity: "Sequence[int] | None" = None) -> None:
        """What comes next does not follow what came before; `gravity`: which way down was till then, in mg."""
        self.signal.gap(gravity)
        if self.falls is not None:
            self.falls.gap()

    def fallen(self, is_so: bool) -> None:
        """Since a fall (True) the last walk's posture stays what it was, and walked() tells of getting up.

        Where no walk was seen the posture right before the fall stands for it.
        """
        self._after_fall = is_so
        self._steps_then = self.steps.steps
        self._upright = self.walk if any(self.walk) or self.falls is None else self.falls.before

    def sample(self, x: int, y: int, z: int) -> int:
        """One sample, in mg; what FallDetector.sample() reports, 0 without one."""
        self.signal.sample(x, y, z)
        self.steps.sample(self.signal.square)
        if self.signal.second:
            self._learn()
        return self.falls.sample() if self.falls is not None else 0

    def _learn(self) -> None:
        """How the wearer walks: down in a second of walking that another one follows, for the last may be a turn."""
        seen, self._steps_seen = self._steps_seen, self.steps.steps
        walked, self._walks = self._walks, self.steps.row >= WALK_STEPS and self.steps.steps != seen
        if not self._walks or self._after_fall or self.suspects:
            return
        if walked:
            for i in range(3):
                self.walk[i] = self._candidate[i]
        self.signal.note(self._candidate, 0)

    @property
    def suspects(self) -> bool:
        """Whether something may turn out to be a fall: no sleep now."""
        return self.falls is not None and self.falls.state != WATCHING

    def walked(self) -> bool:
        """Whether the wearer has walked since the fall, upright as in the last walk.

        Steps alone are not enough: who lies and beckons, or is shaken by the wearable's own motor, makes them, too.
        """
        if self.steps.row < WALK_STEPS or self.steps.steps - self._steps_then < WALK_STEPS:
            return False
        return not self.signal.turned(self._upright, _AS_BEFORE)
