"""A block device whose failures are return values, as littlefs wants them, in the place of one that raises.

Owns that translation. An exception out of a block device jumps over littlefs's own C code: its state stays half
changed, and a file that met it never closes, so that the garbage collector may write stale data much later. Takes no
heap.
"""

_EIO = -5


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
