"""The world outside the bench's chip: who presses its button, what its pins are held at, what it shows.

Owns the pins' levels, the lines to the bench's body (hil_tests/wearable/body.py documents them) and the beat in which
both are looked at, in scheduler context as interrupts are. Must not know the firmware; which pin is what, is wiring.py.
"""

import os
import select
import socket
import struct
import time

import chip
import wiring

_PERIOD_MS = 5
_AF_UNIX = 1
_READ_SIZE = 256
_STATE_WITHIN_MS = 2000

levels = {}
on_edge = {}
timers = {}
wakes = []
# What the body says; without one, a board on its cable that nobody touches.
body = {"button": "up", "battery": "4100", "usb": "1"}
_told = {}
_state = {"line": None, "text": b"", "asleep": False}


def microvolts(number):
    """What an ADC reads at a pin."""
    return wiring.microvolts(number, body)


def sleep(ms):
    """The chip sleeps: no timer runs, no edge is told."""
    say("sleep %d" % ms)
    _state["asleep"] = True


def woken():
    """Whether a pin that may wake the chip has its level."""
    return any(levels.get(number) == level for number, level in wakes)


def say(line):
    """To the body, where there is one."""
    if _state["line"] is not None:
        _state["line"].write(line.encode() + b"\n")


def _connect(path):
    line = socket.socket(_AF_UNIX, socket.SOCK_STREAM)
    line.connect(struct.pack("<H", _AF_UNIX) + path.encode() + b"\0")
    _state["line"] = line
    _state["poll"] = select.poll()
    _state["poll"].register(line, select.POLLIN)
    # As pins have a level at boot: the state first, button last.
    del body["button"]
    while "button" not in body and _state["poll"].poll(_STATE_WITHIN_MS):
        _read()
    return line.fileno()


def _read():
    for _ in _state["poll"].ipoll(0):
        data = _state["line"].recv(_READ_SIZE)
        if not data:
            # The bench has gone; the board lies where it lay.
            _state["line"] = None
            return
        lines = (_state["text"] + data).split(b"\n")
        _state["text"] = lines.pop()
        for line in lines:
            word, _, value = line.decode().partition(" ")
            body[word] = value


def _beat(_):
    if _state["line"] is not None:
        _read()
    for number, level in wiring.inputs(body):
        was = levels.get(number)
        levels[number] = level
        if was != level and number in on_edge and not _state["asleep"]:
            on_edge[number](level)
    if not _state["asleep"]:
        _run_timers()
    for what, value in wiring.outputs(levels):
        if _told.get(what) != value:
            _told[what] = value
            say("%s %s" % (what, value))


def _run_timers():
    now = time.ticks_ms()
    for number, timer in list(timers.items()):
        started, period, callback, itself, is_periodic = timer
        if time.ticks_diff(now, started) >= period:
            timer[0] = now if time.ticks_diff(now, started) > 2 * period else time.ticks_add(started, period)
            if not is_periodic:
                timers.pop(number)
            callback(itself)


def _begin():
    path = os.getenv("PINGAN_BODY")
    fd = -1 if path is None else _connect(path)
    levels.update(dict(wiring.inputs(body)))
    chip.world(_beat, _PERIOD_MS, fd)


_begin()
