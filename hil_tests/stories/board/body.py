# ruff: noqa: ANN001, ANN201, ANN202, ANN204, C901, PLR0912, PTH123, UP031 - it runs on MicroPython
# mypy: ignore-errors
"""What of a wearable outlives a run of its application: flash, RTC memory, clock, cell, what the world does to it.

Owns the exchange with the story. Must not know the application. Runs on MicroPython.
"""

import os

import vfs
from meter import Meter
from motion import Motion
from nor_chip import Chip, Port
from over import CUT, POWER_ON, Over
from virtual import Board

_BLOCKS = 96
_WAKES = {"none": 0, "button": 1, "timer": 2, "serial": 3, "touch": 4, "motion": 5}
# The application's words that somebody else hears: the story thinks before time goes on.
_SPOKEN = ("adv ", "notify ", "drop ")


class Body:
    """`at_ms`: the story's time. `until_ms`: how far it may go now. `parts`: what the board has besides the rest."""

    def __init__(self, wire, parts):
        self.wire = wire
        self.parts = parts
        self.meter = Meter()
        self.chip = Chip(_BLOCKS)
        self.at_ms = self.until_ms = self.power_at_ms = 0
        self.epoch = 0
        self.rtc = b""
        self.cause, self.wake = POWER_ON, 0
        self.sleep_ms = 0
        self.down = False
        self.cable = False
        self.battery_mv = 4000
        self.touches = []
        self.motion = Motion()
        self.nmea = b""
        self.gnss_on = False
        self.board = None

    def provision(self, identity):
        """A fresh file system with this identity's record."""
        port = Port(self.chip)
        vfs.VfsLfs2.mkfs(port, readsize=32, progsize=128)
        vfs.mount(vfs.VfsLfs2(port, readsize=32, progsize=128), "/flash")
        with open("/flash/identity", "wb") as file:
            file.write(identity)
        vfs.umount("/flash")

    # ---- a run ----

    def power_on(self):
        """The cell is in."""
        self.power_at_ms = self.at_ms
        self.epoch = int.from_bytes(os.urandom(4), "big")
        self.rtc = b""
        self.cause, self.wake = POWER_ON, 0

    def begin(self):
        """The chip starts."""
        self.board = Board(self)
        return self.board

    def end(self, asleep):
        """The chip has stopped. Asleep, what has a supply of its own goes on."""
        if self.board is not None:
            self.board.end()
        self.board = None
        gnss = asleep and self.gnss_on
        self.meter.all_off(self.at_ms)
        self.meter.turn("asleep", asleep, self.at_ms)
        self.meter.turn("gnss", gnss, self.at_ms)
        self.gnss_on = gnss

    def gnss_turned(self, on):
        """The receiver of satellites has power, or not."""
        if on != self.gnss_on:
            self.gnss_on = on
            self.meter.turn("gnss", on, self.at_ms)
            self.meter.count("gnss_begun", int(on))
            self.wire.say("gnss %d" % on)
        if not on:
            self.nmea = b""

    # ---- the story ----

    @property
    def speaks(self):
        """Whether something was said that somebody else hears."""
        return any(line.startswith(_SPOKEN) for line in self.wire.waiting)

    def stop(self):
        """Tell the story everything, and do as it says until it lets time go on; its last words."""
        self.wire.stop_at(self.at_ms)
        while True:
            words = self.wire.read()
            if words[0] == "go":
                self.until_ms = int(words[1])
                return words
            if words[0] in ("wake", "power"):
                # Asleep or without power: the time of the start is the story's to say.
                self.meter.turn("asleep", False, int(words[2]))
                self.motion.slept(int(words[2]))
                self.at_ms = self.until_ms = int(words[2])
                self.wake = _WAKES[words[1]]
                return words
            self._take(words)

    def _take(self, words):
        word = words[0]
        if word == "button":
            self.down = words[1] == "1"
            if self.board is not None:
                self.board.pressed(self.down)
        elif word in ("connect", "write", "gone"):
            if self.board is not None:
                self.board.radio.take(words)
        elif word == "battery":
            self.battery_mv = int(words[1])
        elif word == "cable":
            self.cable = words[1] == "1"
        elif word == "touch":
            self.touches.append((int(words[1]), int(words[2])))
        elif word == "gait":
            self.motion.slept(int(words[1]))
            self.motion.go_on(bytes.fromhex(words[2]))
        elif word == "moves":
            self.motion.slept(int(words[1]))
            self.motion.moves(bytes.fromhex(words[2]))
        elif word == "nmea":
            self.nmea += bytes.fromhex(words[1])
        elif word == "cut":
            raise Over(CUT)
        elif word == "meter":
            for line in self.meter.lines(self.at_ms):
                self.wire.say(line)
            self.wire.stop_at(self.at_ms)
        else:
            raise ValueError(word)
