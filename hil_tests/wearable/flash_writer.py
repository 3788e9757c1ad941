"""Runs on the wearable's interpreter: formats a flash file and writes the identity into it.

`micropython flash_writer.py FLASH`, the identity's bytes on stdin: a key has no business among the arguments, where
every process of the machine reads it. The layout is the simulator board's (firmware/boards/simulator.py).
"""

import sys

import vfs  # type: ignore[import-not-found]  # MicroPython's

BLOCK_SIZE = 4096
BLOCKS = 64
# As the board mounts it: firmware/boards/contract.py says why.
READ_SIZE = 32
PROGRAM_SIZE = 128
IDENTITY_SIZE = 80


class FileFlash:
    """A block device over a file, erased to 0xFF as flash is."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "r+b")  # noqa: PTH123, SIM115  # kept open as long as the device is there
        for _ in range(BLOCKS):
            self._file.write(b"\xff" * BLOCK_SIZE)

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
        return {4: BLOCKS, 5: BLOCK_SIZE}.get(operation, 0)


def main() -> None:
    """Format, mount, write, unmount."""
    identity = sys.stdin.buffer.read(IDENTITY_SIZE)
    if len(identity) != IDENTITY_SIZE:
        raise ValueError(f"an identity has {IDENTITY_SIZE} bytes")
    flash = FileFlash(sys.argv[1])
    vfs.VfsLfs2.mkfs(flash, readsize=READ_SIZE, progsize=PROGRAM_SIZE)
    vfs.mount(vfs.VfsLfs2(flash, readsize=READ_SIZE, progsize=PROGRAM_SIZE), "/flash")
    with open("/flash/identity", "wb") as file:  # noqa: PTH123  # MicroPython has no pathlib
        file.write(identity)
    vfs.umount("/flash")


main()
