# ruff: noqa: ARG002  it takes what a block device takes
"""What lies in the records of a board's flash file: `records_reader.py FLASH OFFSET SIZE`. Runs on MicroPython.

Prints a line: the handle of the active identity ("" for none, "?" for one that is not whole), then the counter up to
which frames may have been sealed, -1 when there is no file system.
"""

import sys

import vfs
from drivers.steady_flash import SteadyFlash
from sos import identity
from sos.ledger import count_of

BLOCK = 4096


class Part:
    """A partition of a file, to be read."""

    def __init__(self, path, offset, size):
        self._file = open(path, "rb")  # noqa: SIM115
        self._offset = offset
        self._blocks = size // BLOCK

    def readblocks(self, block, buf, offset=0):
        self._file.seek(self._offset + block * BLOCK + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        raise OSError(30)

    def ioctl(self, operation, argument):
        return {4: self._blocks, 5: BLOCK}.get(operation, 0)


def read(name):
    try:
        with open("/flash/" + name, "rb") as file:
            return file.read()
    except OSError:
        return b""


def main(path, offset, size):
    flash = SteadyFlash(Part(path, int(offset), int(size)))
    try:
        vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=128), "/flash")
    except OSError:
        print("", -1)
        return
    record = read("identity")
    try:
        handle = identity.unpack(record).handle.hex()
    except identity.NotProvisioned:
        handle = "?" if record else ""
    image = max([read("ledger"), read("second/ledger")], key=count_of)
    print(handle, int.from_bytes(image[8:12], "big") if count_of(image) >= 0 else 0)


main(*sys.argv[1:])
