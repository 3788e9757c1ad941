"""BMA423 accelerometer (Bosch Sensortec): samples from its FIFO, and its FIFO as the only thing that wakes by it.

Owns the chip's registers. Must not know what a fall or a step is.
Source: BMA423 data sheet BST-BMA423-DS004, register numbers in the comments; bits cross-checked with the maker's
BMA423-Sensor-API (BSD-3-Clause). The chip's own step counter, any-motion, tilt and tap live in its feature engine,
which runs nothing until a program of the maker's (6 kB) is loaded at every power-on. That program is not in our image.
Without it the chip has no interrupt for motion, high g or low g: what it offers is 50 samples a second, of which the
last 170 are kept, and an interrupt when so many are there. Whoever is to wake by motion wakes by that and looks.
"""

import time
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

ADDRESS = 0x19  # SDO high; 0x18 where it is low

_CHIP_ID = 0x00
_ID = 0x13
_INT_STATUS_1 = 0x1D  # read: clears the latched interrupt, once the FIFO is below its watermark
_FIFO_LENGTH = 0x24  # two registers, bytes, 14 bits
_FIFO_DATA = 0x26
_FRAME = 6  # without header: x, y, z, 16 bits each, little endian; the lowest four are 0 on this chip
_READ_FRAMES = 20
# The whole of 1,024 bytes: 170 frames.
_FRAMES_MOST = 170
# A chip that is read more often than that, and has given nothing for so long, gives nothing any more.
_SILENT_MS = 10000
_POWER_CONF = 0x7C  # bit 0 advanced power save, bit 1 the FIFO wakes the interface for its reading
_SAVING = 0x03
# After leaving advanced power save (data sheet: 450 us) nothing is read or written for so long; in it, each write asks
# for 1,000 us.
_SETTLE_US = 1000
_CMD = 0x7E
_FLUSH = 0xB0

# Register, value: what makes it ours, in the order of writing.
_SET_UP = (
    (0x7D, 0x04),  # PWR_CTRL: accelerometer on
    (0x40, 0x27),  # ACC_CONF: 50 Hz, four samples averaged, duty cycled where power is saved
    (0x41, 0x02),  # ACC_RANGE: +-8 g
    (0x45, 0x80),  # FIFO_DOWNS: filtered samples, all of them
    (0x48, 0x00),  # FIFO_CONFIG_0: the oldest make room
    (0x49, 0x40),  # FIFO_CONFIG_1: accelerometer, no headers
    (0x53, 0x08),  # INT1_IO_CTRL: push-pull, active low
    (0x55, 0x01),  # INT_LATCH: until it is read
)
_WATERMARK = 0x46  # two registers, bytes
_MAP_DATA = 0x58  # bit 1: watermark at INT1
_MAP_WATERMARK = 0x02


class ChipAbsent(Exception):
    """Something else, or nothing, answers at the chip's address."""


class Bma423:
    """The chip on `i2c` (readfrom_mem_into, writeto_mem). Raises ChipAbsent; OSError when the bus fails.

    A chip that runs as it is to, as after a deep sleep, is left alone: what its FIFO has kept is the point.
    """

    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._one = bytearray(1)
        self._frames = bytearray(_READ_FRAMES * _FRAME)
        self._two = memoryview(self._frames)[:2]
        # When it last gave something, or was first asked.
        self._heard_ms = -1
        if self._read(_CHIP_ID) != _ID:
            raise ChipAbsent("no BMA423 at 0x%02x" % address)
        self._write(_POWER_CONF, 0)
        if any(self._read(register) != value for register, value in _SET_UP):
            for register, value in _SET_UP:
                self._write(register, value)
            self._write(_CMD, _FLUSH)

    def samples(self, buf: "array[int]") -> int:
        """Fill `buf` with x, y, z in mg, oldest first; return how many triples. Raises OSError."""
        self._i2c.readfrom_mem_into(self._address, _FIFO_LENGTH, self._two)
        waiting = min((self._frames[0] | (self._frames[1] & 0x3F) << 8) // _FRAME, len(buf) // 3, _FRAMES_MOST)
        done = 0
        while done < waiting:
            count = min(_READ_FRAMES, waiting - done)
            # Whole frames: what is read of one is gone from the FIFO, half of one is said again.
            self._i2c.readfrom_mem_into(self._address, _FIFO_DATA, memoryview(self._frames)[: count * _FRAME])
            for i in range(count * 3):
                value = self._frames[2 * i] | self._frames[2 * i + 1] << 8
                # 2^15 are 8 g.
                buf[done * 3 + i] = ((value - 0x10000 if value & 0x8000 else value) * 125) >> 9
            done += count
        return waiting

    def taken(self, buf: "array[int]", now_ms: int) -> int:
        """samples(), and 0 for a read that fails. Raises OSError when there has been nothing for 10 s of this run."""
        try:
            count = self.samples(buf)
        except OSError:
            count = 0
        if count or self._heard_ms < 0:
            self._heard_ms = now_ms
        elif now_ms - self._heard_ms >= _SILENT_MS:
            raise OSError("the accelerometer is silent")
        return count

    def sleep(self, wake_samples: int) -> None:
        """Save power, sampling on; pull INT1 low when `wake_samples` wait, 0 for never. Raises OSError.

        samples() needs wake() first.
        """
        for i in range(2):
            self._write(_WATERMARK + i, (wake_samples * _FRAME) >> (8 * i) & 0xFF)
        self._write(_MAP_DATA, _MAP_WATERMARK if wake_samples else 0)
        self._read(_INT_STATUS_1)
        self._write(_POWER_CONF, _SAVING)

    def wake(self) -> None:
        """After a sleep() that was none. Raises OSError."""
        self._write(_POWER_CONF, 0)
        self._write(_MAP_DATA, 0)
        self._read(_INT_STATUS_1)

    def _read(self, register: int) -> int:
        self._i2c.readfrom_mem_into(self._address, register, self._one)
        return self._one[0]

    def _write(self, register: int, value: int) -> None:
        self._one[0] = value
        self._i2c.writeto_mem(self._address, register, self._one)
        if register == _POWER_CONF:
            time.sleep_us(_SETTLE_US)
