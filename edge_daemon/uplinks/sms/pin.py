"""The SIM's PIN. Guarantee: one not accepted is never entered again, over restarts too, until its file changes.

Three wrong tries lock a SIM, and then a technician must drive there with its PUK. Owns the reading of the PIN file and
the mark of what was tried. Must not know AT commands.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_daemon import private
from edge_daemon.errors import Refusal
from edge_daemon.uplinks.sms.failures import SimUnusable
from edge_daemon.uplinks.sms.memory import Memory

_NOTED_WITHIN_S = 10.0
_PIN = re.compile(rb"[0-9]{4,8}")


class Pin:
    """`file` "": there is none. Raises Refusal for a file that others can read, or that holds no PIN."""

    def __init__(self, file: str, memory: Memory) -> None:
        self._path = Path(file) if file else None
        self._memory = memory
        if self._path is not None:
            self._read(self._path)

    async def take(self) -> str:
        """The PIN, to be entered now. Raises SimUnusable when it must not be. Marked as tried before it is returned."""
        if self._path is None:
            raise SimUnusable("asks for a PIN and there is no pin_file")
        try:
            pin, mark = self._read(self._path), self._mark(self._path)
        except (Refusal, OSError) as error:
            raise SimUnusable("pin_file cannot be read") from error
        if mark == self._memory.pin_tried:
            raise SimUnusable("refused the PIN before: write pin_file anew")
        before, self._memory.pin_tried = self._memory.pin_tried, mark
        if not await self._memory.keep(_NOTED_WITHIN_S):
            # Unmarked, every restart would be a try. This one is not made, and is not counted.
            self._memory.pin_tried = before
            raise SimUnusable("the try cannot be noted on the disk")
        return pin

    def worked(self) -> None:
        """The SIM is open: the same PIN may be entered after the modem's next start."""
        if self._memory.pin_tried:
            self._memory.pin_tried = ""
            self._memory.keep_soon()

    @staticmethod
    def _read(path: Path) -> str:
        found = private.read(path).strip()
        if not _PIN.fullmatch(found):
            raise Refusal("sms.bad_pin", file=path)
        return found.decode()

    @staticmethod
    def _mark(path: Path) -> str:
        found = path.stat()
        return f"{found.st_ino}-{found.st_mtime_ns}"
