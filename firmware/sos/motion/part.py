"""Motion as a part of the application: reads the accelerometer, and says falls, steps, stillness and wear.

Owns when the wearable looks (awake) and what wakes it (asleep). Must not know how a fall is found or told. While it is
moved it looks for some seconds, then once a minute, and sleeps in between with the chip set to wake it by what may be a
fall; while it lies still any motion wakes it.
"""

import struct
from array import array

from protocol import codes, settings
from protocol.messages import pack_activity

from .. import schedule
from ..parts import Part
from .activity import MOVED_MG, Activity
from .fallen import NONE, Fallen
from .falls import FALLEN
from .levels import level
from .sensing import Sensing
from .signal import HZ
from .stirring import may_be_a_fall, moves

_WAKE_MOTION = 5
_KEPT_SAMPLES = 170
# One turn takes so many times what the chip keeps; what is left is there at the next.
_READS_MOST = 3
# Whatever woke us may only have begun: at least so long. Motion that goes on is looked at for longer, and then again
# after so much sleep.
LOOK_LEAST_MS = 4000
LOOK_MS = 10000
LOOK_AGAIN_MS = 60000
# No second of movement for so long: it lies still.
STILL_AFTER_MS = 5000
_SAMPLE_MS = 1000 // HZ
# What the chip was to wake us by.
_BY_FALL = 1
_BY_ANY = 2
# What goes over a deep sleep: worn, still, steps; moved, stirred in ms since power-on; down now and in the last walk,
# in mg.
_KEEP = ">BBHqqhhhhhh"


def make(reach):
    """The part, for parts.py."""
    return Motion(reach)


class Motion(Part):
    """`settings.falls` says how watchful it is; steps, stillness and wear are always watched."""

    def __init__(self, reach):
        Part.__init__(self, reach)
        self._samples = array("h", [0] * (3 * _KEPT_SAMPLES))
        self.sensing = Sensing()
        self._fallen = Fallen(reach, self.sensing)
        self._activity = Activity(reach.board.started_ms)
        self._look_least_ms = self._look_until_ms = 0
        self._look_again_ms = schedule.NEVER
        self._shook = False
        # By which kind of motion it was woken. What the chip has kept says whether there was some.
        self._woken = 0
        self.settled()

    def settled(self):
        """As watchful as the settings say."""
        falls = self.reach.settings.falls
        wrist = self.reach.board.profile == "watch"
        self.sensing.watch(level(falls, wrist) if falls != settings.FALLS_OFF else None)

    def turn(self, now_ms):
        """Take what the chip has, and look at what has become of a fall."""
        self._shook = self._shook or self.reach.feedback.playing
        for _ in range(_READS_MOST):
            count = self.reach.board.samples(self._samples)
            if self._woken:
                self._look(count)
            self._take(count, now_ms)
            if count < _KEPT_SAMPLES:
                break
        self._fallen.turn(now_ms)
        if self._activity.looked(self._since_power_on(now_ms)) and self._tells_worn():
            self.reach.raise_event(codes.WEARABLE_REMOVED)

    def _look(self, count):
        """The first samples after a sleep. Where nothing has stirred it may go on at once."""
        by, self._woken = self._woken, 0
        if by == _BY_ANY:
            stirred = moves(self._samples, count)
        else:
            falls = self.sensing.falls
            stirred = falls is not None and may_be_a_fall(self._samples, count, falls.level)
        if stirred:
            self._look_least_ms, self._look_until_ms = LOOK_LEAST_MS, LOOK_MS
            self._activity.stirred_ms = self._since_power_on(0)

    def _take(self, count, now_ms):
        samples = self._samples
        for i in range(count):
            verdict = self.sensing.sample(samples[3 * i], samples[3 * i + 1], samples[3 * i + 2])
            if verdict == FALLEN:
                self._fallen.fell(now_ms)
            if self.sensing.signal.second:
                self._second(now_ms - (count - 1 - i) * _SAMPLE_MS)

    def _second(self, at_ms):
        """A second is over. One in which the wearable's own motor ran says nothing."""
        shook, self._shook = self._shook, self.reach.feedback.playing
        if shook:
            return
        activity = self.sensing.signal.activity
        was = self._activity.worn
        self._activity.second(activity, self._since_power_on(at_ms))
        if was == codes.NOT_WORN and self._activity.worn == codes.WORN and self._tells_worn():
            self.reach.raise_event(codes.WEARABLE_WORN)
        self._fallen.second(activity >= MOVED_MG)

    def _since_power_on(self, now_ms):
        return self.reach.board.started_ms + now_ms

    def _tells_worn(self):
        """Whose wearable comes off is told where somebody answers for the wearer: a child's guardian."""
        return self.reach.settings.kind == settings.CHILD

    def moving(self, now_ms):
        """Whether it was moved in the last seconds."""
        return self._activity.still_ms(self._since_power_on(now_ms)) < STILL_AFTER_MS

    # ---- for heartbeats and answers ----

    def activity(self):
        """See Part."""
        still_ms = self._activity.still_ms(self._since_power_on(self.reach.now_ms()))
        return pack_activity(self._activity.worn, self.sensing.steps.steps & 0xFFFF, max(0, still_ms) // 60000)

    def worn(self):
        """See Part."""
        return self._activity.worn

    # ---- sleep ----

    def awake(self, now_ms):
        """While a fall is suspected, counted or watched over; and while there is motion to look at."""
        if self.sensing.suspects or self._fallen.state != NONE:
            return True
        if now_ms < self._look_least_ms or (now_ms < self._look_until_ms and self.moving(now_ms)):
            return True
        self._look_again_ms = now_ms + LOOK_AGAIN_MS if self.moving(now_ms) else schedule.NEVER
        return False

    def next_ms(self, now_ms):
        """The next look."""
        return max(self._look_again_ms, now_ms)

    def keep(self):
        """Just before a sleep: what wakes it is said here."""
        self.reach.board.watch_motion(self._look_again_ms != schedule.NEVER)
        down, walk, activity = self.sensing.signal, self.sensing.walk, self._activity
        return struct.pack(
            _KEEP,
            activity.worn,
            self._look_again_ms == schedule.NEVER,
            self.sensing.steps.steps & 0xFFFF,
            activity.moved_ms,
            activity.stirred_ms,
            down.gravity(0),
            down.gravity(1),
            down.gravity(2),
            walk[0],
            walk[1],
            walk[2],
        )

    def resume(self, data):
        """Go on; what the chip has kept meanwhile comes with the first turn."""
        kept = struct.unpack(_KEEP, data)
        self._activity.worn = kept[0]
        self.sensing.steps.steps = kept[2]
        self._activity.moved_ms, self._activity.stirred_ms = kept[3], kept[4]
        self.sensing.gap(kept[5:8])
        for i in range(3):
            self.sensing.walk[i] = kept[8 + i]
        if self.reach.board.wake_cause == _WAKE_MOTION:
            self._woken = _BY_ANY if kept[1] else _BY_FALL
