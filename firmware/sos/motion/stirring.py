"""Whether the samples of a sleep hold motion worth looking on for. A chip that cannot tell wakes us for nothing, too.

Owns the rule. What it lets through is looked at by the detector (falls.py); of what that one would find it misses
nothing: without such an impact, or low g so late that its impact may yet come, there is no fall.
"""

from .signal import HZ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

    from .levels import Level

# From the first sample of the row, on any axis: no breath does that, each movement of an arm does, a slow one, too.
_MOVED_MG = 60
# An impact belongs to low g of the second before it.
_LOW_HOLDS = HZ


def may_be_a_fall(samples: "array[int]", count: int, level: "Level") -> bool:
    """Look at `count` triples in mg. Takes no heap."""
    for i in range(count):
        at = 3 * i
        x, y, z = samples[at], samples[at + 1], samples[at + 2]
        square = x * x + y * y + z * z
        if square >= level.impact or (square < level.low and i >= count - _LOW_HOLDS):
            return True
    return False


def moves(samples: "array[int]", count: int) -> bool:
    """Whether there is any movement in `count` triples in mg. Takes no heap."""
    for at in range(3, 3 * count):
        by = samples[at] - samples[at % 3]
        if by > _MOVED_MG or by < -_MOVED_MG:
            return True
    return False
