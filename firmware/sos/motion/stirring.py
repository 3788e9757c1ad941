"""Whether the samples of a sleep hold motion worth looking on for. A chip that cannot tell wakes us for nothing, too.

Owns its thresholds. Must not know what a fall is: what it lets through is looked at by the detector (falls.py). It must
not miss what that one would find, so each limit lies well below those.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

# |a| above this can be an impact: the most sensitive level begins at 1,600 mg.
_HIGH_MG = 1500
# ... and below this, the beginning of a fall whose impact comes in the next row.
_LOW_MG = 700
# From the first sample of the row, on any axis: no breath does that, each movement of an arm does, a slow one, too.
_MOVED_MG = 60


def stirs(samples: "array[int]", count: int, falls: bool) -> bool:
    """Look at `count` triples in mg. `falls`: only for what may be one; else for any movement. Takes no heap."""
    for i in range(count):
        at = 3 * i
        x, y, z = samples[at], samples[at + 1], samples[at + 2]
        square = x * x + y * y + z * z
        if square > _HIGH_MG * _HIGH_MG or square < _LOW_MG * _LOW_MG:
            return True
        if not falls and _apart(samples, at):
            return True
    return False


def _apart(samples: "array[int]", at: int) -> bool:
    for axis in range(3):
        by = samples[at + axis] - samples[axis]
        if by > _MOVED_MG or by < -_MOVED_MG:
            return True
    return False
