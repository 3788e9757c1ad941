"""What a body part does, piece by piece, as specific force: rest, turn, walk, drop, blow. In g, 50 a second.

Owns the pieces. Must not know what a fall is made of (falls.py), nor the chip (sensor.py). `up` is the direction away
from the ground in the axes of the part that the wearable sits on: a unit vector.
"""

from __future__ import annotations

import math
import random

HZ = 50
Vector = tuple[float, float, float]


def plus(a: Vector, b: Vector) -> Vector:
    """The sum."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def times(a: Vector, by: float) -> Vector:
    """So many times as long."""
    return (a[0] * by, a[1] * by, a[2] * by)


def unit(a: Vector) -> Vector:
    """The direction; straight up for none."""
    size = math.hypot(*a)
    return times(a, 1 / size) if size > 1e-9 else (0.0, 0.0, 1.0)


def any_direction(rng: random.Random) -> Vector:
    """Any, all alike."""
    return unit((rng.gauss(0, 1), rng.gauss(0, 1), rng.gauss(0, 1)))


def tilted(up: Vector, degrees: float, rng: random.Random) -> Vector:
    """`up`, off by an angle that is normal with so many degrees on each of two axes."""
    off = math.tan(math.radians(min(60.0, degrees)))
    return unit(plus(up, times((rng.gauss(0, 1), rng.gauss(0, 1), rng.gauss(0, 1)), off)))


class Trace:
    """`samples`: specific force so far. Each piece goes on from the `up` where the last one ended."""

    def __init__(self, rng: random.Random, up: Vector) -> None:
        self.rng = rng
        self.up = up
        self.samples: list[Vector] = []
        self._noise: Vector = (0.0, 0.0, 0.0)

    def rest(self, seconds: float, trembles: float) -> None:
        """Nothing but small movement: noise of so many g, its neighbours alike (first order, 0.1 s)."""
        for _ in range(int(seconds * HZ)):
            self.samples.append(plus(self.up, self._tremble(trembles)))

    def turn(self, up: Vector, seconds: float, trembles: float = 0.03) -> None:
        """Slowly into another posture, quickest in the middle."""
        start, count = self.up, max(1, int(seconds * HZ))
        for i in range(count):
            share = (1 - math.cos(math.pi * (i + 1) / count)) / 2
            self.up = unit(plus(times(start, 1 - share), times(up, share)))
            self.samples.append(plus(self.up, self._tremble(trembles)))
        self.up = up

    def walk(self, seconds: float, hertz: float, swing: float, strike: float, arm_degrees: float = 0.0) -> None:
        """Steps: a swing of so many g at their rate, a heel strike of so many, and for an arm its own swing."""
        start, side = self.up, unit((self.up[2], self.up[0], self.up[1]))
        phase, rate = self.rng.uniform(0, 2), hertz
        for _ in range(int(seconds * HZ)):
            before, phase = phase, phase + rate / HZ
            if int(phase) != int(before):  # each step is a little another
                rate = hertz * (1 + self.rng.gauss(0, 0.03))
            arm = math.radians(arm_degrees) * math.sin(math.pi * phase)
            self.up = unit(plus(start, times(side, math.tan(arm))))
            force = 1 + swing * math.sin(2 * math.pi * phase) + (strike if phase % 1 < 0.08 else 0.0)
            self.samples.append(plus(times(self.up, force), self._tremble(0.05)))
        self.up = start

    def drop(self, up: Vector, seconds: float, least: float) -> None:
        """On the way down: less and less force, to `least` g at the end, while it turns over to `up`."""
        start, count = self.up, max(2, int(seconds * HZ))
        for i in range(count):
            share = (i + 1) / count
            self.up = unit(plus(times(start, 1 - share * share), times(up, share * share)))
            force = 1 + (least - 1) * min(1.0, 1.5 * share)
            self.samples.append(plus(times(self.up, force), self._tremble(0.06)))
        self.up = up

    def blow(self, peak: float, ms: float, along: Vector | None = None) -> None:
        """Half a sine of so many g, of so many ms; sampled where the clock happens to be."""
        along = along if along is not None else tilted(self.up, 25, self.rng)
        start = self.rng.uniform(0, 1000 / HZ)
        for i in range(max(1, math.ceil((start + ms) / 1000 * HZ))):
            at = (i + 1) * 1000 / HZ - start
            force = peak * math.sin(math.pi * at / ms) if 0 < at < ms else 0.0
            self.samples.append(plus(times(along, force) if force > 1 else self.up, self._tremble(0.05)))

    def rustle(self, seconds: float, strength: float) -> None:
        """Movement without aim: limbs, bed clothes; the posture wavers with it."""
        start = self.up
        for i in range(int(seconds * HZ)):
            if i % 25 == 0:
                self.up = tilted(start, 20 * min(1.0, strength), self.rng)
            self.samples.append(plus(self.up, self._tremble(strength)))
        self.up = start

    def _tremble(self, size: float) -> Vector:
        keep, new = 0.82, size * math.sqrt(1 - 0.82**2)
        n, gauss = self._noise, self.rng.gauss
        self._noise = (n[0] * keep + gauss(0, new), n[1] * keep + gauss(0, new), n[2] * keep + gauss(0, new))
        return self._noise
