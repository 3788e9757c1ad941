"""A battery behind a resistor divider on an ADC pin.

Owns the arithmetic and the averaging. Must not know the pin, nor what a voltage means (sos/battery.py).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import ADC

# A radio burst makes spikes on the supply: the median of an odd number of readings ignores them, a mean would not.
_READINGS = 9


class Divider:
    """`adc`: read_uv(), calibrated microvolts. The battery's voltage reaches it as lower / (upper + lower)."""

    def __init__(self, adc: "ADC", upper_ohm: int, lower_ohm: int) -> None:
        self._adc = adc
        self._upper_ohm = upper_ohm
        self._lower_ohm = lower_ohm
        self._readings = [0] * _READINGS

    def battery_mv(self) -> int:
        """The battery's voltage, the median of nine readings."""
        readings = self._readings
        for i in range(_READINGS):
            readings[i] = self._adc.read_uv()
        readings.sort()
        pin_mv = (readings[_READINGS // 2] + 500) // 1000
        return pin_mv * (self._upper_ohm + self._lower_ohm) // self._lower_ohm
