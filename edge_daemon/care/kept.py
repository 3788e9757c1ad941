"""The file of care: what must survive a restart and a power cut. Owns its lines, and what becomes of a damaged one.

Guarantee: after `write` returns, the new content is on disk, whole; a power cut before leaves the old one, whole. A
line that was damaged later is left out, the others count, and the file is set aside for whoever looks into it. One line
a subject, JSON under its checksum. Called in a thread: it waits for the disk. Must not know what the lines mean.
"""

from __future__ import annotations

import json
from binascii import crc32
from pathlib import Path
from typing import Any

from edge_daemon.durable import replace, sync_directory

_MODE = 0o600


class Kept:
    """`path`: one file of mode 0600, beside which a new one is written and one that was damaged is left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.aside = path.with_suffix(".damaged")

    def read(self) -> tuple[dict[str, dict[str, Any]], int]:
        """(content by subject, how many lines were damaged). No file: nothing. Raises OSError when it can't be read."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}, 0
        read = [_row(line) for line in lines]
        rows = [row for row in read if row is not None]
        # The last line says how many there are: a file that was cut is not whole.
        ends = [row for row in rows if row[0] == ""]
        damaged = len(read) - len(rows) + (0 if ends and ends[-1][1].get("lines") == len(read) else 1)
        return {subject: content for subject, content in rows if subject}, damaged

    def set_aside(self) -> None:
        """Keep a damaged file under another name; the next `write` makes a new one. Raises OSError."""
        self._path.replace(self.aside)
        sync_directory(self._path.parent)

    def write(self, content: dict[str, dict[str, Any]]) -> None:
        """Put this in the file's place. Raises OSError: then the old one is still there."""
        lines = [_line(subject, row) for subject, row in content.items()]
        lines.append(_line("", {"lines": len(lines) + 1}))
        replace(self._path, b"".join(lines), _MODE)


def _line(subject: str, row: dict[str, Any]) -> bytes:
    text = json.dumps([subject, row], separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(text), text)


def _row(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """What a line says; None: it is damaged."""
    if line[8:9] != b" " or line[:8] != b"%08x" % crc32(line[9:]):
        return None
    try:
        subject, row = json.loads(line[9:])
        return str(subject), dict(row)
    except (ValueError, TypeError, RecursionError):
        # Written so, by another version perhaps.
        return None
