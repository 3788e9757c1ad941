"""A block device as littlefs wants it: failures are return values, and a cell reads the same each time.

Owns both. An exception out of a block device jumps over littlefs's own C code: its state stays half changed, and a
file that met it never closes, so that the garbage collector may write stale data much later. And a cell whose
programming a power cut broke off may read 0 now and 1 later: a commit that was whole at the mount, and everything
written after it, would be gone at the next one, counters too. Takes no heap but in firm_up().
"""

_EIO = -5
_BLOCK_COUNT = 4
_BLOCK_SIZE = 5
# A cell that reads either way with equal chance escapes so many readings once in 16 million times.
_READINGS = 24


class SteadyFlash:
    """Around any block device of MicroPython's extended protocol, such as esp32.Partition."""

    def __init__(self, device):
        self._device = device

    def readblocks(self, block, buf, offset=0):
        """Returns 0, or -EIO."""
        try:
            self._device.readblocks(block, buf, offset)
        except OSError:
            return _EIO
        return 0

    def writeblocks(self, block, buf, offset=0):
        """Returns 0, or -EIO."""
        try:
            self._device.writeblocks(block, buf, offset)
        except OSError:
            return _EIO
        return 0

    def ioctl(self, operation, argument):
        """What the device says, or -EIO."""
        try:
            return self._device.ioctl(operation, argument)
        except OSError:
            return _EIO

    def firm_up(self):
        """Before a mount, where power may have gone in the middle of a write: make cells that waver firm.

        They are programmed to 0, which NOR flash allows at any time; no other cell is touched, nothing is erased. A
        block that reads blank is left alone: littlefs erases it before it uses it.
        """
        size = self.ioctl(_BLOCK_SIZE, 0)
        if size <= 0:
            return  # it is dead: the mount will say so
        buf, blank = bytearray(size), b"\xff" * size
        for block in range(self.ioctl(_BLOCK_COUNT, 0)):
            if self.readblocks(block, buf) or buf == blank:
                continue
            first, wavering = bytes(buf), 0
            for _ in range(_READINGS):
                if self.readblocks(block, buf) == 0 and buf != first:
                    wavering |= int.from_bytes(first, "little") ^ int.from_bytes(buf, "little")
            if wavering:
                ones = bytes(0xFF ^ byte for byte in wavering.to_bytes(size, "little"))
                offset = size - len(ones.lstrip(b"\xff"))
                self.writeblocks(block, ones.strip(b"\xff"), offset)
