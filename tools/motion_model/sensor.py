"""From what a body part feels to what the chip says: how it sits, offset, noise, range, steps of its converter.

Owns the chip's imperfections: those of the BMA423 at +-8 g, 12 bits. Must not know motion.
"""

from __future__ import annotations

import random

from tools.motion_model.trace import Vector, any_direction, plus, times, unit

RANGE_MG = 8000
STEP_MG = RANGE_MG / 2048
# Per axis. The data sheet's zero-g offset over life is of this order, its noise at 25 Hz below it.
OFFSET_MG = 40.0
NOISE_MG = 3.0
Sample = tuple[int, int, int]


def sensed(samples: list[Vector], rng: random.Random) -> list[Sample]:
    """In mg, by a chip that sits in any way."""
    first = any_direction(rng)
    second = unit(_without(any_direction(rng), first))
    third = _cross(first, second)
    offsets = [rng.gauss(0, OFFSET_MG) for _ in range(3)]
    gauss = rng.gauss
    made = []
    for sample in samples:
        axes = (_dot(sample, first), _dot(sample, second), _dot(sample, third))
        made.append(
            (
                _converted(1000 * axes[0] + offsets[0] + gauss(0, NOISE_MG)),
                _converted(1000 * axes[1] + offsets[1] + gauss(0, NOISE_MG)),
                _converted(1000 * axes[2] + offsets[2] + gauss(0, NOISE_MG)),
            )
        )
    return made


def _converted(mg: float) -> int:
    return max(-RANGE_MG, min(RANGE_MG - 4, int(round(mg / STEP_MG) * STEP_MG)))


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _without(a: Vector, b: Vector) -> Vector:
    return plus(a, times(b, -_dot(a, b)))


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
