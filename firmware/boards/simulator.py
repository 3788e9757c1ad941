"""The simulator: a wearable whose hardware is a few files and sockets of this machine. contract.py says what it offers.

Owns their formats: the lines of the body socket, the RTC file, the flash file, the tty. Must not know the bench that
is at their other ends (hil_tests/wearable). It really stops: deep sleep and reset end the process, and only flash and
RTC file are there when the next one starts. Environment: PINGAN_BODY, _FLASH, _RTC, _SERIAL, _RADIO, _RESET, _WAKE,
_PROFILE, _SCREEN, _PARTS (of: display, touch, gnss, accelerometer; by commas). What the contract calls "no heap" takes
none here either, so that the proof of it holds on the bench.
"""

import framebuf
import os
import select
import struct
import sys
import time

import micropython

from build import RELEASE
from drivers.body_line import BodyLine
from drivers.file_flash import FileFlash
from drivers.steady_flash import SteadyFlash
from drivers.tty_line import TtyLine

_TICK_MS = 20
_SCREEN_SIZE = 240
_FLASH_READ_SIZE = 32
_FLASH_PROGRAM_SIZE = 128
# Exit codes the bench understands: asleep, or to be started again at once.
_ASLEEP = 0
_RESET = 3
_RESETS = {"power_on": 1, "hard": 2, "watchdog": 3, "deep_sleep": 4, "soft": 5, "brown_out": 6}
_WAKES = {"none": 0, "button": 1, "timer": 2, "serial": 3, "touch": 4, "motion": 5}
# RTC file: magic, power epoch, host's tick count at power-on, then the application's part.
_RTC_HEAD = "<4sIQ"
_RTC_MAGIC = b"SIMR"
_RTC_SIZE = 1536
# ticks_ms() wraps there on a 32-bit interpreter, and the two kinds of interpreter may share an RTC file.
_TICKS_MASK = 0x3FFFFFFF


class Board:
    """See contract.py."""

    name = "simulator"
    release = RELEASE
    has_led = True
    has_motor = True
    # The hand on the bench never bounces, and on a machine that stood still its next press is read with its last.
    debounce_ms = 0

    def __init__(self):
        self._start_ticks = time.ticks_ms()
        self.profile = os.getenv("PINGAN_PROFILE") or "pendant"
        parts = (os.getenv("PINGAN_PARTS") or "").split(",")
        self.has_display, self.has_touch = "display" in parts, "touch" in parts
        self.has_gnss, self.has_accelerometer = "gnss" in parts, "accelerometer" in parts
        self._canvas = None
        self.reset_cause = _RESETS.get(os.getenv("PINGAN_RESET") or "power_on", 0)
        self.wake_cause = _WAKES.get(os.getenv("PINGAN_WAKE") or "none", 0)
        self._rtc_path = os.getenv("PINGAN_RTC")
        self._load_rtc()
        self._poll = select.poll()
        self._body = BodyLine(os.getenv("PINGAN_BODY"), self._poll)
        self._tty = TtyLine(os.getenv("PINGAN_SERIAL"), self._poll)
        self._on_tick = self._on_button = None
        self._next_tick_ms = 0
        # Bound once: making a bound method takes heap.
        self._run_tick = self._ticked
        self._run_edge = self._edged

    # ---- time ----

    def now_ms(self):
        return time.ticks_diff(time.ticks_ms(), self._start_ticks)

    def wait(self, most_ms):
        """Poll the sockets; ticks and edges go through the scheduler, as interrupts do on a board."""
        left_ms = most_ms
        if self._on_tick is not None:
            left_ms = max(0, min(most_ms, self._next_tick_ms - self.now_ms()))
        for _ in self._poll.ipoll(left_ms):
            pass
        self._body.read(self._schedule_edge)
        now_ms = self.now_ms()
        if self._on_tick is not None and now_ms >= self._next_tick_ms:
            self._next_tick_ms = now_ms + _TICK_MS
            self._schedule(self._run_tick, 0)

    def on_tick(self, callback):
        self._on_tick = callback

    def _schedule(self, function, argument):
        try:
            micropython.schedule(function, argument)
        except RuntimeError:
            pass  # the queue is full of what will do as well: the next tick comes, and edges tell the level

    def _schedule_edge(self, pressed):
        self._schedule(self._run_edge, pressed)

    def _ticked(self, _):
        self._on_tick()

    def _edged(self, pressed):
        if self._on_button is not None:
            self._on_button(pressed)

    # ---- button, light, motor ----

    def on_button(self, callback):
        self._on_button = callback

    def button_pressed(self):
        return self._body.pressed

    def led(self, rgb):
        self._body.led(rgb)

    def motor(self, on):
        self._body.motor(on)

    def show(self, stage, number):
        self._body.show(stage, number)

    def canvas(self):
        """Its bytes are the board's to show."""
        if self._canvas is None and self.has_display:
            self._pixels = bytearray(_SCREEN_SIZE * _SCREEN_SIZE // 2)
            self._canvas = framebuf.FrameBuffer(self._pixels, _SCREEN_SIZE, _SCREEN_SIZE, framebuf.GS4_HMSB)
        return self._canvas

    def flush(self, palette):
        """Into the file of PINGAN_SCREEN: 16 colours of three bytes, then the pixels. Dark: an empty file."""
        path = os.getenv("PINGAN_SCREEN")
        if path is None or not self.has_display:
            return
        with open(path + ".new", "wb") as file:
            if palette is not None:
                for rgb in palette:
                    file.write(rgb.to_bytes(3, "big"))
                file.write(self._pixels)
        os.rename(path + ".new", path)
        self._body.say("screen")

    # ---- touch, motion, satellites ----

    def touches(self):
        taken, self._body.touches = self._body.touches, []
        return taken if self.has_touch else []

    def samples(self, buf):
        if not self.has_accelerometer:
            return 0
        said = self._body.samples
        count = min(len(buf) // 3, len(said) // 6)
        for i in range(count * 3):
            value = said[2 * i] | said[2 * i + 1] << 8
            buf[i] = value - 0x10000 if value & 0x8000 else value
        self._body.samples = said[count * 6 :]
        return count

    def watch_motion(self, falls):
        if self.has_accelerometer:
            self._body.say("motion " + ("falls" if falls else "any"))

    def gnss(self, on):
        if self.has_gnss:
            self._body.say("gnss %d" % on)

    def gnss_read(self, buf):
        if not self.has_gnss:
            return 0
        said = self._body.nmea
        size = min(len(buf), len(said))
        buf[:size] = said[:size]
        self._body.nmea = said[size:]
        return size

    # ---- battery, flash, RTC ----

    def battery_mv(self):
        return self._body.battery_mv

    def external_power(self):
        return self._body.usb or self._tty.there

    def records(self):
        path = os.getenv("PINGAN_FLASH")
        if path is None:
            raise OSError(19)  # ENODEV
        return SteadyFlash(FileFlash(path))

    def mount_flash(self):
        import vfs

        flash = self.records()
        if self.reset_cause != _RESETS["deep_sleep"]:
            flash.firm_up()
        system = vfs.VfsLfs2(flash, readsize=_FLASH_READ_SIZE, progsize=_FLASH_PROGRAM_SIZE)
        vfs.mount(system, "/flash")
        return "/flash"

    def _load_rtc(self):
        """Epoch and power-on time from the file; new ones when there is none, for then power has been away."""
        self._rtc = b""
        head_size = struct.calcsize(_RTC_HEAD)
        kept = self._read_rtc()
        if len(kept) >= head_size and kept[:4] == _RTC_MAGIC:
            _, self.power_epoch, self._power_on = struct.unpack(_RTC_HEAD, kept[:head_size])
            self._rtc = kept[head_size:]
        else:
            self.power_epoch = int.from_bytes(os.urandom(4), "big")
            self._power_on = self._start_ticks & _TICKS_MASK
            self.rtc_store(b"")
        self.started_ms = (self._start_ticks - self._power_on) & _TICKS_MASK

    def _read_rtc(self):
        try:
            with open(self._rtc_path, "rb") as file:
                return file.read()
        except (OSError, TypeError):  # TypeError: no file is named
            return b""

    def rtc_load(self):
        return self._rtc

    def rtc_store(self, data):
        if len(data) > _RTC_SIZE:
            raise ValueError("too much for RTC memory")
        self._rtc = data
        if self._rtc_path is not None:
            with open(self._rtc_path, "wb") as file:
                file.write(struct.pack(_RTC_HEAD, _RTC_MAGIC, self.power_epoch, self._power_on) + data)

    # ---- links ----

    def bluetooth(self):
        if os.getenv("PINGAN_RADIO") is None:
            return None
        import bluetooth

        return bluetooth.BLE()

    def serial_read(self, buf):
        return self._tty.read(buf)

    def serial_write(self, buf, size):
        return self._tty.write(buf, size)

    # ---- life and death ----

    def watchdog(self, timeout_ms):
        self._body.say("watchdog %d" % timeout_ms)

    def feed(self):
        self._body.say("feed")

    def deep_sleep(self, sleep_ms):
        if self._body.waits() or self._body.pressed:
            return
        self._body.say("sleep %d" % sleep_ms)
        sys.exit(_ASLEEP)

    def reset(self):
        sys.exit(_RESET)

    # ---- development ----

    def ready(self, version):
        self._body.say("hello " + version)

    def log(self, text):
        if not RELEASE:
            self._body.say("log " + text)
