"""What a restart must not forget, in one small file: when messages went out, and which PIN was tried in vain.

Owns the file `sms.json` in the state directory (0600). Must not know limits or modems. No number, PIN or text is in it.
Times are of CLOCK_BOOTTIME, and count only within the boot that wrote them. Guarantee: a disk that hangs holds up
nobody; it is written by a thread of its own, which is not waited for at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

from edge_daemon.log import Log

log = Log("uplink.sms")

_KEPT = 4096


class Memory:
    """The file, read once. What cannot be read is begun anew: a lost count of messages stops no emergency."""

    def __init__(self, path: Path, boot_id: str) -> None:
        self._path = path
        self._boot_id = boot_id
        self._lock = threading.Lock()
        # Each wish to write has a number: the same text may have been refused a moment ago.
        self._asked = 0
        self._next: str | None = None
        self._done = (0, False)
        self._writing = False
        self.sent_ms: list[int] = []
        self.pin_tried = ""
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("sms_memory_unread", why=type(error).__name__)
            return
        if not isinstance(found, dict):
            log.warning("sms_memory_unread", why="no object")
            return
        self.pin_tried = str(found.get("pin_tried", ""))
        sent = found.get("sent_ms")
        if found.get("boot_id") == boot_id and isinstance(sent, list):
            self.sent_ms = [moment for moment in sent if type(moment) is int][-_KEPT:]

    def keep_soon(self) -> int:
        """Have it written as it is now; the number of this wish."""
        text = json.dumps({"boot_id": self._boot_id, "sent_ms": self.sent_ms, "pin_tried": self.pin_tried})
        with self._lock:
            self._next = text
            self._asked += 1
            asked = self._asked
            if not self._writing:
                self._writing = True
                threading.Thread(target=self._work, name="sms memory", daemon=True).start()
        return asked

    async def keep(self, within_s: float) -> bool:
        """Have it written, through to the disk. False when the disk refused it, or had not done so in time."""
        asked = self.keep_soon()
        try:
            async with asyncio.timeout(within_s):
                while self._done[0] < asked:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return False
        return self._done[1]

    def _work(self) -> None:
        while True:
            with self._lock:
                text, self._next, asked = self._next, None, self._asked
                if text is None:
                    self._writing = False
                    return
            self._done = (asked, self._write(text))

    def _write(self, text: str) -> bool:
        beside = self._path.with_suffix(".new")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.warning("sms_memory_unwritten", why=error.strerror)
            return False
        return True
