"""Samples of the accelerometer that are made by rule: rest, walks, a fall. In mg, 50 a second.

For tests under both Pythons; must not know what is tested.
"""

import math

from firmware.sos.motion.signal import HZ

UPRIGHT = (0, 1000, 0)
ON_BACK = (0, 0, 1000)


def still(seconds, down=UPRIGHT):
    return [down] * int(seconds * HZ)


def walking(seconds, down=UPRIGHT, hertz=1.8, swing=300):
    """Along `down`, a swing of so many mg each step."""
    made = []
    for i in range(int(seconds * HZ)):
        share = 1000 + int(swing * math.sin(2 * math.pi * hertz * i / HZ))
        made.append(tuple(axis * share // 1000 for axis in down))
    return made


def fall(low=10, low_mg=300, peak=4000, into=ON_BACK, strong=6):
    """Low g for so many samples, then an impact of six, and a quarter second of what follows."""
    return [(0, low_mg, 0)] * low + [(0, 0, peak)] * strong + [(200, 0, 1200)] * 12 + [into] * 10
