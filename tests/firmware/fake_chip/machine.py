"""A stand-in for `machine` of the ESP32 port: pins with levels, buses with chips, and a power switch to read.

Runs on MicroPython, before the built-in module on the path. `fresh()` forgets everything, as power-on does.
"""

# ruff: noqa: ARG002, RUF012  it takes what the real one takes, and its state is the class's on purpose

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
EXT1_WAKE = 3
TIMER_WAKE = 4


class Asleep(Exception):
    """deepsleep() was reached."""


class Restarted(Exception):
    """reset() was reached."""


class State:
    reset_cause = PWRON_RESET
    wake_reason = 0
    rtc = b""
    dog = None
    timer = None
    uart = None
    adc_uv = [2000000]
    levels = {}
    chips = {}
    spi = bytearray()
    duties = {}


def fresh():
    State.reset_cause = PWRON_RESET
    State.wake_reason = 0
    State.rtc = b""
    State.dog = State.timer = State.uart = None
    State.adc_uv = [2000000]
    State.levels = {}
    State.chips = {}
    State.spi = bytearray()
    State.duties = {}
    Pin.made = {}


def reset_cause():
    return State.reset_cause


def wake_reason():
    return State.wake_reason


def deepsleep(ms):
    raise Asleep(ms)


def reset():
    raise Restarted


class Pin:
    IN, OUT = 1, 3
    PULL_UP, PULL_DOWN = 2, 1
    IRQ_RISING, IRQ_FALLING = 1, 2
    made = {}

    def __init__(self, number, mode=-1, pull=None, value=None, hold=None):
        self.number = number
        self.mode = mode
        self.handler = None
        self.trigger = 0
        if value is not None:
            State.levels[number] = value
        State.levels.setdefault(number, 1 if pull == Pin.PULL_UP else 0)
        Pin.made[number] = self

    def __call__(self, value=None):
        if value is None:
            return State.levels[self.number]
        State.levels[self.number] = 1 if value else 0
        return None

    def irq(self, handler, trigger):
        self.handler = handler
        self.trigger = trigger

    def drive(self, level):
        """The world outside sets the pin: an edge calls the handler, as the scheduler does."""
        was = State.levels[self.number]
        State.levels[self.number] = level
        wanted = Pin.IRQ_RISING if level else Pin.IRQ_FALLING
        if was != level and self.handler and self.trigger & wanted:
            self.handler(self)


class PWM:
    """The pin's level is whether anything of a duty is left."""

    def __init__(self, pin, freq=0, duty_u16=0):
        self.number = pin.number
        self.freq = freq
        self.duty_u16(duty_u16)

    def duty_u16(self, duty):
        State.duties[self.number] = duty
        State.levels[self.number] = 1 if duty else 0


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, atten=0):
        self.turn = 0

    def read_uv(self):
        self.turn += 1
        return State.adc_uv[self.turn % len(State.adc_uv)]


class UART:
    def __init__(self, number, baud, **more):
        State.uart = self
        self.waiting = b""
        self.written = bytearray(1024)
        self.size = 0

    def any(self):
        return len(self.waiting)

    def readinto(self, buf):
        size = min(len(buf), len(self.waiting))
        if not size:
            return None
        buf[:size] = self.waiting[:size]
        self.waiting = self.waiting[size:]
        return size

    def write(self, buf, size):
        for i in range(size):
            self.written[self.size + i] = buf[i]
        self.size += size
        return size


class Timer:
    PERIODIC = 1

    def __init__(self, number):
        State.timer = self

    def init(self, mode, period, callback):
        self.period = period
        self.callback = callback


class RTC:
    def memory(self, *data):
        if data:
            State.rtc = bytes(data[0])
            return None
        return State.rtc


class WDT:
    def __init__(self, timeout):
        State.dog = self
        self.timeout = timeout
        self.fed = 0

    def feed(self):
        self.fed += 1


class Chip:
    """Registers behind an address. `broken` makes the bus fail, `cleared` bits go by a 1 written (interrupt flags)."""

    def __init__(self, values, clears=()):
        self.registers = bytearray(256)
        for register in values:
            self.registers[register] = values[register]
        self.clears = clears
        self.broken = False


class I2C:
    def __init__(self, number, scl=None, sda=None, freq=0):
        pass

    def _chip(self, address):
        chip = State.chips.get(address)
        if chip is None or chip.broken:
            raise OSError(19)
        return chip

    def readfrom_mem_into(self, address, register, buf):
        registers = self._chip(address).registers
        for i in range(len(buf)):
            buf[i] = registers[register + i]

    def writeto_mem(self, address, register, buf):
        chip = self._chip(address)
        for i in range(len(buf)):
            if register + i in chip.clears:
                chip.registers[register + i] &= ~buf[i] & 0xFF
            else:
                chip.registers[register + i] = buf[i]


class SPI:
    """Keeps what was written, commands marked by the data pin's level: (level, bytes)."""

    data_pin = 38

    def __init__(self, number, baudrate=0, sck=None, mosi=None, miso=None):
        self.log = []
        self.keep = True
        self.count = 0
        State.spi = self

    def write(self, buf):
        self.count += len(buf)
        if self.keep:
            self.log.append((State.levels.get(self.data_pin, 0), bytes(buf)))
