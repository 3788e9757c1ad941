"""One flash write as a loader does it: blocks in, inflated or not, erased before they are programmed.

Owns the order of erasing and programming. The ROM erases all at the beginning and writes before it answers; the stub
answers first and writes while the next block comes, erasing as it goes. Raises faults.Cut from the flash.
"""

from __future__ import annotations

import zlib

from hil_tests.board.flash import SECTOR, Flash


class Writing:
    """Writes to `flash`; `begin` starts anew."""

    def __init__(self, flash: Flash) -> None:
        self._flash = flash
        self._at = self._end = self._erased = 0
        self._inflate: zlib._Decompress | None = None
        self._late = False
        self._waiting = b""

    def begin(self, offset: int, size: int, *, deflated: bool, late: bool) -> None:
        """`size` bytes from `offset` will come. `late`: as the stub does it."""
        self._at, self._end = offset, offset + size
        self._erased = offset - offset % SECTOR
        self._inflate = zlib.decompressobj() if deflated else None
        self._late = late
        self._waiting = b""
        if not late and size:
            self._flash.erase(offset, size)
            self._erased = -(-self._end // SECTOR) * SECTOR

    def take(self, block: bytes) -> bool:
        """One block. False: it is no part of what was begun."""
        self.catch_up()
        if self._inflate is not None:
            try:
                block = self._inflate.decompress(block)
            except zlib.error:
                return False
        # An uncompressed last block is padded beyond the end.
        self._waiting = block[: max(0, self._end - self._at)] if self._inflate is None else block
        if self._at + len(self._waiting) > self._end:
            self._waiting = b""
            return False
        if not self._late:
            self.catch_up()
        return True

    def catch_up(self) -> None:
        """Write what was taken."""
        block, self._waiting = self._waiting, b""
        if not block:
            return
        upto = self._at + len(block)
        if upto > self._erased:
            self._flash.erase(self._erased, upto - self._erased)
            self._erased = -(-upto // SECTOR) * SECTOR
        self._flash.program(self._at, block)
        self._at = upto
