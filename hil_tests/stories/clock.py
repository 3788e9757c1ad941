"""The clock of a story: it stands still until the story moves its hands. Owns that, for gateways and for the desk.

Must not know who asks. A gateway is told the time in order with what it hears; the desk finds it in a file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from edge_daemon.clock import Clock

_BOOT_ID = "00000000-0000-4000-8000-%012d"


class StoryClock(Clock):
    """Stands at what was said last."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ms = 0
        self.wall_of_0_ms = 0

    def set(self, at_ms: int, wall_of_0_ms: int, boot: int = 0) -> None:
        """What time it is, what the wall clock showed at 0, and which start of this machine it is."""
        self.at_ms, self.wall_of_0_ms = at_ms, wall_of_0_ms
        self.boot_id = _BOOT_ID % boot

    def now_ms(self) -> int:
        """The story's time, ms."""
        return self.at_ms

    def wall_ms(self) -> int:
        """Milliseconds since 1970 in the story."""
        return self.wall_of_0_ms + self.now_ms()

    def wall_at(self, now_ms: int) -> int:
        """The wall time of a moment of now_ms()."""
        return self.wall_of_0_ms + now_ms

    def synced(self) -> bool:
        """NTP has it, in every story."""
        return True


class FileClock(StoryClock):
    """Stands at what a file says."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._state = (0, 0)
        self.now_ms()

    def now_ms(self) -> int:
        """The story's time, ms; read again when it is another file."""
        found = self._file.stat()
        state = (found.st_ino, found.st_mtime_ns)
        if state != self._state:
            self._state = state
            self.set(*json.loads(self._file.read_bytes()))
        return self.at_ms


def write(file: Path, at_ms: int, wall_of_0_ms: int) -> None:
    """From now on it is so late for who reads `file`."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps([at_ms, wall_of_0_ms]))
    os.replace(fresh, file)
