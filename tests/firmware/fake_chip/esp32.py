"""A stand-in for the ESP32's own module: a data partition in RAM, and what was asked to wake the chip."""

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True

wakes = []


def wake_on_ext0(pin, level):
    wakes.append(((pin,), level))


def wake_on_ext1(pins, level):
    wakes.append((pins, level))


def _wake_on_gpio(pins, level):
    wakes.append((pins, level))


def can_wake_on_gpio(can):
    """MicroPython for the ESP32-C3 has no `wake_on_gpio` in 1.25, and has in later versions."""
    if can:
        globals()["wake_on_gpio"] = _wake_on_gpio
    else:
        globals().pop("wake_on_gpio", None)


class Partition:
    TYPE_DATA = 1
    here = {}  # noqa: RUF012  the partition table

    def __init__(self, blocks=64):
        self.data = bytearray(b"\xff" * (blocks * 4096))
        self.blocks = blocks

    @classmethod
    def find(cls, kind, label=None):
        return [cls.here[label]] if kind == cls.TYPE_DATA and label in cls.here else []

    def readblocks(self, block, buf, offset=0):
        at = block * 4096 + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * 4096 + offset
        self.data[at : at + len(buf)] = buf

    def ioctl(self, operation, argument):
        if operation == 6:
            self.writeblocks(argument, b"\xff" * 4096)
        return {4: self.blocks, 5: 4096}.get(operation, 0)
