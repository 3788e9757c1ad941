"""AXP2101 power management chip (X-Powers): its key's edges, the battery, its supply rails.

Owns the chip's registers. Must not know which board it is on, what a rail feeds, what a press means.
Source: AXP2101 datasheet V1.4, register numbers in the comments; bits cross-checked with the maker's XPowersLib.
Reading the edges takes no heap: it runs where an alarm begins.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

ADDRESS = 0x34

# What take() tells.
CABLE = 0x80
PRESSED = 0x02
RELEASED = 0x01

# Rails by their bit in register 0x90; the voltage register is 0x92 + the bit's number.
ALDO1 = 0
ALDO2 = 1
ALDO3 = 2
ALDO4 = 3
BLDO1 = 4
BLDO2 = 5

_STATUS = 0x00  # bit 5: VBUS good, bit 3: battery present
_CHIP_ID = 0x03
_ID = 0x4A
_POWER_OFF_ENABLE = 0x22  # bit 1: a long press of the key cuts the power
_ADC_ENABLE = 0x30  # bit 0: battery voltage
_BATTERY_VOLTAGE = 0x34  # bits 4..0, and all of the next register: mV
_INTERRUPT_ENABLE = 0x40  # three registers; in the second: bit 7 VBUS came, bit 1 key pressed, bit 0 key released
_INTERRUPT_STATUS = 0x48  # likewise; a 1 written clears
_WATCHED = CABLE | PRESSED | RELEASED
_RAIL_ENABLE = 0x90
_RAIL_VOLTAGE = 0x92
_RAIL_LEAST_MV = 500
_RAIL_STEP_MV = 100
_RAIL_MOST_MV = 3500


class ChipAbsent(Exception):
    """Something else, or nothing, answers at the chip's address."""


class Axp2101:
    """The chip on `i2c` (readfrom_mem_into, writeto_mem). Raises ChipAbsent; OSError when the bus fails."""

    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._one = bytearray(1)
        # take() comes in scheduler context, in the middle of whatever the main loop reads through _one.
        self._taken = bytearray(1)
        if self._read(_CHIP_ID) != _ID:
            raise ChipAbsent("no AXP2101 at 0x%02x" % address)

    def keep_power_on_long_press(self) -> None:
        """From the factory a key held for 6 s cuts the power. Where the key calls for help, it must not."""
        self._write(_POWER_OFF_ENABLE, self._read(_POWER_OFF_ENABLE) & ~0x02)

    def watch(self) -> None:
        """Pull the interrupt line low when the key goes down or up, when the cable comes, and for nothing else."""
        self._write(_INTERRUPT_ENABLE, 0)
        self._write(_INTERRUPT_ENABLE + 1, _WATCHED)
        self._write(_INTERRUPT_ENABLE + 2, 0)

    def forget(self) -> None:
        """Let the interrupt line go, whatever had happened. Raises OSError."""
        for i in range(3):
            self._write(_INTERRUPT_STATUS + i, 0xFF)

    def take(self) -> int:
        """PRESSED | RELEASED | CABLE: what came since last asked; the interrupt line is let go. Takes no heap.

        Both edges at once leave their order open: the caller knows in which state the key was. Raises OSError.
        """
        taken = self._taken
        self._i2c.readfrom_mem_into(self._address, _INTERRUPT_STATUS + 1, taken)
        taken[0] &= _WATCHED
        # Exactly what was read is cleared: an edge that comes meanwhile stays, and holds the line low.
        self._i2c.writeto_mem(self._address, _INTERRUPT_STATUS + 1, taken)
        return taken[0]

    def measure_battery(self) -> None:
        """Switch the battery's ADC channel on."""
        self._write(_ADC_ENABLE, self._read(_ADC_ENABLE) | 0x01)

    def battery_mv(self) -> int:
        """The battery's voltage; -1 when there is no battery. Raises OSError."""
        if not self._read(_STATUS) & 0x08:
            return -1
        # Byte by byte, as the maker's own library does: no document promises that the address moves on by itself.
        return (self._read(_BATTERY_VOLTAGE) & 0x1F) << 8 | self._read(_BATTERY_VOLTAGE + 1)

    def usb_present(self) -> bool:
        """Whether VBUS is there and good. Raises OSError."""
        return bool(self._read(_STATUS) & 0x20)

    def supply(self, rail: int, millivolts: int) -> None:
        """Switch `rail` on at `millivolts` (500..3500, steps of 100). Raises ValueError, OSError."""
        if not _RAIL_LEAST_MV <= millivolts <= _RAIL_MOST_MV or millivolts % _RAIL_STEP_MV:
            raise ValueError("500..3500 mV in steps of 100")
        steps = (millivolts - _RAIL_LEAST_MV) // _RAIL_STEP_MV
        # The three upper bits are reserved: they stay as they are.
        self._write(_RAIL_VOLTAGE + rail, self._read(_RAIL_VOLTAGE + rail) & 0xE0 | steps)
        self._write(_RAIL_ENABLE, self._read(_RAIL_ENABLE) | 1 << rail)

    def cut(self, rail: int) -> None:
        """Switch `rail` off. Raises OSError."""
        self._write(_RAIL_ENABLE, self._read(_RAIL_ENABLE) & ~(1 << rail))

    def _read(self, register: int) -> int:
        self._i2c.readfrom_mem_into(self._address, register, self._one)
        return self._one[0]

    def _write(self, register: int, value: int) -> None:
        self._one[0] = value & 0xFF
        self._i2c.writeto_mem(self._address, register, self._one)
