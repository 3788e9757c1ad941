"""Room for alarms on a disk that others fill. Owns a reserve beside the journal, given back when the disk is full.

Must not know SQLite or what telemetry is. A reserve file and not free pages in the journal: on a log-structured file
system (F2FS, btrfs; common on cards) overwriting a page needs new room, too, and the write-ahead log needs its own.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from edge_daemon.log import Log

log = Log("room")

# 10,000 alarms take some 3 MiB of it (tests/edge_daemon/test_disk.py counts it), the write-ahead log 1 MiB.
RESERVE_BYTES = 8 << 20
_STEP_BYTES = 1 << 20
# Filled up again only when so much more than the reserve is free: not to and fro at the brim.
_MARGIN_BYTES = 16 << 20
_CHUNK = bytes(64 << 10)


class Room:
    """`evict` drops the oldest telemetry and says how many bytes that has freed; 0 when there is none left."""

    def __init__(self, directory: Path, evict: Callable[[], int], reserve_bytes: int = RESERVE_BYTES) -> None:
        self._path = directory / "reserve"
        self._evict = evict
        self._reserve_bytes = reserve_bytes
        self.short = False

    @property
    def held_bytes(self) -> int:
        """How much is in reserve now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def free_bytes(self) -> int | None:
        """How much of the disk is free for us; None where it does not say."""
        try:
            return self._free()
        except OSError:
            return None

    def make(self) -> bool:
        """The disk is full: give something back. False when there is nothing left to give."""
        self.short = True
        freed = self._evict()
        if freed:
            log.warning("telemetry_evicted", bytes=freed)
            return True
        held = self.held_bytes
        if not held:
            return False
        try:
            os.truncate(self._path, max(held - _STEP_BYTES, 0))
        except OSError as error:
            log.error("reserve_stuck", why=error.strerror)
            return False
        log.warning("reserve_used", left_bytes=self.held_bytes)
        return True

    def restore(self) -> None:
        """Fill the reserve up, when there is plenty of room; `short` says whether it is less than it should be."""
        try:
            held = self.held_bytes
            if held < self._reserve_bytes and self._free() >= self._reserve_bytes - held + self._margin(held):
                self._fill(held)
        except OSError as error:
            log.warning("reserve_unfilled", why=error.strerror)
        self.short = self.held_bytes < self._reserve_bytes

    def _margin(self, held: int) -> int:
        """At the first filling there is no brim to go to and fro at."""
        return _MARGIN_BYTES if held or self.short else 0

    def _free(self) -> int:
        system = os.statvfs(self._path.parent)
        return system.f_bavail * system.f_frsize

    def _fill(self, held: int) -> None:
        """Really written: room that a file system has merely promised may be gone when it is needed."""
        with open(self._path, "ab", opener=_private) as file:  # Path.open takes no opener
            try:
                while held < self._reserve_bytes:
                    held += file.write(_CHUNK[: self._reserve_bytes - held])
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                log.warning("reserve_short", bytes=held)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
