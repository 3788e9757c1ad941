"""One figure of the bench: what was measured, and the limit it stands beside. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`key` names the figure in the catalogue (`bench.<key>`), `limit_key` its limit; both values are in `unit`."""

    key: str
    value: float
    limit_key: str
    limit: float
    unit: str
    detail: str = ""

    @property
    def ratio(self) -> float:
        """How many times the limit."""
        return self.value / self.limit

    def row(self) -> dict[str, str | float]:
        """One line of `pingan bench --json`."""
        return {
            "figure": self.key,
            "value": round(self.value, 3),
            "limit_is": self.limit_key,
            "limit": round(self.limit, 3),
            "unit": self.unit,
            "ratio": round(self.ratio, 3),
            "detail": self.detail,
        }


def percentile(values: list[float], part: float) -> float:
    """The value below which `part` (0..1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
