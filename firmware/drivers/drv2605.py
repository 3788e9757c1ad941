"""DRV2605 haptic driver (Texas Instruments): an eccentric-mass motor, on or off.

Owns the chip's registers. Must not know patterns: when to shake is the application's.
Source: DRV2605 datasheet SLOS825D, section 7.6. The real-time playback mode is used, not the chip's own library of
effects: a pattern then means the same on every board, with or without such a chip. Switching takes no heap.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

ADDRESS = 0x5A

_MODE = 0x01  # bit 7 reset, bit 6 standby, bits 2..0 mode
_MODE_REAL_TIME = 0x05
_AMPLITUDE = 0x02
_FEEDBACK = 0x1A  # bit 7: 0 eccentric mass, 1 linear resonant
_CONTROL_3 = 0x1D  # bit 5: open loop for an eccentric mass; bit 3: amplitude is unsigned
_FULL = 0xFF


class Drv2605:
    """The chip on `i2c` (readfrom_mem_into, writeto_mem). Raises OSError when it does not answer."""

    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._one = bytearray(1)
        self._write(_AMPLITUDE, 0)
        self._write(_FEEDBACK, self._read(_FEEDBACK) & ~0x80)
        # Open loop drives any motor without the calibration run, which would shake the wearer at every start.
        self._write(_CONTROL_3, self._read(_CONTROL_3) | 0x28)
        self._write(_MODE, _MODE_REAL_TIME)

    def shake(self, on: bool) -> None:
        """The motor at full strength, or still. Takes no heap. Raises OSError."""
        self._write(_AMPLITUDE, _FULL if on else 0)

    def _read(self, register: int) -> int:
        self._i2c.readfrom_mem_into(self._address, register, self._one)
        return self._one[0]

    def _write(self, register: int, value: int) -> None:
        self._one[0] = value & 0xFF
        self._i2c.writeto_mem(self._address, register, self._one)
