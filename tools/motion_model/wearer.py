"""One wearer of the model: where the wearable sits, how the wearer walks, and the postures of that part of the body.

Owns the spread between people. Must not know falls or daily life. On the trunk (a pendant that is clipped on, or hangs
close) `up` is the trunk's own axis; on the wrist it is the forearm's, which says little of the body.
"""

from __future__ import annotations

import random

from tools.motion_model.trace import Trace, Vector, any_direction, tilted, unit

WRIST = "wrist"
PENDANT = "pendant"
PLACES = (WRIST, PENDANT)

_LYING: tuple[Vector, ...] = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0))


class Wearer:
    """`frail`: slow and small steps. All that is drawn is drawn from `rng`."""

    def __init__(self, rng: random.Random, place: str, *, frail: bool | None = None) -> None:
        self.rng = rng
        self.wrist = place == WRIST
        self.frail = rng.random() < 0.5 if frail is None else frail
        self.hertz = max(1.1, rng.gauss(1.5 if self.frail else 1.85, 0.15))
        self.swing = rng.uniform(0.12, 0.25) if self.frail else rng.uniform(0.2, 0.4)
        self.strike = rng.uniform(0.05, 0.25) if self.frail else rng.uniform(0.1, 0.5)
        self.arm = rng.uniform(5, 20)

    def standing(self) -> Vector:
        """Upright; the arm hangs."""
        return tilted((0, 0, 1), 12 if self.wrist else 7, self.rng)

    def sitting(self) -> Vector:
        """Leaning back a little; the forearm on a lap, a table or an arm rest."""
        if self.wrist:
            return self.level()
        return tilted(unit((self.rng.uniform(0.05, 0.45), 0, 1)), 5, self.rng)

    def level(self) -> Vector:
        """A forearm more or less level, its back or side or palm up."""
        around = any_direction(self.rng)
        return unit((around[0], around[1], self.rng.gauss(0, 0.25)))

    def lying(self, sideways: float = 0.3) -> Vector:
        """On the back, the face, or with so much likelihood on a side."""
        if self.wrist:
            return unit((*any_direction(self.rng)[:2], self.rng.gauss(0, 0.35)))
        side = self.rng.random() < sideways
        return tilted(self.rng.choice(_LYING[2:] if side else _LYING[:2]), 15, self.rng)

    def begin(self, up: Vector) -> Trace:
        """A trace that begins with some seconds of this posture."""
        trace = Trace(self.rng, up)
        trace.rest(self.rng.uniform(3, 6), 0.02)
        return trace

    def walks(self, trace: Trace, seconds: float, brisk: float = 1.0) -> None:
        """So many seconds of this wearer's walk; `brisk` times as strong."""
        trace.walk(seconds, self.hertz, self.swing * brisk, self.strike * brisk, self.arm if self.wrist else 0.0)

    def peak(self, trunk: float, wrist: float, spread: float) -> float:
        """A blow's strength in g: log-normal, its median where the wearable sits."""
        return (wrist if self.wrist else trunk) * self.rng.lognormvariate(0, spread)
