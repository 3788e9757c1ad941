"""What makes a fall, by where it is worn and how watchful the settings are. README.md says where each comes from.

Owns the numbers. Must not know how they are used (falls.py).
"""

from protocol.settings import FALLS_SENSITIVE


class Level:
    """`low_mg`, `low_samples`: less than so much for so long is low g. `impact_mg`: an impact after low g.

    `hard_mg`: an impact without. `strong`: so many samples above 1.7 g around it make it a body's, not a knock. `turn`:
    how far down must have turned, as sixteenths of a squared cosine (signal.py). After an impact SECONDS are looked at:
    so many (`quiet`) turned ones with an activity below `quiet_mg` are lying, and so are `turned` of them however
    restless; 0: restless ones never are.
    """

    def __init__(
        self,
        low_mg: int,
        low_samples: int,
        impact_mg: int,
        hard_mg: int,
        strong: int,
        turn: int,
        quiet_mg: int,
        quiet: int,
        turned: int,
    ) -> None:
        self.low = low_mg * low_mg
        self.low_samples = low_samples
        self.impact = impact_mg * impact_mg
        self.hard = hard_mg * hard_mg
        self.strong = strong
        self.turn = turn
        self.quiet_mg = quiet_mg
        self.quiet = quiet
        self.turned = turned


SECONDS = 15

# cos^2 in sixteenths: 30 degrees 12, 35 10.7, 40 9.4, 45 8, 50 6.6, 60 4.
WRIST_NORMAL = Level(600, 2, 3000, 3600, 6, 11, 150, 4, 0)
WRIST_SENSITIVE = Level(700, 1, 2500, 3000, 4, 12, 250, 4, 0)
PENDANT_NORMAL = Level(600, 3, 2200, 2600, 2, 7, 100, 4, 12)
PENDANT_SENSITIVE = Level(700, 2, 1600, 2000, 1, 8, 150, 4, 12)


def level(falls: int, wrist: bool) -> Level:
    """The Level for a setting of FALLS_NORMAL or FALLS_SENSITIVE."""
    if wrist:
        return WRIST_SENSITIVE if falls == FALLS_SENSITIVE else WRIST_NORMAL
    return PENDANT_SENSITIVE if falls == FALLS_SENSITIVE else PENDANT_NORMAL
