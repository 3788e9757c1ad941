"""Pendant: Seeed Studio XIAO ESP32C3 with a button, an RGB lamp, a coin motor and a lithium cell.

Owns the pins. Must not know what a press or a colour means. NOT YET RUN ON THE REAL BOARD (firmware/README.md).

The XIAO brings ESP32-C3, antenna, USB-C and charger; the rest is wired to its pads. GPIO numbers of the pads: Seeed's
pin map, the same in arduino-esp32 variants/XIAO_ESP32C3 and MicroPython boards/SEEED_XIAO_ESP32C3/pins.csv.

  D1  GPIO3   button to 3V3, 100 kohm to ground        GPIO0..5 alone wake the chip (ESP32-C3 datasheet, 3.3.2 RTC)
  D2  GPIO4   cell through 220 kohm, 220 kohm to ground  ADC1; the pads bring no cell voltage of their own (Seeed wiki,
                                                       "check battery voltage", takes A0: GPIO2, a strapping pin)
  D3  GPIO5   5V pad through 100 kohm, 150 kohm to ground: 3.0 V when a cable is there
  D5  GPIO7   gate of the motor's MOSFET, 100 kohm to ground, diode across the motor
  D10 GPIO10  red, D4 GPIO6 green, D8 GPIO8 blue: cathodes of a common-anode lamp. GPIO8 is a strapping pin that must
              not be pulled low at reset; a lamp to 3V3 does not.
  D6  GPIO21  serial to the cradle, D7 GPIO20 from it. The ROM prints on GPIO21 at boot: noise, and COBS takes it.
"""

import esp32
import machine
from drivers.divider import Divider
from drivers.esp32_core import RESET_DEEP_SLEEP, WAKE_BUTTON, WAKE_SERIAL, WAKE_TIMER, Esp32Core
from machine import ADC, UART, Pin

_BUTTON = 3
_BATTERY = 4
_CABLE = 5
_MOTOR = 7
_RED = 10
_GREEN = 6
_BLUE = 8
_SERIAL_OUT = 21
_SERIAL_IN = 20
_BAUD = 115200
_UPPER_OHM = 220000
_LOWER_OHM = 220000

# esp_sleep_get_wakeup_cause(): ESP_SLEEP_WAKEUP_TIMER and ESP_SLEEP_WAKEUP_GPIO; the port has no name for the second.
_BY_TIMER = 4
_BY_PIN = 7


class Board(Esp32Core):
    """See boards/contract.py."""

    name = "pendant-xiao-esp32c3"
    profile = "pendant"
    has_led = True
    has_motor = True
    debounce_ms = 20

    def __init__(self) -> None:
        super().__init__()
        self._motor = Pin(_MOTOR, Pin.OUT, value=0)
        self._red = Pin(_RED, Pin.OUT, value=1)
        self._green = Pin(_GREEN, Pin.OUT, value=1)
        self._blue = Pin(_BLUE, Pin.OUT, value=1)
        self._cable = Pin(_CABLE, Pin.IN)
        self._button_pin = Pin(_BUTTON, Pin.IN, Pin.PULL_DOWN)
        adc = ADC(Pin(_BATTERY), atten=ADC.ATTN_11DB)  # type: ignore[call-arg]  # the port's own
        self._battery = Divider(adc, _UPPER_OHM, _LOWER_OHM)
        self._uart = UART(1, _BAUD, tx=_SERIAL_OUT, rx=_SERIAL_IN, txbuf=512, rxbuf=512, timeout=0)
        self._find_wake_cause()
        self._button_pin.irq(self._on_edge, Pin.IRQ_RISING | Pin.IRQ_FALLING)

    def _find_wake_cause(self) -> None:
        if self.reset_cause != RESET_DEEP_SLEEP:
            return
        reason = machine.wake_reason()
        if reason == _BY_TIMER:
            self.wake_cause = WAKE_TIMER
        elif reason == _BY_PIN:
            # Either pin woke us. The button may be up again by now; the cable, once there, stays.
            cable_only = self._cable() and not self._button_pin()
            self.wake_cause = WAKE_SERIAL if cable_only else WAKE_BUTTON

    def _on_edge(self, pin: Pin) -> None:
        self._edge(pin() == 1)

    def button_pressed(self) -> bool:
        """The level now."""
        return self._button_pin() == 1

    def led(self, rgb: int) -> None:
        """Each colour on or off; the lamp is lit by a low level."""
        self._red(not rgb & 0x800000)
        self._green(not rgb & 0x008000)
        self._blue(not rgb & 0x000080)

    def motor(self, on: int) -> None:
        """Vibration on or off."""
        self._motor(1 if on else 0)

    def show(self, stage: int, number: int) -> None:
        """There is no display."""

    def battery_mv(self) -> int:
        """Cell voltage."""
        return self._battery.battery_mv()

    def external_power(self) -> bool:
        """Whether the 5V pad has 5 V."""
        return self._cable() == 1

    def deep_sleep(self, sleep_ms: int) -> None:
        """Until the timer, the button or the cable; returns when the button would not be heard asleep."""
        if not hasattr(esp32, "wake_on_gpio"):
            # MicroPython 1.25 has no way to wake this chip by a pin: then it must not sleep (README.md, "Power").
            self.wait(sleep_ms)
            return
        if not self._may_sleep():
            return
        self.led(0)
        self.motor(0)
        esp32.wake_on_gpio((self._button_pin, self._cable), esp32.WAKEUP_ANY_HIGH)
        # A level wakes it: a press between the look above and this line is not missed.
        machine.deepsleep(sleep_ms)
