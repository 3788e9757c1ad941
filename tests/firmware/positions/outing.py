"""A part's world without the application: time that is a number, a sky, a gateway's ear. Runs on MicroPython.

Owns what the part is given (reach) and what comes of it. The part, its flash (nor_chip.py) and its littlefs are real.
"""

import vfs
from nor_chip import Chip, Port
from sos.positions.part import make

from hil_tests.wearable import sky
from protocol import box, codes, settings
from protocol.trail_code import unpack
from protocol.watchful import Trail

KEY = b"test_only_trail1"
NOW_S = 1795905600
TURN_MS = 500


class Alarm:
    def __init__(self, number, kind, detail, raised_ms):
        self.number, self.kind, self.detail, self.raised_ms = number, kind, detail, raised_ms
        self.used, self.pending = True, False


class World:
    """Board and reach in one. `place`: (latitude, longitude) in e6, None: no satellites. Times in ms of this run."""

    living = None

    def __init__(self, chip=None):
        self.chip = chip or Chip(40)
        if chip is None:
            vfs.VfsLfs2.mkfs(Port(self.chip), readsize=32, progsize=128)
        self.settings = settings.Settings()
        self.settings.moving_s, self.settings.still_s = 300, 300
        self.board = self
        self.motion = None
        self.base_s = NOW_S
        self.started_ms = 0
        self.folder = "/flash"
        self.trail_key = KEY
        self.battery_percent = 80
        self.alarms = []
        self.next_number = 1
        self.place = (22543210, 114057868)
        self.hdop, self.knots = "1.0", "0.0"
        # The first fix takes so long after the receiver was switched on.
        self.first_fix_ms = 3000
        self.on_since_ms = None
        self.on_ms = 0
        self.said = b""
        self.ms = 0
        self.hellos = 0
        self.waits = False
        self.visitor = None
        self.deaf = False
        # The cable has no line behind it; how often something was sent nevertheless.
        self.dead_line = False
        self.lost = 0
        self.frames = []
        self.taken = []
        self.raised = []
        self.times = []
        self.port = None
        self.start()

    # ---- life ----

    def start(self):
        if World.living is not None:
            World.living.stop()  # of a test that failed
        World.living = self
        self.port = Port(self.chip)
        vfs.mount(vfs.VfsLfs2(self.port, readsize=32, progsize=128), "/flash")
        self.part = make(self)

    def stop(self):
        World.living = None
        self.port.cut()
        vfs.umount("/flash")

    def power_cut(self):
        """Another run, another power-on."""
        self.stop()
        self.base_s = self.unix()
        self.started_ms = self.ms = 0
        self.on_since_ms = None
        self.start()

    def sleep(self):
        """As the application does: until the part is due. Returns how long."""
        kept = self.part.keep()
        assert len(kept) <= 40
        due_ms = self.part.next_ms(self.ms)
        self.stop()
        slept = max(0, min(due_ms - self.ms, 1800000))
        for alarm in self.alarms:
            alarm.raised_ms -= self.ms + slept
        self.started_ms += self.ms + slept
        self.ms = 0
        self.start()
        self.part.resume(kept)
        return slept

    def live(self, for_s):
        """So many seconds of the world, asleep whenever the part may be."""
        end_ms = self.started_ms + self.ms + for_s * 1000
        while self.started_ms + self.ms < end_ms:
            self.turn()
            if not self.part.awake(self.ms) and self.visitor is None:
                self.sleep()

    def turn(self):
        self.part.turn(self.ms)
        if self.visitor is not None:
            self.part.connected(self.visitor)
            for sequence in self.taken:
                self.part.taken(sequence)
            self.taken = []
        self.ms += TURN_MS
        if self.on_since_ms is not None and self.ms % 1000 == 0:
            self._say()

    def _say(self):
        unix_s = self.unix()
        looked = self.ms - self.on_since_ms
        if self.place is None or looked < self.first_fix_ms:
            lines = sky.indoors(unix_s)
        else:
            lines = sky.second(unix_s, self.place[0], self.place[1], self.hdop, self.knots)
        self.said += "\r\n".join(lines).encode() + b"\r\n"

    def unix(self):
        return self.base_s + (self.started_ms + self.ms) // 1000

    # ---- board ----

    def gnss(self, on):
        if on and self.on_since_ms is None:
            self.on_since_ms = self.ms
        elif not on and self.on_since_ms is not None:
            self.on_ms += self.ms - self.on_since_ms
            self.on_since_ms = None

    def gnss_read(self, buf):
        size = min(len(buf), len(self.said))
        buf[:size] = self.said[:size]
        self.said = self.said[size:]
        return size

    # ---- reach ----

    def now_ms(self):
        return self.ms

    def unix_s(self):
        return 0

    def tell_time(self, unix_s):
        self.times.append((unix_s, self.unix()))

    def raise_event(self, kind, detail=0):
        alarm = Alarm(self.next_number, kind, detail, self.ms)
        self.next_number += 1
        self.alarms.append(alarm)
        self.raised.append((kind, detail))
        return alarm

    def want_visit(self, waits, hello=True):
        self.waits = waits
        if waits and hello:
            self.hellos += 1

    def send(self, frame_type, body, way):
        assert frame_type == codes.TRAIL and len(body) <= 200
        if way != self.visitor or self.dead_line:
            self.lost += 1
            return -1
        trail = Trail(body)
        content = box.opened(KEY, box.TRAIL, trail.box)
        assert content is not None
        self.frames.append((trail.number, box.sequence(trail.box), unpack(content)))
        if not self.deaf:
            self.taken.append(box.sequence(trail.box))
        return len(self.frames)

    # ---- the test's ----

    def sos(self):
        return self.raise_event(codes.SOS, codes.HOLD)

    def handed_over(self, for_s=20):
        """A gateway comes by; what it got."""
        self.visitor, begun = 3, len(self.frames)
        self.live(for_s)
        self.visitor = None
        return self.frames[begun:]
