"""`machine` of the bench's chip, an ESP32: pins, timer, watchdog, sleep, RTC memory, as far as the firmware uses it.

Owns the port's calls. Must not know what a pin is wired to (wiring.py) nor who plays the world (world.py).
"""

# ruff: noqa: ARG002  it takes what the real one takes

import os
import select
import sys
import time

import chip
import vfs
import world

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
EXT0_WAKE, TIMER_WAKE = 2, 4
_RESETS = {"power_on": 1, "hard": 2, "watchdog": 3, "deep_sleep": 4, "soft": 5, "brown_out": 1}
_WAKES = {"none": 0, "pin": EXT0_WAKE, "timer": TIMER_WAKE}
# The host's file system: it is not mounted while the firmware runs.
_host = vfs.VfsPosix()


def reset_cause():
    return _RESETS.get(os.getenv("PINGAN_RESET"), PWRON_RESET)


def wake_reason():
    return _WAKES.get(os.getenv("PINGAN_WAKE"), 0)


def unique_id():
    """The chip's MAC, from its fuses."""
    return bytes(int(part, 16) for part in os.getenv("PINGAN_MAC").split(":"))


def reset():
    _restart("soft", "none")


def _restart(reset_cause, wake_cause):
    """As the chip: what waits on the cable unread is gone."""
    waiting = select.poll()
    waiting.register(sys.stdin, select.POLLIN)
    while waiting.poll(0):
        sys.stdin.buffer.read(1)
    chip.restart(reset_cause, wake_cause)


def soft_reset():
    raise SystemExit


def deepsleep(ms=0):
    """Nothing runs but the wait for the time and the pins; then the chip starts anew."""
    world.sleep(ms)
    started = time.ticks_ms()
    while not world.woken():
        if ms and time.ticks_diff(time.ticks_ms(), started) >= ms:
            _restart("deep_sleep", "timer")
        time.sleep_ms(10)
    _restart("deep_sleep", "pin")


class Pin:
    """A pin whose level is the world's or the chip's."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, number, mode=-1, pull=-1, value=None, drive=0, hold=None):
        self.number = number
        self._handler = None
        self._trigger = 0
        if value is not None:
            world.levels[number] = 1 if value else 0
        world.levels.setdefault(number, 1 if pull == Pin.PULL_UP else 0)

    def __call__(self, value=None):
        if value is None:
            return world.levels[self.number]
        world.levels[self.number] = 1 if value else 0
        return None

    value = __call__

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING):
        self._handler = handler
        self._trigger = trigger
        world.on_edge[self.number] = self._edge

    def _edge(self, level):
        if self._handler and self._trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            self._handler(self)


class ADC:
    """A calibrated one, as on both chips."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, atten=0):
        self._number = pin.number

    def read_uv(self):
        return world.microvolts(self._number)


class Timer:
    """Its callback comes in scheduler context, late where the program is busy."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, number):
        self._number = number

    def init(self, mode=PERIODIC, period=-1, callback=None):
        world.timers[self._number] = [time.ticks_ms(), period, callback, self, mode == Timer.PERIODIC]

    def deinit(self):
        world.timers.pop(self._number, None)


class WDT:
    """Cannot be stopped."""

    def __init__(self, id=0, timeout=5000):  # noqa: A002  the port's own name
        self._timeout = timeout
        self.feed()

    def feed(self):
        chip.watchdog(self._timeout)


class RTC:
    """memory() outlives everything but the loss of power: a file that the bench removes then."""

    def memory(self, data=None):
        path = os.getenv("PINGAN_RTC")
        if data is None:
            try:
                with _host.open(path, "rb") as file:
                    return file.read()
            except OSError:
                return b""
        with _host.open(path, "wb") as file:
            file.write(data)
        return None


class UART:
    """The second serial line, on pins: a tty of the host's, or nothing that ever answers."""

    def __init__(self, number, baudrate=9600, **more):
        import termios

        self._file = None
        path = os.getenv("PINGAN_SERIAL")
        if path is not None:
            self._file = _host.open(path, "r+b")
            termios.setraw(self._file.fileno())
            self._poll = select.poll()
            self._poll.register(self._file, select.POLLIN)
            self._writable = select.poll()
            self._writable.register(self._file, select.POLLOUT)
        self._waiting = b""

    def any(self):
        while self._file is not None and len(self._waiting) < 512 and self._poll.poll(0):
            more = self._file.read(1)
            if not more:
                break
            self._waiting += more
        return len(self._waiting)

    def readinto(self, buf, size=None):
        count = min(self.any(), len(buf) if size is None else size)
        buf[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count or None

    def write(self, buf, size=None):
        """What nobody reads is gone, as on a wire."""
        count = len(buf) if size is None else size
        if self._file is not None and self._writable.poll(0):
            self._file.write(buf, count)
        return count
