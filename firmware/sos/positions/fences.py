"""Inside or outside: which of its fences a wearer is within, and when that has changed beyond doubt.

Owns that judgement. Must not know files, events or receivers. A position counts for a fence only where its own
inaccuracy leaves no doubt, and a change only when a second one, some seconds later, says the same: one jump among
houses leaves no school. Between the two edges nothing changes, so nobody who lives at a fence is told to and fro.
"""

from .earth import metres

OUTSIDE = 1
INSIDE = 2
# What is outside is so by this much at least.
_MARGIN_M = 20
# A place of which nobody says how good it is.
_UNKNOWN_M = 50
# A place as coarse as this says nothing of a fence that is no larger.
_COARSE_M = 100
# The second position comes so many seconds after the first at least; one that is older than this is forgotten.
AGAIN_S = 10
_FORGET_S = 900


def side(fence, fix):
    """OUTSIDE, INSIDE, or 0: it cannot be said."""
    off_m = fix.accuracy_m if fix.accuracy_m >= 0 else _UNKNOWN_M
    far_m = metres(fence.latitude_e6, fence.longitude_e6, fix.latitude_e6, fix.longitude_e6)
    if far_m > fence.radius_m + max(off_m, _MARGIN_M):
        return OUTSIDE
    if off_m <= max(fence.radius_m, _COARSE_M) and far_m < fence.radius_m - min(off_m, fence.radius_m // 2):
        return INSIDE
    return 0


class Fences:
    """`sides`: number of a fence -> OUTSIDE or INSIDE, as last made sure of. `doubts`: a second position is awaited."""

    def __init__(self):
        self.sides = {}
        # number -> (new side, when first seen)
        self._seen = {}

    @property
    def doubts(self):
        """Whether a position soon would settle something."""
        return bool(self._seen)

    def settled(self, fences):
        """These are the fences now: what is known of others is forgotten."""
        numbers = [fence.number for fence in fences]
        for known in (self.sides, self._seen):
            for number in list(known):
                if number not in numbers:
                    del known[number]

    def forget(self, number):
        """This fence is another one now."""
        self.sides.pop(number, None)
        self._seen.pop(number, None)

    def look(self, fences, fix):
        """Judge a position. Returns the fences whose side is now sure and is new, with the side they had (0: none)."""
        changed = []
        for fence in fences:
            now = side(fence, fix)
            was = self.sides.get(fence.number, 0)
            if now == was:
                self._seen.pop(fence.number, None)
            elif now:
                new, since_s = self._seen.get(fence.number, (0, 0))
                if new != now or not 0 <= fix.unix_s - since_s < _FORGET_S:
                    self._seen[fence.number] = (now, fix.unix_s)
                elif fix.unix_s - since_s >= AGAIN_S:
                    del self._seen[fence.number]
                    self.sides[fence.number] = now
                    changed.append((fence, was))
        return changed
