"""The machine's clocks as a test wants them: no RTC, steps of NTP, leap seconds, suspends, reboots.

Owns the file that says how far this machine's clocks are from the real ones, and the daemon's Clock that reads it at
each question. libfaketime cannot do it: it knows neither adjtimex nor boot ids nor a suspend of a running process, and
under it a sleep of Python 3.11 raises EINVAL.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_daemon import pipeline
from edge_daemon.clock import Clock


@dataclass
class Machine:
    """What is added to CLOCK_BOOTTIME and to the wall clock; which run of the machine it is; whether NTP has it."""

    boot_id: str
    boot_ms: int = 0
    wall_ms: int = 0
    synced: bool = True

    def write(self, file: Path) -> None:
        """From now on it is so. Whoever reads sees the old or the new, never half of each."""
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        os.replace(fresh, file)


def vouched(place: Path) -> Path:
    """A file for a machine whose clocks are this one's, and vouched for: in a container the kernel never says so."""
    file = place / "clock.json"
    Machine(Clock().boot_id).write(file)
    return file


class SteeredClock(Clock):
    """The daemon's clock, displaced as the file says."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._read = Machine("")
        self._state: tuple[int, int] | None = None
        self.boot_id = self._machine().boot_id

    def _machine(self) -> Machine:
        # Read again only when it is another file: the daemon asks for the time five times an alarm.
        found = self._file.stat()
        state = (found.st_ino, found.st_mtime_ns)
        if state != self._state:
            self._read, self._state = Machine(**json.loads(self._file.read_bytes())), state
        return self._read

    def now_ms(self) -> int:
        """Milliseconds since the machine's last start, as the test has it."""
        return super().now_ms() + self._machine().boot_ms

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as the test has it."""
        return super().wall_ms() + self._machine().wall_ms

    def wall_at(self, now_ms: int) -> int:
        """The wall time of a moment of now_ms(), from one reading of the file."""
        machine = self._machine()
        return super().wall_at(now_ms - machine.boot_ms) + machine.wall_ms

    def synced(self) -> bool:
        """Whether NTP has it, as the test has it."""
        return self._machine().synced


def steer(file: Path) -> None:
    """Let the daemon that is started next in this process go by `file`, and look at its clocks every half second."""
    pipeline.Clock = lambda: SteeredClock(file)  # type: ignore[attr-defined, assignment, unused-ignore]
    pipeline._TIDY_EVERY_S = 0.5  # type: ignore[assignment, unused-ignore]
