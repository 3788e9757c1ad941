"""Runs on the wearable's interpreter: formats a flash file and writes the identity into it.

`micropython flash_writer.py FLASH`, firmware/ in MICROPYPATH, the identity's bytes on stdin: a key has no business
among the arguments, where every process of the machine reads it. The layout is the simulator board's
(firmware/boards/simulator.py).
"""

import sys

import vfs  # type: ignore[import-not-found]  # MicroPython's
from drivers.file_flash import BLOCK_SIZE, FileFlash  # type: ignore[import-not-found]  # firmware's

BLOCKS = 64
# As the board mounts it: firmware/boards/contract.py says why.
READ_SIZE = 32
PROGRAM_SIZE = 128
IDENTITY_SIZE = 80


def erased(path: str) -> FileFlash:
    """The file as a chip that has never held anything."""
    with open(path, "wb") as file:  # noqa: PTH123  # MicroPython has no pathlib
        file.write(b"\xff" * (BLOCK_SIZE * BLOCKS))
    return FileFlash(path)


def main() -> None:
    """Format, mount, write, unmount."""
    identity = sys.stdin.buffer.read(IDENTITY_SIZE)
    if len(identity) != IDENTITY_SIZE:
        raise ValueError(f"an identity has {IDENTITY_SIZE} bytes")
    flash = erased(sys.argv[1])
    vfs.VfsLfs2.mkfs(flash, readsize=READ_SIZE, progsize=PROGRAM_SIZE)
    vfs.mount(vfs.VfsLfs2(flash, readsize=READ_SIZE, progsize=PROGRAM_SIZE), "/flash")
    with open("/flash/identity", "wb") as file:  # noqa: PTH123  # MicroPython has no pathlib
        file.write(identity)
    vfs.umount("/flash")


main()
