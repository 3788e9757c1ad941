"""The file of care, written without holding up the loop. Owns one write at a time, and what is done when it fails.

Guarantee: `keep` returns True when what it was given is on disk. A disk that hangs or fails is waited for briefly and
then tried again for ever; care goes on from memory meanwhile, for a prompt that comes is worth more than one that is
on record. Must not know what is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from edge_daemon.care.kept import Kept
from edge_daemon.counters import Counters
from edge_daemon.log import Log

log = Log("care")

_WITHIN_S = 5.0
_TRIED_AGAIN_S = 5.0

Content = dict[str, dict[str, Any]]


class Shelf:
    """`damaged` is told, in a few words, what became of a damaged file."""

    def __init__(self, kept: Kept, counters: Counters, damaged: Callable[[str], None]) -> None:
        self._kept = kept
        self._counters = counters
        self._damaged = damaged
        self._writing: asyncio.Task[Exception | None] | None = None
        self._failed_at_s: float | None = None

    @property
    def in_trouble(self) -> bool:
        """Whether nothing can be kept now."""
        return self._writing is not None or self._failed_at_s is not None

    async def read(self) -> Content:
        """What is whole of the file; nothing when it can't be read. One that is not whole is set aside."""
        try:
            content, damaged = await asyncio.to_thread(self._kept.read)
        except OSError as error:
            log.error("care_unreadable", why=error.strerror)
            await self.set_aside()
            return {}
        if damaged:
            log.error("care_damaged", lines=damaged, whole=len(content))
            await self.set_aside()
        return content

    async def set_aside(self) -> None:
        """Leave the file, as it was read, to whoever looks into it, if the disk lets us."""
        note = f"set aside as {self._kept.aside.name}"
        try:
            await asyncio.to_thread(self._kept.set_aside)
        except OSError as error:
            log.error("care_not_set_aside", why=error.strerror)
            note = "could not be set aside"
        self._damaged(note)

    async def keep(self, content: Callable[[], Content]) -> bool:
        """Write, unless a write before this hangs, or one has failed just now. Returns whether it is on disk."""
        loop = asyncio.get_running_loop()
        if self._failed_at_s is not None and loop.time() - self._failed_at_s < _TRIED_AGAIN_S:
            return False
        if self._writing is not None:
            # It holds what was to be kept then, not what is to be kept now.
            if self._writing.done():
                self._ended(self._writing)
            return False
        self._writing = loop.create_task(self._write(content))
        await asyncio.wait({self._writing}, timeout=_WITHIN_S)
        if not self._writing.done():
            self._counters.add("care_unkept")
            log.error("care_disk_hangs")
            return False
        return self._ended(self._writing)

    async def _write(self, content: Callable[[], Content]) -> Exception | None:
        """What it failed by, returned: nobody may be there any more for whom to raise it."""
        try:
            await asyncio.to_thread(self._kept.write, content())
        except Exception as error:  # noqa: BLE001  # also what can't be put together is a write that failed
            return error
        return None

    def _ended(self, writing: asyncio.Task[Exception | None]) -> bool:
        """Take note of how a write ended."""
        self._writing, self._failed_at_s = None, None
        error = writing.result()
        if error is None:
            return True
        self._failed_at_s = asyncio.get_running_loop().time()
        self._counters.add("care_unkept")
        log.error("care_unkept", why=str(error))
        return False
