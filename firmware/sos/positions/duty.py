"""How often to look for the wearer's place: by movement, battery, an SOS, and how vain it was lately. Pure.

Owns that one question. Must not know receivers, or where anybody is. In a house satellites are not heard: each vain
look doubles the time to the next one. In the first ten minutes of an SOS nothing is spared.
"""

# An SOS: so often at first, and from then on; in vain, seldom, but never as seldom as without.
SOS_FIRST_S = 10
SOS_FIRST_FOR_S = 600
SOS_LATER_S = 60
_SOS_VAIN_MOST_S = 300
_VAIN_MOST_S = 1800
_DOUBLED_MOST = 8
# One look. A receiver that has been off for hours needs new ephemerides, half a minute under open sky.
LOOK_MS = 45000
LOOK_COLD_MS = 90000
COLD_AFTER_S = 7200


def step_s(settings, moved, battery_percent, sos_s):
    """Seconds between two positions, 0: none are wanted. `sos_s`: how old an open SOS is, -1: there is none.

    `battery_percent`: negative where it is not known.
    """
    if sos_s >= 0:
        return SOS_FIRST_S if sos_s < SOS_FIRST_FOR_S else SOS_LATER_S
    low = 0 <= battery_percent < settings.floor_percent
    return settings.moving_s if moved and not low else settings.still_s


def gap_s(step, vain, sos_s):
    """Seconds from one look to the next, after so many vain ones."""
    if not step or 0 <= sos_s < SOS_FIRST_FOR_S:
        return step
    most_s = max(step, _SOS_VAIN_MOST_S if sos_s >= 0 else _VAIN_MOST_S)
    return min(step << min(vain, _DOUBLED_MOST), most_s)
