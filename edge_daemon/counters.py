"""Counts of what happened, by name. Owns the numbers that the heartbeat and `status` show; knows no reason why."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Counts since the daemon started, e.g. frames_heard, refused_tag, events_stored."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count something that happened."""
        self._counts[name] += count

    def snapshot(self) -> dict[str, int]:
        """All counts, by name."""
        return dict(sorted(self._counts.items()))
