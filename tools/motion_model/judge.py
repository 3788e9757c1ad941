"""How the firmware judges a row of samples: the very code of the wearable, and its countdown. Owns that run.

Must not know where the samples come from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from firmware.sos.motion import falls, levels
from firmware.sos.motion.sensing import Sensing
from protocol.settings import FALLS_NORMAL, FALLS_SENSITIVE
from tools.motion_model.sensor import Sample

LEVELS = {"normal": FALLS_NORMAL, "sensitive": FALLS_SENSITIVE}
COUNTDOWN_S = 30
_HZ = 50
_SURE = 1.96  # 95 %


@dataclass(frozen=True)
class Verdict:
    """`falls`: how often a countdown began; `sent`: how many ended in an SOS; `steps` counted."""

    falls: int
    sent: int
    steps: int


def judge(samples: Iterable[Sample], *, level: str, wrist: bool) -> Verdict:
    """What the wearable does of it, its wearer pressing nothing. A countdown that outlasts the samples is sent."""
    sensing = Sensing()
    sensing.watch(levels.level(LEVELS[level], wrist))
    found = sent = left = 0
    for x, y, z in samples:
        fallen = sensing.sample(x, y, z) == falls.FALLEN
        if left:
            left -= 1
            if sensing.walked():
                sensing.fallen(False)
                left = 0
            elif not left:
                sent += 1
                sensing.fallen(False)
        elif fallen:
            found += 1
            left = COUNTDOWN_S * _HZ
            sensing.fallen(True)
    return Verdict(found, sent + bool(left), sensing.steps.steps)


@dataclass
class Share:
    """So many of so many."""

    hits: int = 0
    of: int = 0

    def add(self, hit: bool) -> None:
        """One more."""
        self.hits += hit
        self.of += 1

    @property
    def value(self) -> float:
        """0 to 1; 0 of none."""
        return self.hits / self.of if self.of else 0.0

    def between(self) -> tuple[float, float]:
        """Where the true share lies with 95 % (Wilson's interval)."""
        if not self.of:
            return 0.0, 1.0
        p, n, z = self.value, self.of, _SURE
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.between()
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
