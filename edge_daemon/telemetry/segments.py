"""Telemetry on disk: numbered files of JSON lines, the oldest of which goes when there must be room.

Owns the files. Must not know what a line says. Files and not a database: to unlink the oldest one frees room on a disk
that is full, where a database needs room to delete in; a line that a power cut has torn spoils no other; and none of it
is in the alarms' file or in their way. Nothing is synced: telemetry may be lost, an alarm's sync must not wait for it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from edge_daemon.log import Log

log = Log("segments")

SEGMENT_BYTES = 256 << 10
# Some 50 KB.
_ROWS_AT_ONCE = 500
_SUFFIX = ".jsonl"
# A line is some hundred bytes. One without an end is not read into memory whole.
_LINE_MOST = 4096


class Segments:
    """Files of rows, each row a JSON array. `most_bytes` on disk in all. Blocking: called from a thread."""

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._writing: Path | None = None

    def append(self, header: list[Any], rows: list[list[Any]]) -> None:
        """Write rows behind the newest, under `header`, the first line of each file. Raises OSError; some may be there.

        A file is of one header and of one run of the daemon: what another run has left may end in half a line.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A burst of any size makes files of about one size, of which the oldest can be dropped.
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            self._append(header, rows[at : at + _ROWS_AT_ONCE])
        while len(self._names()) > 1 and self.bytes() > self._most_bytes and self.evict():
            pass

    def _append(self, header: list[Any], rows: list[list[Any]]) -> None:
        text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
        if self._writing is None or not self._writing.exists() or self._writing.stat().st_size >= SEGMENT_BYTES:
            names = self._names()
            number = int(names[-1].stem) + 1 if names else 1
            self._writing = self._directory / f"{number:09d}{_SUFFIX}"
            text = json.dumps(header) + "\n" + text
        with open(self._writing, "a", encoding="ascii", opener=_private) as file:  # takes no opener
            file.write(text)

    def take_newest(self) -> tuple[Path, str, list[list[Any]]] | None:
        """The newest file, its header's first value, and its rows; nothing more is appended to it. Raises OSError.

        It is sent first, for what is new is wanted most. What is no row of it is left out.
        """
        names = self._names()
        if not names:
            return None
        self._writing = None
        lines: list[list[Any]] = []
        with names[-1].open("rb") as file:
            while line := file.readline(_LINE_MOST):
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                if isinstance(row, list):
                    lines.append(row)
        header = lines[0] if lines else []
        return names[-1], header[0] if header and isinstance(header[0], str) else "", lines[1:]

    def remove(self, path: Path) -> None:
        """Its rows have been sent. Raises OSError."""
        path.unlink(missing_ok=True)

    def evict(self) -> int:
        """Drop the oldest file; returns how many bytes that frees, 0 when there is none or it cannot be dropped."""
        for path in self._names():
            try:
                freed = path.stat().st_size
                self.remove(path)
            except OSError as error:
                log.warning("not_evicted", file=path.name, why=error.strerror)
                continue
            # An empty file frees nothing, and nothing is what the caller would take for the end.
            return max(freed, 1)
        return 0

    def bytes(self) -> int:
        """What all files take."""
        total = 0
        for path in self._names():
            try:
                total += path.stat().st_size
            except OSError:
                continue
        return total

    def _names(self) -> list[Path]:
        return sorted(path for path in self._directory.glob(f"*{_SUFFIX}") if path.stem.isdigit())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
