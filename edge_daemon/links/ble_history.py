"""How long this place can be without a sound: the longest silence in each of the last hours of listening.

Owns these hours and the file that carries them over a restart. Must not know what is heard. Hours are counted while
the scan is up, by the boot-time clock: no wall clock is needed, and the time without power is none of them.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from edge_daemon.log import Log

log = Log("link.ble")

# Eight days: the same day of last week is among them, for houses that are loud on weekdays only.
_HOURS_MOST = 192
_HOUR_S = 3600.0


class History:
    """Made with the file it was saved in; none, or one that cannot be read, is an unknown place."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._hours, self._into_hour_s = _load(file) if file is not None else ([], 0.0)

    @property
    def hours(self) -> int:
        """Whole hours of listening that are remembered."""
        return max(len(self._hours) - 1, 0)

    @property
    def longest_s(self) -> float:
        """The longest silence of them all, in seconds."""
        return max(self._hours, default=0.0)

    def listen(self, passed_s: float) -> bool:
        """So much time was listened through. True when an hour is full: time to save."""
        if not self._hours:
            self._hours.append(0.0)
        self._into_hour_s += passed_s
        if self._into_hour_s < _HOUR_S:
            return False
        self._into_hour_s = 0.0
        self._hours.append(0.0)
        del self._hours[:-_HOURS_MOST]
        return True

    def learn(self, gap_s: float) -> None:
        """A silence that ended by itself."""
        if not self._hours:
            self._hours.append(0.0)
        self._hours[-1] = max(self._hours[-1], gap_s)

    def save(self) -> None:
        """Write the file, whole or not at all. A disk that fails costs the memory, not the radio."""
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        hours = [round(gap_s, 3) for gap_s in self._hours]
        try:
            fresh.write_text(json.dumps({"v": 1, "into_hour_s": self._into_hour_s, "longest_s": hours}))
            fresh.replace(self._file)
        except OSError as error:
            log.warning("ble_history_unsaved", why=str(error))


def _load(file: Path) -> tuple[list[float], float]:
    try:
        said = json.loads(file.read_text())
        hours = [float(gap_s) for gap_s in said["longest_s"]]
        into_hour_s = float(said["into_hour_s"])
    except FileNotFoundError:
        return [], 0.0
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        log.warning("ble_history_unreadable", why=str(error))
        return [], 0.0
    if not all(math.isfinite(length_s) and length_s >= 0 for length_s in [*hours, into_hour_s]):
        log.warning("ble_history_unreadable", why="not lengths of time")
        return [], 0.0
    return hours[-_HOURS_MOST:], into_hour_s
