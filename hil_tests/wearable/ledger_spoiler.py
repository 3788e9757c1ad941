"""Runs on the wearable's interpreter: leaves of its flash the identity alone, and rubbish in the place of the ledger.

`micropython ledger_spoiler.py FLASH`. So numbers and counters are lost and the keys are not: what a wearable does that
has lost its memory is begun by this. The layout is the simulator board's and the firmware's (firmware/sos/copies.py).
"""

import os
import sys

import vfs  # type: ignore[import-not-found]  # MicroPython's

BLOCK_SIZE = 4096
READ_SIZE = 32
PROGRAM_SIZE = 128
LEDGERS = ("/flash/ledger", "/flash/second/ledger")


class FileFlash:
    """A block device over a file."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "r+b")  # noqa: PTH123, SIM115  # kept open as long as the device is there
        self._blocks = self._file.seek(0, 2) // BLOCK_SIZE

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        """Read from `block` on."""
        self._file.seek(block * BLOCK_SIZE + offset)
        self._file.readinto(buf)

    def writeblocks(self, block: int, buf: bytes, offset: int = 0) -> None:
        """Write from `block` on."""
        self._file.seek(block * BLOCK_SIZE + offset)
        self._file.write(buf)

    def ioctl(self, operation: int, argument: int) -> int:
        """4: how many blocks, 5: of which size, 6: erase one."""
        if operation == 6:
            self.writeblocks(argument, b"\xff" * BLOCK_SIZE)
        return {4: self._blocks, 5: BLOCK_SIZE}.get(operation, 0)


vfs.mount(vfs.VfsLfs2(FileFlash(sys.argv[1]), readsize=READ_SIZE, progsize=PROGRAM_SIZE), "/flash")
for name in LEDGERS:
    with open(name, "wb") as file:  # noqa: PTH123  # MicroPython has no pathlib
        file.write(os.urandom(468))
vfs.umount("/flash")
