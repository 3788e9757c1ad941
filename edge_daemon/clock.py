"""The one clock of the process. Owns time; everything else is handed milliseconds.

Ages come from CLOCK_BOOTTIME, which also counts suspend and survives a restart of the daemon, never from wall time.
"""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path

# adjtimex(2): this return value says the kernel's clock is not synchronised.
_TIME_ERROR = 5
# struct timex is 208 bytes on 64-bit Linux; a larger zeroed buffer reads only (modes = 0).
_TIMEX_SIZE = 512


class Clock:
    """Monotonic and wall time of this machine, and how good the wall time is."""

    def __init__(self) -> None:
        self.boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self._libc = ctypes.CDLL(None, use_errno=True)

    def now_ms(self) -> int:
        """Milliseconds since this machine booted, suspend included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        """Milliseconds since 1970 by the wall clock, right or wrong."""
        return time.time_ns() // 1_000_000

    def wall_at(self, now_ms: int) -> int:
        """The wall time of a moment of now_ms(). Moments keep their order."""
        # From one offset in ns: that of two clocks cut to ms jumps to and fro by 1 ms.
        offset_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return (now_ms * 1_000_000 + offset_ns) // 1_000_000

    def synced(self) -> bool:
        """Whether the kernel says that NTP disciplines the wall clock."""
        state: int = self._libc.adjtimex(ctypes.create_string_buffer(_TIMEX_SIZE))
        return state not in (-1, _TIME_ERROR)


def iso(wall_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{wall_ms % 1000:03d}Z"
