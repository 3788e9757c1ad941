"""FT6336U touch controller (FocalTech): where a finger has come down.

Owns the chip's registers and telling one touch from the next. Must not know the line that wakes by it (the board's).
Source: FocalTech's FT6336U data sheet and "FT6x36 register application note"; numbers cross-checked with LilyGO's
SensorLib (FT6X36Constants.h). The line is low for as long as the glass is touched (G_MODE 0).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

ADDRESS = 0x38

# TD_STATUS: fingers; P1_XH: what happened (2 bits), x (12 bits); P1_YH: which finger, y (12 bits).
_STATUS = 0x02
_SIZE = 5
_LIFTED = 1
_FINGERS_MOST = 2
# Without touches the chip looks more seldom by itself, after so many seconds.
_CTRL = 0x86
_TO_MONITOR = 0x01
_TO_MONITOR_AFTER = 0x87
_AFTER_S = 2
_CHIP_ID = 0xA3
_FT6336U = 0x64
_LINE = 0xA4
_LINE_WHILE_TOUCHED = 0
_POWER = 0xA5
_POWER_MONITOR = 1


class ChipAbsent(Exception):
    """Something else, or nothing, answers at the chip's address."""


class Ft6336:
    """The chip on `i2c` (readfrom_mem_into, writeto_mem). Raises ChipAbsent; OSError when the bus fails."""

    def __init__(self, i2c: "I2C") -> None:
        self._i2c = i2c
        self._report = bytearray(_SIZE)
        self._one = bytearray(1)
        self._down = False
        i2c.readfrom_mem_into(ADDRESS, _CHIP_ID, self._one)
        if self._one[0] != _FT6336U:
            raise ChipAbsent("chip %02x" % self._one[0])
        self._set(_LINE, _LINE_WHILE_TOUCHED)
        self._set(_TO_MONITOR_AFTER, _AFTER_S)
        self._set(_CTRL, _TO_MONITOR)

    def tap(self) -> "tuple[int, int] | None":
        """Where a finger has come down since the last call; None: none has, or it is the same one still.

        Ask when the line has fallen or is low. Raises OSError when the bus fails.
        """
        self._i2c.readfrom_mem_into(ADDRESS, _STATUS, self._report)
        report = self._report
        fingers = report[0] & 0x0F
        down = 0 < fingers <= _FINGERS_MOST
        # Quicker than we looked: it is gone, and the place it left is still there.
        gone = not down and not self._down and report[1] >> 6 == _LIFTED
        came = (down and not self._down) or gone
        self._down = down
        if not came:
            return None
        return (report[1] & 0x0F) << 8 | report[2], (report[3] & 0x0F) << 8 | report[4]

    def untouched(self) -> None:
        """The line is high: the next finger is another touch."""
        self._down = False

    def watch(self) -> None:
        """Before the processor sleeps: look seldom, and pull the line at a touch. Raises OSError."""
        self._set(_POWER, _POWER_MONITOR)

    def _set(self, register: int, value: int) -> None:
        self._one[0] = value
        self._i2c.writeto_mem(ADDRESS, register, self._one)
