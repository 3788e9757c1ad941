"""Watch: LilyGO T-Watch S3 (ESP32-S3, AXP2101, DRV2605, ST7789, FT6336U, BMA423).

Owns the pins and rails. Must not know what a press or a colour means. NOT YET RUN ON THE REAL BOARD
(firmware/README.md). The crown's key is the button. While a page is on the screen its brightness is the lamp: it beats
between dim and bright. Without one the screen is the lamp, in one colour.

GPIO numbers: arduino-esp32 variants/lilygo_twatch_s3/pins_arduino.h, the same in Zephyr's
boards/lilygo/twatch_s3/twatch_s3_procpu.dts, which has also how the glass sits (mdac, y-offset) and that x and y of the
touch are the screen's. Rails: LilyGO's page on the T-Watch S3, "PowerManage Channel" (ALDO2 backlight, ALDO3 display
and touch, ALDO4 LoRa, BLDO2 DRV2605), voltages from the Zephyr file (3.3 V each).

What wakes: the key and the cable by ext0, alone on it; a touch and the accelerometer by ext1, both low. ext1's
"all low" is any low on this chip (ESP-IDF, "Sleep Modes", ESP32-S3); were it not, only these two were deaf.
"""

import esp32
import framebuf
import machine
from drivers import ft6336
from drivers.axp2101 import ALDO2, ALDO3, ALDO4, BLDO2, CABLE, PRESSED, RELEASED, Axp2101
from drivers.bma423 import Bma423, ChipAbsent
from drivers.drv2605 import Drv2605
from drivers.esp32_core import RESET_DEEP_SLEEP, WAKE_BUTTON, WAKE_SERIAL, WAKE_TIMER, Esp32Core
from drivers.ft6336 import Ft6336
from drivers.st7789 import St7789
from machine import I2C, PWM, SPI, Pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

_SDA = 10
_SCL = 11
_POWER_INTERRUPT = 21  # AXP2101, open drain; one of the pins that wake the ESP32-S3 (0..21)
_DISPLAY_CLOCK = 18
_DISPLAY_DATA_OUT = 13
_DISPLAY_SELECT = 12
_DISPLAY_COMMAND = 38
_BACKLIGHT = 45
_BACKLIGHT_HZ = 1000
# Of 65,535: a page between two beats of the lamp, and at a beat.
_DIM = 16000
_BRIGHT = 65535
_TOUCH_SDA = 39
_TOUCH_SCL = 40
_TOUCH_LINE = 16  # low while touched; one of the pins that wake
_MOTION_LINE = 14  # BMA423 INT1, low when its row of samples is full; one of the pins that wake
# Rows and columns both turned round, blue first; of the controller's 320 rows the glass shows the last.
_GLASS_ORDER = 0xC8
_GLASS_TOP = 80
_GLASS_SIZE = 240
_ROW = 160  # of the 170 samples that the accelerometer keeps
_WAKE_TOUCH = 4
_WAKE_MOTION = 5
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
    has_display = True
    # The power chip tells the key's edges: two that are read in one go are a press, and no bounce. Linux's driver for
    # this family (drivers/input/misc/axp20x-pek.c) reports them as they come, too. If ours bounced, a press would be
    # three, and an SOS at once.
    debounce_ms = 0

    def __init__(self) -> None:
        super().__init__()
        self._down = False
        self._unread = False
        self._rgb = 0
        self._painted = 0
        # Whether what is on the screen is a page.
        self._page = False
        self._pixels: "framebuf.FrameBuffer | None" = None
        self._touched = False
        self._watched = False
        self._backlight = PWM(Pin(_BACKLIGHT, Pin.OUT, value=0), freq=_BACKLIGHT_HZ, duty_u16=0)
        self._interrupt = Pin(_POWER_INTERRUPT, Pin.IN, Pin.PULL_UP, hold=False)  # type: ignore[call-arg]  # the port's own
        i2c = I2C(0, scl=Pin(_SCL), sda=Pin(_SDA), freq=_BUS_HZ)
        # The one thing that cannot be done without: no power chip, no key. It raises, main.py resets, we try again.
        self._power = Axp2101(i2c)
        self._power.keep_power_on_long_press()
        self._touch_line = Pin(_TOUCH_LINE, Pin.IN, Pin.PULL_UP, hold=False)  # type: ignore[call-arg]  # the port's own
        self._motion_line = Pin(_MOTION_LINE, Pin.IN, Pin.PULL_UP, hold=False)  # type: ignore[call-arg]
        self._find_wake_cause()
        self._power.watch()
        self._power.measure_battery()
        for rail in (ALDO2, ALDO3, BLDO2):
            self._power.supply(rail, _RAIL_MV)
        self._power.cut(ALDO4)
        self._haptic = _find_haptic(i2c)
        self._motion = _find_motion(i2c)
        self.has_accelerometer = self._motion is not None
        self._touch = _find_touch(I2C(1, scl=Pin(_TOUCH_SCL), sda=Pin(_TOUCH_SDA), freq=_BUS_HZ))
        self.has_touch = self._touch is not None
        spi = SPI(2, baudrate=_DISPLAY_HZ, sck=Pin(_DISPLAY_CLOCK), mosi=Pin(_DISPLAY_DATA_OUT), miso=None)
        select, command = Pin(_DISPLAY_SELECT, Pin.OUT, value=1), Pin(_DISPLAY_COMMAND, Pin.OUT)
        self._screen = St7789(spi, select, command, _GLASS_ORDER, _GLASS_TOP)
        self._interrupt.irq(self._on_interrupt, Pin.IRQ_FALLING)
        self._touch_line.irq(self._on_touch, Pin.IRQ_FALLING)

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
        elif machine.wake_reason() == machine.EXT1_WAKE:
            # A finger may be gone by now; the accelerometer holds its line until it is read.
            self.wake_cause = _WAKE_TOUCH if self._motion_line() else _WAKE_MOTION

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
        if self._rgb and self._rgb != self._painted and not self._page:
            self._screen.paint(self._rgb)
            self._painted = self._rgb
            self._shine()

    def button_pressed(self) -> bool:
        """By the edges so far."""
        return self._down

    def _on_touch(self, _pin: Pin) -> None:
        """Scheduler context: the chip is asked by touches()."""
        self._touched = True

    def led(self, rgb: int) -> None:
        """Of a page, its brightness. Without one the screen in one colour: a new one takes 30 ms and appears in wait().

        Off is at once.
        """
        self._rgb = rgb
        self._shine()

    def _shine(self) -> None:
        if self._page:
            self._backlight.duty_u16(_BRIGHT if self._rgb else _DIM)
        else:
            self._backlight.duty_u16(_BRIGHT if self._rgb and self._rgb == self._painted else 0)

    def canvas(self) -> framebuf.FrameBuffer:
        """Its 28,800 bytes are taken when it is first asked for."""
        if self._pixels is None:
            pixels = bytearray(_GLASS_SIZE * _GLASS_SIZE // 2)
            self._pixels = framebuf.FrameBuffer(pixels, _GLASS_SIZE, _GLASS_SIZE, framebuf.GS4_HMSB)
        return self._pixels

    def flush(self, palette: "Sequence[int] | None") -> None:
        """Some 40 ms, of which 23 are the bus's; ticks come in between."""
        self._page = palette is not None
        if palette is not None:
            self._screen.show(self.canvas(), palette)
            self._painted = 0
        self._shine()

    def touches(self) -> "list[tuple[int, int]]":
        """One at most: each finger once. The chip is asked only where its line says that there is something."""
        if self._touch is None:
            return []
        touched, self._touched = self._touched, False
        if self._touch_line() and not touched:
            self._touch.untouched()
            return []
        try:
            place = self._touch.tap()
        except OSError:
            return []
        return [] if place is None else [place]

    def samples(self, buf: "array[int]") -> int:
        """0 when the chip does not answer now; raises OSError when it is silent for good."""
        return 0 if self._motion is None else self._motion.taken(buf, self.now_ms())

    def watch_motion(self, falls: bool) -> None:  # noqa: ARG002  # this chip tells no kind of motion
        """From the next sleep on it wakes us whenever its row is full, every 3.2 s, and the application looks."""
        self._watched = True

    def motor(self, on: int) -> None:
        """Vibration on or off."""
        # One of two ways to tell the wearer: its failure must not stop an alarm on its way.
        if self._haptic is not None:
            try:
                self._haptic.shake(bool(on))
            except OSError:
                self._haptic = None

    def show(self, stage: int, number: int) -> None:
        """The application draws it."""

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
        self._backlight.duty_u16(0)
        self._screen.sleep()
        self.motor(0)
        self._watch_over_sleep()
        Pin(_POWER_INTERRUPT, Pin.IN, Pin.PULL_UP, hold=True)  # type: ignore[call-arg]  # the port's own
        # The line stays low after an edge until the chip was read, so one that comes now wakes us at once.
        esp32.wake_on_ext0(self._interrupt, esp32.WAKEUP_ALL_LOW)
        machine.deepsleep(sleep_ms)

    def _watch_over_sleep(self) -> None:
        """What may wake keeps its power and its line; the rest is cut."""
        lines = []
        if self._touch is not None and self._quiet(self._touch.watch):
            lines.append(Pin(_TOUCH_LINE, Pin.IN, Pin.PULL_UP, hold=True))  # type: ignore[call-arg]  # the port's own
        for rail in (ALDO2, BLDO2) if lines else (ALDO2, ALDO3, BLDO2):
            self._power.cut(rail)
        motion, row = self._motion, _ROW if self._watched else 0
        if motion is not None and self._quiet(lambda: motion.sleep(row)) and row:
            lines.append(Pin(_MOTION_LINE, Pin.IN, Pin.PULL_UP, hold=True))  # type: ignore[call-arg]
        if lines:
            esp32.wake_on_ext1(tuple(lines), esp32.WAKEUP_ALL_LOW)

    @staticmethod
    def _quiet(act: "Callable[[], None]") -> bool:
        """Whether a chip took it: its failure must not keep the wearable awake."""
        try:
            act()
        except OSError:
            return False
        return True


def _find_motion(i2c: I2C) -> "Bma423 | None":
    try:
        return Bma423(i2c)
    except (OSError, ChipAbsent):
        return None


def _find_touch(i2c: I2C) -> "Ft6336 | None":
    try:
        return Ft6336(i2c)
    except (OSError, ft6336.ChipAbsent):
        return None


def _find_haptic(i2c: I2C) -> "Drv2605 | None":
    try:
        return Drv2605(i2c)
    except OSError:
        return None
