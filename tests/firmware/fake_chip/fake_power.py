"""Builds a board over the fake chip and moves its time. Runs on MicroPython."""

import esp32
import machine
from drivers import esp32_core
from machine import Chip, Pin, State

BUTTON = 3
CABLE = 5
INTERRUPT = 21
TOUCH = 16
MOTION = 14


class Clock:
    """`time`, moved by hand; sleeping takes the time it says and lets `meanwhile` happen once."""

    def __init__(self, ns):
        self.ms = 0
        self.ns = ns
        self.meanwhile = None

    def ticks_ms(self):
        return self.ms & 0x3FFFFFFF  # 1 << 30 itself would be an object on a 32-bit heap

    def ticks_diff(self, a, b):
        return ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    def time_ns(self):
        return self.ns

    def sleep_ms(self, ms):
        self.ms += ms
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()


esp32_core.time = Clock(5000000000)


def clock():
    """The clock of the board made last."""
    return esp32_core.time


def power_on(module, cause=machine.PWRON_RESET, reason=0, levels=None, key=0):
    """A board as it starts after `cause`: RTC memory and the chip's clock as the last one left them.

    `levels`: what the world holds pins at; `key`: flags the watch's power chip has kept.
    """
    kept = State.rtc
    machine.fresh()
    State.rtc = kept
    State.reset_cause = cause
    State.wake_reason = reason
    State.levels.update(levels or {})
    State.chips[0x34] = Chip(
        {0x00: 0x08, 0x03: 0x4A, 0x22: 0x02, 0x34: 0x0F, 0x35: 0xA0, 0x49: key, 0x90: 0x08}, clears=(0x48, 0x49, 0x4A)
    )
    State.chips[0x5A] = Chip({})
    State.chips[0x38] = Chip({0xA3: 0x64})
    State.chips[0x19] = Chip({0x00: 0x13})
    esp32_core.time = Clock(clock().ns)
    esp32.wakes.clear()
    return module.Board()


def power_off():
    """RTC memory is gone, as on a bench where the cell was out for an hour."""
    State.rtc = b""


def listening(board):
    """A list that gets every edge the board tells."""
    heard = []
    board.on_button(heard.append)
    return heard


def key(flags):
    """The watch's power chip sees the key: it sets the flags and pulls the line until they are read."""
    chip = State.chips[0x34]
    chip.registers[0x49] |= flags
    Pin.made[INTERRUPT].drive(0)
    if not chip.registers[0x49]:
        Pin.made[INTERRUPT].drive(1)


def finger(x, y, event=0, fingers=1):
    """The watch's touch chip sees a finger there (event 0 down, 2 on the glass, 1 gone) and pulls its line."""
    report = bytes([fingers, event << 6 | x >> 8, x & 0xFF, y >> 8, y & 0xFF])
    State.chips[0x38].registers[0x02:0x07] = report
    Pin.made[TOUCH].drive(0 if fingers else 1)


def slept(board, ms=60000):
    """For how long it went to sleep; None when it stayed awake."""
    try:
        board.deep_sleep(ms)
    except machine.Asleep as asleep:
        return asleep.args[0]
    return None
