"""A pencil for small pictures: shapes in a square of 64 units, drawn eight times too large and made small again.

Owns the drawing, not the pictures (icons.py). A picture is grey: 255 where there is ink.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

UNITS = 64
_TIMES = 8

Point = tuple[float, float]


class Pencil:
    """Draw, then take `picture()`. `ink=0` rubs out. Lines have round ends."""

    def __init__(self) -> None:
        self._image = Image.new("L", (UNITS * _TIMES, UNITS * _TIMES), 0)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: Sequence[Point], width: float = 6, ink: int = 255) -> None:
        """Through the points."""
        for start, end in itertools.pairwise(points):
            self._draw.line([_large(start), _large(end)], fill=ink, width=round(width * _TIMES))
        for point in points:
            self.disc(point, width / 2, ink)

    def shape(self, points: Sequence[Point], ink: int = 255) -> None:
        """A filled polygon."""
        self._draw.polygon([_large(point) for point in points], fill=ink)

    def disc(self, middle: Point, radius: float, ink: int = 255) -> None:
        """A filled circle."""
        self._draw.ellipse(_around(middle, radius), fill=ink)

    def ring(self, middle: Point, radius: float, width: float = 6, ink: int = 255) -> None:
        """A circle; `radius` to the middle of its line."""
        outer = _around(middle, radius + width / 2)
        self._draw.ellipse(outer, outline=ink, width=round(width * _TIMES))

    def arc(self, middle: Point, radius: float, start: float, end: float, width: float = 6) -> None:
        """Part of a circle, degrees clockwise from the right."""
        steps = max(2, round(abs(end - start) / 6))
        angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
        self.line([(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in angles], width)

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, round_by: float = 0, ink: int = 255
    ) -> None:
        """A filled rectangle."""
        self._draw.rounded_rectangle([_large((left, top)), _large((right, bottom))], round(round_by * _TIMES), fill=ink)

    def picture(self) -> Image.Image:
        """In pixels of the screen."""
        return self._image.resize((UNITS, UNITS), Image.Resampling.BOX)


def _large(point: Point) -> Point:
    return (point[0] * _TIMES, point[1] * _TIMES)


def _around(middle: Point, radius: float) -> list[float]:
    x, y = _large(middle)
    return [x - radius * _TIMES, y - radius * _TIMES, x + radius * _TIMES, y + radius * _TIMES]
