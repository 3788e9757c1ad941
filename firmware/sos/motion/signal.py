"""What is taken from each sample of the accelerometer, once, for all who look at it. Takes no heap.

Owns: the low pass that finds gravity, the mean deviation from it second by second, and which way down was a while ago.
Must not know what a fall or a step is. Samples are x, y, z in mg, SAMPLES_HZ a second. Every number stays below 2^30,
a small int on a 32-bit board.
"""

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HZ = 50
# Gravity: first order low pass, a time constant of 16 samples (0.32 s), kept in 1/16 mg.
_SHIFT = 4
# Which way down was: one mark each half second, for four seconds.
_MARK_SAMPLES = 25
_MARKS = 8
# Lengths that are a direction, squared, in 1/16 of mg/1: 0.4 g and 2 g.
_MOST = (2000 >> 4) ** 2
_LEAST = (400 >> 4) ** 2


class Signal:
    """Feed it with sample(). `square`: |a|^2 in mg^2. `activity`: mean |a - gravity| of the last full second, in mg.

    `second`: whether the last sample ended a second.
    """

    def __init__(self) -> None:
        self.square = 0
        self.activity = 0
        self.second = False
        # x, y, z in 1/16 mg.
        self._gravity = array("i", [0, 0, 0])
        self._marks = array("h", [0] * (3 * _MARKS))
        self._newest = 0
        self._to_mark = _MARK_SAMPLES
        self._deviation = 0
        self._count = 0
        self._known = False

    def gap(self, gravity: "Sequence[int] | None" = None) -> None:
        """What comes next does not follow what came before; `gravity` (x, y, z in mg): which way down was till then."""
        self._count = self._deviation = 0
        self._known = False
        if gravity is not None:
            for i in range(3):
                self._gravity[i] = gravity[i] << _SHIFT
            self._fill()
            self._known = True

    def sample(self, x: int, y: int, z: int) -> None:
        """One sample, in mg."""
        gravity = self._gravity
        if not self._known:
            gravity[0], gravity[1], gravity[2] = x << _SHIFT, y << _SHIFT, z << _SHIFT
            self._fill()
            self._known = True
        self.square = x * x + y * y + z * z
        gravity[0] += x - (gravity[0] >> _SHIFT)
        gravity[1] += y - (gravity[1] >> _SHIFT)
        gravity[2] += z - (gravity[2] >> _SHIFT)
        dx, dy, dz = x - (gravity[0] >> _SHIFT), y - (gravity[1] >> _SHIFT), z - (gravity[2] >> _SHIFT)
        self._deviation += (dx if dx > 0 else -dx) + (dy if dy > 0 else -dy) + (dz if dz > 0 else -dz)
        self._count += 1
        self.second = self._count == HZ
        if self.second:
            self.activity = self._deviation // HZ
            self._count = self._deviation = 0
        self._to_mark -= 1
        if not self._to_mark:
            self._mark()

    def gravity(self, axis: int) -> int:
        """Which way down is, in mg along `axis` (0 to 2)."""
        return self._gravity[axis] >> _SHIFT

    def note(self, into: "array[int]", marks_ago: int) -> None:
        """Write which way down was `marks_ago` half seconds ago (0: now) into `into`, an array of three 'h'."""
        if marks_ago:
            at = 3 * ((self._newest - marks_ago + 1) % _MARKS)
            for i in range(3):
                into[i] = self._marks[at + i]
        else:
            for i in range(3):
                into[i] = self._gravity[i] >> _SHIFT

    def turned(self, since: "Sequence[int]", sixteenths: int) -> bool:
        """Whether down has turned from `since` by more than an angle whose cosine squared is `sixteenths`/16.

        Angles up to 90 degrees can be asked for. Where one of them is no direction (free fall) it has not.
        """
        dot = here = there = 0
        for i in range(3):
            # 1/16 g is 4 degrees at most, and the product of two squares stays below 2^30.
            now, then = self._gravity[i] >> (_SHIFT + 4), since[i] >> 4
            dot += now * then
            here += now * now
            there += then * then
        if here > _MOST or there > _MOST or here < _LEAST or there < _LEAST:
            return False
        return dot < 0 or 16 * (dot * dot // _MOST) < sixteenths * (here * there // _MOST)

    def _mark(self) -> None:
        self._to_mark = _MARK_SAMPLES
        self._newest = (self._newest + 1) % _MARKS
        for i in range(3):
            self._marks[3 * self._newest + i] = self._gravity[i] >> _SHIFT

    def _fill(self) -> None:
        for _ in range(_MARKS):
            self._mark()
