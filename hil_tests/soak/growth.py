"""Whether something grows: one straight line through many lives of a process. Pure arithmetic."""

from __future__ import annotations

import math
from collections import defaultdict

# So sure must one be of a growth, in standard errors, before it is called one.
SURE = 3.0


class Growth:
    """Readings of one quantity over lives that each begin at a level of their own; `warm_up_s` of each do not count."""

    def __init__(self, warm_up_s: float) -> None:
        self._warm_up_s = warm_up_s
        self._lives: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self.most = 0.0

    def add(self, life: int, age_s: float, value: float) -> None:
        """What it was in this life at this age."""
        self.most = max(self.most, value)
        if age_s >= self._warm_up_s:
            self._lives[life].append((age_s, value))

    @property
    def watched_s(self) -> float:
        """How long it was looked at after the warm-ups, in all lives."""
        return sum(life[-1][0] - life[0][0] for life in self._lives.values())

    def slope(self) -> tuple[float, float]:
        """Growth per second and its standard error, by least squares with a level for each life (0, inf: too few)."""
        xx = xy = yy = 0.0
        count = 0
        for life in self._lives.values():
            mean_x = sum(x for x, _ in life) / len(life)
            mean_y = sum(y for _, y in life) / len(life)
            xx += sum((x - mean_x) ** 2 for x, _ in life)
            xy += sum((x - mean_x) * (y - mean_y) for x, y in life)
            yy += sum((y - mean_y) ** 2 for _, y in life)
            count += len(life)
        free = count - len(self._lives) - 1
        if free < 1 or xx <= 0.0:
            return 0.0, math.inf
        slope = xy / xx
        return slope, math.sqrt(max(yy - slope * xy, 0.0) / free / xx)

    def surely(self) -> float:
        """By how much it has surely grown in the time watched; 0 when that may be noise."""
        slope, error = self.slope()
        return max(slope - SURE * error, 0.0) * self.watched_s if math.isfinite(error) else 0.0

    def per_hour(self, scale: float = 1.0) -> str:
        """In words, divided by `scale`."""
        slope, error = self.slope()
        return f"{slope * 3600 / scale:+.1f} ± {error * 3600 / scale:.1f} per hour"
