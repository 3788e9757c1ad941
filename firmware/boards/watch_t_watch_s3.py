"""Watch: LilyGO T-Watch S3 (ESP32-S3, AXP2101, DRV2605, ST7789).

Owns the pins and rails. Must not know what a press or a colour means. NOT YET RUN ON THE REAL BOARD
(firmware/README.md). The screen serves as the lamp, the crown's key as the button.

GPIO numbers: arduino-esp32 variants/lilygo_twatch_s3/pins_arduino.h, the same in Zephyr's
boards/lilygo/twatch_s3/twatch_s3_procpu.dts. Rails: LilyGO's page on the T-Watch S3, "PowerManage Channel" (ALDO2
backlight, ALDO3 display and touch, ALDO4 LoRa, BLDO2 DRV2605), voltages from the Zephyr file (3.3 V each).
"""

import esp32
import machine
from drivers.axp2101 import ALDO2, ALDO3, ALDO4, BLDO2, CABLE, PRESSED, RELEASED, Axp2101
from drivers.drv2605 import Drv2605
from drivers.esp32_core import RESET_DEEP_SLEEP, WAKE_BUTTON, WAKE_SERIAL, WAKE_TIMER, Esp32Core
from drivers.st7789 import St7789
from machine import I2C, SPI, Pin

_SDA = 10
_SCL = 11
_POWER_INTERRUPT = 21  # AXP2101, open drain; one of the pins that wake the ESP32-S3 (0..21)
_DISPLAY_CLOCK = 18
_DISPLAY_DATA_OUT = 13
_DISPLAY_SELECT = 12
_DISPLAY_COMMAND = 38
_BACKLIGHT = 45
_BUS_HZ = 400000
_DISPLAY_HZ = 40000000
_RAIL_MV = 3300
# Both edges at once came in the order that the key's state allows. Made here: in the handler they would take heap.
_ORDER_WHEN_UP = (PRESSED, RELEASED)
_ORDER_WHEN_DOWN = (RELEASED, PRESSED)


class Board(Esp32Core):
    """See boards/contract.py. Serial: none, the USB port only charges and programs."""

    name = "watch-t-watch-s3"
    profile = "watch"
    has_led = True
    has_motor = True
    has_display = True  # as a lamp yet: canvas() is None

    def __init__(self) -> None:
        super().__init__()
        self._down = False
        self._unread = False
        self._rgb = 0
        self._painted = 0
        self._backlight = Pin(_BACKLIGHT, Pin.OUT, value=0)
        self._interrupt = Pin(_POWER_INTERRUPT, Pin.IN, Pin.PULL_UP, hold=False)  # type: ignore[call-arg]  # the port's own
        i2c = I2C(0, scl=Pin(_SCL), sda=Pin(_SDA), freq=_BUS_HZ)
        # The one thing that cannot be done without: no power chip, no key. It raises, main.py resets, we try again.
        self._power = Axp2101(i2c)
        self._power.keep_power_on_long_press()
        self._find_wake_cause()
        self._power.watch()
        self._power.measure_battery()
        for rail in (ALDO2, ALDO3, BLDO2):
            self._power.supply(rail, _RAIL_MV)
        self._power.cut(ALDO4)
        self._haptic = _find_haptic(i2c)
        spi = SPI(2, baudrate=_DISPLAY_HZ, sck=Pin(_DISPLAY_CLOCK), mosi=Pin(_DISPLAY_DATA_OUT), miso=None)
        self._screen = St7789(spi, Pin(_DISPLAY_SELECT, Pin.OUT, value=1), Pin(_DISPLAY_COMMAND, Pin.OUT))
        self._interrupt.irq(self._on_interrupt, Pin.IRQ_FALLING)

    def _find_wake_cause(self) -> None:
        """Also where the key stands: the chip tells its edges, not its level."""
        if self.reset_cause != RESET_DEEP_SLEEP:
            self._power.forget()
            return
        came = self._power.take()
        self._down = came & (PRESSED | RELEASED) == PRESSED
        if came & (PRESSED | RELEASED):
            self.wake_cause = WAKE_BUTTON
        elif came & CABLE:
            self.wake_cause = WAKE_SERIAL
        elif machine.wake_reason() == machine.TIMER_WAKE:
            self.wake_cause = WAKE_TIMER

    def _on_interrupt(self, _pin: Pin) -> None:
        """Scheduler context. An edge that cannot be read is still an edge: better an alarm too many than one lost."""
        try:
            came = self._power.take()
            self._unread = False
        except OSError:
            if self._unread:
                return  # told already; the line stays low, and every wait() tries again
            self._unread = True
            came = RELEASED if self._down else PRESSED | RELEASED
        for edge in _ORDER_WHEN_DOWN if self._down else _ORDER_WHEN_UP:
            if came & edge:
                came &= ~edge
                self._down = edge == PRESSED
                self._edge(self._down)

    def _before_wait(self) -> None:
        """Paint what led() noted; take what an interrupt left (the line stays low until the chip was read)."""
        if self._interrupt() == 0:
            self._on_interrupt(self._interrupt)
        if self._rgb and self._rgb != self._painted:
            self._screen.paint(self._rgb)
            self._painted = self._rgb
            self._backlight(1)

    def button_pressed(self) -> bool:
        """By the edges so far."""
        return self._down

    def led(self, rgb: int) -> None:
        """The screen in one colour. A new colour takes 30 ms to paint and appears in wait(); off is at once."""
        self._rgb = rgb
        self._backlight(1 if rgb and rgb == self._painted else 0)

    def motor(self, on: int) -> None:
        """Vibration on or off."""
        # One of two ways to tell the wearer: its failure must not stop an alarm on its way.
        if self._haptic is not None:
            try:
                self._haptic.shake(bool(on))
            except OSError:
                self._haptic = None

    def show(self, stage: int, number: int) -> None:
        """The colour says it; there are no words on the screen yet."""

    def battery_mv(self) -> int:
        """Cell voltage; 0 when the chip does not tell."""
        try:
            return max(0, self._power.battery_mv())
        except OSError:
            return 0

    def external_power(self) -> bool:
        """Whether there is a cable."""
        try:
            return self._power.usb_present()
        except OSError:
            return False

    def deep_sleep(self, sleep_ms: int) -> None:
        """Until the timer, the key or the cable."""
        if not self._may_sleep():
            return
        self._backlight(0)
        self._screen.sleep()
        self.motor(0)
        for rail in (ALDO2, ALDO3, BLDO2):
            self._power.cut(rail)
        Pin(_POWER_INTERRUPT, Pin.IN, Pin.PULL_UP, hold=True)  # type: ignore[call-arg]  # the port's own
        # The line stays low after an edge until the chip was read, so one that comes now wakes us at once.
        esp32.wake_on_ext0(self._interrupt, esp32.WAKEUP_ALL_LOW)
        machine.deepsleep(sleep_ms)


def _find_haptic(i2c: I2C) -> "Drv2605 | None":
    try:
        return Drv2605(i2c)
    except OSError:
        return None
