"""How far apart two places are. Owns that one formula.

Differences are taken of whole millionths of a degree, so nothing is lost by a board's single floats (24 bits): they see
the difference only. As on a sheet of paper, with the width of a degree at the middle: within a hundredth as far as
fences reach (65 km) up to 80 degrees north or south, and sane anywhere.
"""

from math import cos, sqrt

# A millionth of a degree along a meridian, in m, of a globe of 6,371,008.8 m.
_METRES = 0.1111949
_RADIANS = 0.017453293e-6
_ROUND_E6 = 360000000


def metres(north_e6, east_e6, other_north_e6, other_east_e6):
    """From the one place to the other."""
    north = other_north_e6 - north_e6
    east = (other_east_e6 - east_e6) % _ROUND_E6
    if east > _ROUND_E6 // 2:
        east -= _ROUND_E6
    east *= cos((north_e6 + north // 2) * _RADIANS)
    return int(sqrt(float(north) * north + east * east) * _METRES)
