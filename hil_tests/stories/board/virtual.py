# ruff: noqa: ANN001, ANN201, ANN202, ANN204, D102, UP031 - it runs on MicroPython
# mypy: ignore-errors
"""The board of a story: boards/contract.py with time as a number and a pipe in the place of the world.

Owns the contract's names; what outlives a run is in body.py. Runs on MicroPython. It goes on until the time that the
story allows, and stops at once when it has said something on the air: what is said at one moment is heard and answered
before the next one comes. No instruction takes time here; only wait() and deep sleep do.
"""

import framebuf
import vfs
from drivers.steady_flash import SteadyFlash
from nor_chip import Port
from over import DEEP_SLEEP, SOFT, Over
from radio import Radio

TICK_MS = 20
# The main loop turns at least so often: a board wakes at each tick, and this is what costs a bench its time.
_TURN_MS = 100
_SCREEN_SIZE = 240
_RTC_SIZE = 1536
_RESET_DEEP_SLEEP = 4
_AWAKE = "awake"


class Board:
    """See boards/contract.py."""

    name = "virtual"
    release = False
    has_led = has_motor = True
    debounce_ms = 20

    def __init__(self, body):
        self._body = body
        self.profile = "watch" if "display" in body.parts else "pendant"
        self.has_display = "display" in body.parts
        self.has_touch = "touch" in body.parts
        self.has_gnss = "gnss" in body.parts
        self.has_accelerometer = "accelerometer" in body.parts
        self.reset_cause = body.cause
        self.wake_cause = body.wake
        self.power_epoch = body.epoch
        self.started_ms = body.at_ms - body.power_at_ms
        self._begun_ms = body.at_ms
        self._tick = self._button = None
        self._mounted = False
        self._port = None
        self._canvas = None
        self.radio = Radio(body.wire, body.meter, self._at_ms)
        body.meter.turn(_AWAKE, True, body.at_ms)
        body.meter.count("started")

    def _at_ms(self):
        at: int = self._body.at_ms
        return at

    # ---- the story's side ----

    def pressed(self, down):
        """The button moved."""
        if self._button is not None:
            self._button(down)

    def cut(self):
        """From now on nothing of this run is written any more."""
        if self._port is not None:
            self._port.cut()

    def end(self):
        """As the end of a run leaves things."""
        self.cut()
        if self._mounted:
            vfs.umount("/flash")
            self._mounted = False

    # ---- time ----

    def now_ms(self):
        return self._body.at_ms - self._begun_ms

    def wait(self, most_ms):
        body = self._body
        for _ in range(max(1, min(most_ms, _TURN_MS) // TICK_MS)):
            if body.at_ms >= body.until_ms:
                body.stop()
                return
            body.at_ms += TICK_MS
            body.motion.tick()
            if self._tick is not None:
                self._tick()
            if body.speaks:
                body.stop()
                return

    def on_tick(self, callback):
        self._tick = callback

    # ---- what the wearer does and sees ----

    def on_button(self, callback):
        self._button = callback

    def button_pressed(self):
        return self._body.down

    def led(self, rgb):
        self._body.meter.turn("led", rgb != 0, self._body.at_ms)

    def motor(self, on):
        self._body.meter.turn("motor", bool(on), self._body.at_ms)

    def show(self, stage, number):
        self._body.wire.say("shows %s %d" % (stage, number))

    def canvas(self):
        if self._canvas is None and self.has_display:
            self._canvas = framebuf.FrameBuffer(
                bytearray(_SCREEN_SIZE * _SCREEN_SIZE // 2), _SCREEN_SIZE, _SCREEN_SIZE, framebuf.GS4_HMSB
            )
        return self._canvas

    def flush(self, palette):
        self._body.meter.turn("backlight", palette is not None, self._body.at_ms)
        self._body.meter.count("flushed")

    def touches(self):
        taken, self._body.touches = self._body.touches, []
        return taken if self.has_touch else []

    # ---- what it feels ----

    def samples(self, buf):
        if not self.has_accelerometer:
            return 0
        return self._body.motion.read(buf)

    def watch_motion(self, falls):
        self._body.wire.say("motion " + ("falls" if falls else "any"))

    def gnss(self, on):
        if self.has_gnss:
            self._body.gnss_turned(bool(on))

    def gnss_read(self, buf):
        said = self._body.nmea
        size = min(len(buf), len(said))
        buf[:size] = said[:size]
        self._body.nmea = said[size:]
        return size

    # ---- battery and cable ----

    def battery_mv(self):
        return self._body.battery_mv

    def external_power(self):
        return self._body.cable

    # ---- flash and RTC memory ----

    def records(self):
        self._port = Port(self._body.chip)
        return SteadyFlash(self._port)

    def mount_flash(self):
        flash = self.records()
        if self.reset_cause != _RESET_DEEP_SLEEP:
            flash.firm_up()
        vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=128), "/flash")
        self._mounted = True
        return "/flash"

    def rtc_load(self):
        return self._body.rtc

    def rtc_store(self, data):
        if len(data) > _RTC_SIZE:
            raise ValueError("too much for RTC memory")
        self._body.rtc = bytes(data)

    # ---- links ----

    def bluetooth(self):
        return self.radio

    def serial_read(self, _buf):
        return 0

    def serial_write(self, _buf, _size):
        """Stories go by radio: in its cradle it has power, and nobody at the line."""
        return False

    # ---- life and death ----

    def watchdog(self, timeout_ms):
        pass

    def feed(self):
        pass

    def deep_sleep(self, sleep_ms):
        if self._body.down:
            return
        self._body.sleep_ms = sleep_ms
        raise Over(DEEP_SLEEP)

    def reset(self):
        raise Over(SOFT)

    # ---- development ----

    def ready(self, version):
        self._body.wire.say("ready " + version)

    def log(self, text):
        self._body.wire.say("log " + text.replace("\n", " "))
