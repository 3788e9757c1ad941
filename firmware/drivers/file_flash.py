"""A flash chip that is a file of the host: the simulator's. Takes no heap, as the real ones take none.

Owns the block device over the file. Must not know file systems. Erased bytes are 0xFF, as on a chip.
"""

BLOCK_SIZE = 4096
# Operations of MicroPython's block device protocol.
_SYNC = 3
_BLOCK_COUNT = 4
_BLOCK_SIZE = 5
_ERASE = 6


class FileFlash:
    """For vfs.VfsLfs2. Raises OSError when there is no such file."""

    def __init__(self, path):
        self._file = open(path, "r+b")
        self._blocks = self._file.seek(0, 2) // BLOCK_SIZE
        self._erased = bytearray(b"\xff" * BLOCK_SIZE)

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * BLOCK_SIZE + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self._file.seek(block * BLOCK_SIZE + offset)
        self._file.write(buf)

    def ioctl(self, operation, argument):
        if operation == _BLOCK_COUNT:
            return self._blocks
        if operation == _BLOCK_SIZE:
            return BLOCK_SIZE
        if operation == _ERASE:
            self.writeblocks(argument, self._erased)
        elif operation == _SYNC:
            self._file.flush()
        return 0
