"""Flash that loses power in the middle of a byte, and the ledger mounted on it. Runs on MicroPython.

Owns the hostile chip. Must not know what is tested on it (flash_on_micropython.py).
"""

import vfs
from drivers.steady_flash import SteadyFlash
from sos.ledger import Ledger
from sos.outbox import Outbox

BLOCK = 4096
BLOCKS = 6
EPOCH = 0x12345678


class PowerCut(Exception):
    pass


class Chip:
    """RAM that behaves as flash. `left`: bytes it may still program before the power goes; None: no limit.

    `failing`: it raises, as esp32.Partition does; drivers/steady_flash.py stands between.
    """

    def __init__(self):
        self.data = bytearray(b"\xff" * (BLOCK * BLOCKS))
        self.left = None
        self.failing = False
        self.programmed = 0

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self._change(block * BLOCK + offset, bytes(buf), len(buf))

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK
        if operation == 6:
            self._change(argument * BLOCK, b"\xff" * BLOCK, 8)
        return 0

    def _change(self, at, data, cost):
        if self.failing:
            raise OSError(5)
        if self.left is not None and self.left < cost:
            done = len(data) * self.left // cost
            self.data[at : at + done] = data[:done]
            self.left = 0
            raise PowerCut
        if self.left is not None:
            self.left -= cost
        self.programmed += cost
        self.data[at : at + len(data)] = data


opened = []


def mount(chip):
    """Ledger and outbox as a start finds them."""
    vfs.mount(vfs.VfsLfs2(SteadyFlash(chip), readsize=32, progsize=128), "/cut")
    ledger = Ledger()
    opened.append((ledger, chip))
    ledger.load("/cut")
    return ledger, Outbox(ledger, EPOCH, 0)


def unmount():
    """As a power cut leaves things: what is in RAM goes, and nothing is written any more."""
    ledger, chip = opened.pop()
    limit, chip.left, chip.failing = chip.left, None, True
    try:
        ledger._copies.close()
    except OSError:
        pass
    vfs.umount("/cut")
    chip.left, chip.failing = limit, False


def formatted():
    chip = Chip()
    vfs.VfsLfs2.mkfs(chip, readsize=32, progsize=128)
    return chip


def state(ledger, outbox):
    """All that must survive, to be compared."""
    alarms = [(a.number, a.kind, a.detail, a.stage, a.pending) for a in outbox.alarms if a.used]
    return ledger.next_number, ledger.reserved, sorted(alarms)
