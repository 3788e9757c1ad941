"""A SPI NOR flash in a file: erasing sets bits, programming clears them, a power cut leaves a sector torn.

Owns the bytes and what NOR does to them. Must not know who asks. A dead sector reads as zeros and takes nothing.
"""

from __future__ import annotations

import hashlib
import mmap
import random
from collections.abc import Iterator
from pathlib import Path

from hil_tests.board.faults import Cut, Faults

SECTOR = 0x1000
_BLANK = b"\xff" * SECTOR


class Flash:
    """`file` is made blank when it is not there. `size` in bytes."""

    def __init__(self, file: Path, size: int, faults: Faults) -> None:
        if not file.exists():
            file.write_bytes(b"\xff" * size)
        self.size = size
        self.file = file
        self._faults = faults
        self._random = random.Random(size)
        with file.open("r+b") as opened:
            self._bytes = mmap.mmap(opened.fileno(), size)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`; beyond the end it begins again, as the address lines do."""
        if offset + size <= self.size:
            return self._bytes[offset : offset + size]
        return bytes(self._bytes[at % self.size] for at in range(offset, offset + size))

    def md5(self, offset: int, size: int) -> bytes:
        """16 bytes."""
        return hashlib.md5(self.read(offset, size), usedforsecurity=False).digest()

    def erase(self, offset: int, size: int) -> None:
        """Every sector that `size` bytes from `offset` touch. Raises Cut."""
        for sector in range(offset // SECTOR, -(-(offset + size) // SECTOR)):
            self._work(sector * SECTOR, _BLANK)

    def program(self, offset: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data`. Raises Cut; what came before it stays written."""
        for at, part in _by_sector(offset, data):
            old = self._bytes[at : at + len(part)]
            new = int.from_bytes(old, "big") & int.from_bytes(part, "big")
            self._work(at, new.to_bytes(len(part), "big"))

    def save(self) -> None:
        """The file is what the flash holds."""
        self._bytes.flush()

    def close(self) -> None:
        """No more."""
        self._bytes.close()

    def _work(self, at: int, becomes: bytes) -> None:
        if at // SECTOR in self._faults.dead:
            becomes = bytes(len(becomes))
        try:
            self._faults.works()
        except Cut:
            # So far it had come; the byte on which it stopped is anything.
            done = self._random.randrange(len(becomes))
            self._bytes[at : at + done] = becomes[:done]
            self._bytes[at + done] = self._random.randrange(256)
            raise
        self._bytes[at : at + len(becomes)] = becomes


def _by_sector(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        most = SECTOR - (offset + at) % SECTOR
        yield offset + at, data[at : at + most]
        at += most
