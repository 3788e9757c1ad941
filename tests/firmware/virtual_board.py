"""A board whose time is a number and whose hand is a script: the whole application runs on it at full speed.

Owns the contract's names (boards/contract.py) over a chip (nor_chip.py), and the far end of the serial line. Must not
know what is tested. Runs on MicroPython. A script is a generator: it does things and yields how many ms to wait, or
one of the ends below; it lives on when the board is started anew.
"""

import vfs
from drivers.steady_flash import SteadyFlash
from nor_chip import Port

from protocol import codes, messages, serial_link
from protocol.frame import DownSealer

POWER_CUT = -1
WATCHDOG = -2
POWER_ON, BY_WATCHDOG, SOFT, DEEP_SLEEP, BROWN_OUT = 1, 3, 5, 4, 6
TICK_MS = 20
# So many ticks between two turns of the main loop.
_TICKS = 5
_SALT = b"testonly"


class Over(Exception):
    """This run of the application has ended; `how`: POWER_CUT, WATCHDOG, SOFT or DEEP_SLEEP. None: the script is."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class Body:
    """What outlives a run: the clock since power-on, RTC memory, the button, the cable. `script` may be set later."""

    def __init__(self, chip, keys, seen):
        self.chip = chip
        self.keys = keys
        # seen(stage, number): what the wearer sees. spoken(counter): a frame has gone out.
        self.seen = seen
        self.spoken = lambda counter: None
        self.script = None
        self.power_ms = 0
        self.epoch = 1
        self.rtc = b""
        self.cause = POWER_ON
        self.down = False
        self.cable = True
        self.battery_mv = 4000
        # The one that runs now.
        self.board = None

    def power_off(self):
        """The battery is out and in again."""
        self.power_ms = 0
        self.epoch += 1
        self.rtc = b""
        self.cause = POWER_ON

    def live(self, application):
        """One run of application(board). Returns how it ended."""
        board = self.board = Board(self)
        try:
            application(board)
        except Over as over:
            return over.how
        finally:
            board.unmount()
            self.power_ms += board.now_ms()
        return None


class Board:
    """See boards/contract.py."""

    name = "virtual"
    profile = "pendant"
    release = False
    has_led = has_motor = True
    debounce_ms = 20
    has_display = has_touch = has_gnss = has_accelerometer = False
    wake_cause = 0

    def __init__(self, body):
        self._body = body
        self.reset_cause = body.cause
        self.wake_cause = 2 if body.cause == DEEP_SLEEP else 0
        self.power_epoch = body.epoch
        self.started_ms = body.power_ms
        self.app = None
        self.logged = []
        self._now_ms = 0
        self._script_ms = 0
        self._tick = self._button = None
        self._inbox = bytearray()
        self._mounted = False
        self._sealer = DownSealer(body.keys.down)
        self._port = None

    # ---- the world's side ----

    def press(self, down, told=True):
        """`told`: the edge is; else the interpreter's queue was full."""
        self._body.down = down
        if told:
            self._button(down)

    def answer(self, stage, number):
        """The gateway says this of an event, in answer to the newest frame."""
        self.say(codes.ANSWER, messages.pack_answer(stage, number, 0))

    def command(self, number, code, args):
        """The gateway asks for this."""
        self.say(codes.COMMAND, messages.pack_command(number, code, args))

    def say(self, frame_type, body):
        """A frame down, in answer to the newest frame up."""
        sealed = self._sealer.seal(frame_type, self.app._envelope.last_question(), _SALT, body)
        self._inbox += serial_link.encode(sealed)

    def unmount(self):
        """As the end of a run leaves things: nothing of it is written any more."""
        if self._port is not None:
            self._port.cut()
        if self.app is not None:
            # Now, and not when they are collected: then nothing may take heap, and this chip does.
            self.app._ledger._copies.close()
        if self._mounted:
            vfs.umount("/flash")
            self._mounted = False

    # ---- the contract ----

    def now_ms(self):
        return self._now_ms

    def wait(self, _most_ms):
        for _ in range(_TICKS):
            while self._now_ms >= self._script_ms:
                self._do_next()
            self._now_ms += TICK_MS
            self._tick()

    def _do_next(self):
        try:
            step = next(self._body.script)
        except StopIteration:
            raise Over(None) from None
        if step < 0:
            raise Over(step)
        self._script_ms = self._now_ms + step

    def on_tick(self, callback):
        self._tick = callback

    def on_button(self, callback):
        self._button = callback

    def button_pressed(self):
        return self._body.down

    def led(self, rgb):
        pass

    def motor(self, on):
        pass

    def show(self, stage, number):
        self._body.seen(stage, number)

    def battery_mv(self):
        return self._body.battery_mv

    def external_power(self):
        return self._body.cable

    def mount_flash(self):
        self._port = Port(self._body.chip)
        flash = SteadyFlash(self._port)
        if self.reset_cause != DEEP_SLEEP:
            flash.firm_up()
        system = vfs.VfsLfs2(flash, readsize=32, progsize=128)
        vfs.mount(system, "/flash")
        self._mounted = True
        return "/flash"

    def rtc_load(self):
        return self._body.rtc

    def rtc_store(self, data):
        assert len(data) <= 1536
        self._body.rtc = bytes(data)

    def bluetooth(self):
        return None

    def serial_read(self, buf):
        size = min(len(buf), len(self._inbox))
        buf[:size] = self._inbox[:size]
        self._inbox = self._inbox[size:]
        return size

    def serial_write(self, _buf, _size):
        if not self._body.cable:
            return False
        self._body.spoken(self.app._envelope.last_question())
        return True

    def watchdog(self, timeout_ms):
        pass

    def feed(self):
        pass

    def deep_sleep(self, sleep_ms):
        if self._body.down:
            return
        self._body.power_ms += sleep_ms
        raise Over(DEEP_SLEEP)

    def reset(self):
        raise Over(SOFT)

    def ready(self, version):
        pass

    def log(self, text):
        self.logged.append(text)
