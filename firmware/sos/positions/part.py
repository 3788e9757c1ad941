"""Positions as a part of the application: when to look, what to put down, what of it is an event, who gets it.

Owns how the others work together. An SOS never waits for it: this is all in the main loop, after the alarm path; the
place follows under the number of the event. Start reading here, then search.py, trail.py, fence_news.py, handover.py.
"""

import struct

from protocol import codes
from protocol.trail_code import Position, accuracy_class

from .. import schedule
from ..parts import Part
from . import duty
from .earth import metres
from .fence_news import FenceNews
from .handover import Handover
from .nmea import Fix
from .search import Search
from .store import Store
from .trail import Trail

# Events while which somebody is to be found.
_SOUGHT = (codes.SOS, codes.NO_MOTION_AFTER_FALL)
# Who goes so fast, or has got so far beyond what the two places are off by, is moving.
_MOVING_CM_S = 80
_MOVED_M = 40
# A second position for a fence is waited for, no longer.
_DOUBT_MS = 40000
# Fences with news for which there was no room try again so often.
_NEWS_EVERY_MS = 10000
# Last looked, vain, moved; the last place, its time, when that was; hello, and the next; the open trail; the event.
_KEEP = ">iBBiiIIiHII"


def make(reach):
    """The part, for parts.py."""
    return Positions(reach)


class Positions(Part):
    """Times in s are since power-on: they go on over deep sleep."""

    def __init__(self, reach):
        Part.__init__(self, reach)
        self.search = Search(reach.board)
        self.store = Store(reach.folder)
        self._trail = Trail(self.store)
        self._news = FenceNews(self.store.folder, reach.alarms, reach.raise_event)
        self._handover = Handover(reach, self.store)
        # When the last look began, -1: there was none; how many were vain since the last place.
        self._looked_s = -1
        self._vain = 0
        self._moved = False
        # The last one that was put down; when the newest was found; the event in which somebody is sought.
        self._last = None
        self._found_s = 0
        self._sought = 0
        self._doubt_until_ms = self._next_news_ms = 0
        self._flash_failed = False
        self.settled()

    def settled(self):
        """See Part."""
        self._news.settled(self.reach.settings.fences)

    def turn(self, now_ms):
        """See Part."""
        if self.store.failed != self._flash_failed:
            self._flash_failed = self.store.failed
            self.reach.log("the trail: flash %s" % ("fails" if self._flash_failed else "takes it again"))
        now_s = self._since_power_on(now_ms) // 1000
        self._note_motion(now_ms)
        alarm = self._sought_alarm()
        if not self.search.on and ((alarm is not None and alarm.pending) or now_s >= self._due_s(now_ms, alarm)):
            self.search.begin(now_ms)
        if self.search.on:
            self._look(now_ms, now_s, alarm)
        if now_ms >= self._next_news_ms:
            self._next_news_ms = now_ms + _NEWS_EVERY_MS
            self._news.turn()
        self._handover.turn(now_ms, now_s)

    # ---- when ----

    def _since_power_on(self, now_ms):
        return self.reach.board.started_ms + now_ms

    def _note_motion(self, now_ms):
        motion = self.reach.motion
        if motion is not None and motion.moving(now_ms):
            self._moved = True

    def _sought_alarm(self):
        """The newest event in which somebody is to be found; a new one is looked for at once. None."""
        newest = None
        for alarm in self.reach.alarms:
            if alarm.used and alarm.kind in _SOUGHT and (newest is None or alarm.number > newest.number):
                newest = alarm
        number = newest.number if newest is not None else 0
        if number != self._sought:
            self._sought = number
            self._vain = 0
            if number:
                self._looked_s = -1
        return newest

    def _sos_s(self, now_ms, alarm):
        return max(0, now_ms - alarm.raised_ms) // 1000 if alarm is not None else -1

    def _step_s(self, now_ms, alarm):
        reach = self.reach
        # Nothing but places says whether it moves: then it looks as if it did where it would never look else.
        moved = self._moved or (reach.motion is None and not reach.settings.still_s)
        return duty.step_s(reach.settings, moved, reach.battery_percent, self._sos_s(now_ms, alarm))

    def _due_s(self, now_ms, alarm):
        """When the next position is due; far away where none is wanted."""
        step_s = self._step_s(now_ms, alarm)
        if not step_s:
            return schedule.NEVER
        gap_s = duty.gap_s(step_s, self._vain, self._sos_s(now_ms, alarm))
        return self._looked_s + gap_s if self._looked_s >= 0 else 0

    # ---- what is found ----

    def _look(self, now_ms, now_s, alarm):
        fix = self.search.turn(now_ms)
        if fix is not None:
            self._found_s = now_s
        pending = alarm is not None and alarm.pending
        if now_s >= self._due_s(now_ms, alarm) and not pending:
            good = self.search.good(now_ms, alarm is not None)
            if good is not None:
                self._put_down(good, now_ms, now_s, alarm)
            elif self._vainly(now_ms, now_s):
                self._not_found(now_ms, now_s, alarm)
                return
        if fix is not None:
            self._tell(self._news.look(fix), fix, now_s)
            if self._news.doubts and not self._doubt_until_ms:
                self._doubt_until_ms = now_ms + _DOUBT_MS
        if not self._news.doubts:
            self._doubt_until_ms = 0
        if not pending and self._done(now_ms, now_s, alarm):
            self._doubt_until_ms = 0
            self.search.end()

    def _vainly(self, now_ms, now_s):
        cold = self.search.last is None or now_s - self._found_s >= duty.COLD_AFTER_S
        return self.search.looked_ms(now_ms) >= (duty.LOOK_COLD_MS if cold else duty.LOOK_MS)

    def _done(self, now_ms, now_s, alarm):
        """Whether the receiver may rest: nothing is due soon, and no fence is in doubt."""
        soon = self._due_s(now_ms, alarm) - now_s <= duty.SOS_FIRST_S
        return not soon and now_ms >= self._doubt_until_ms

    def _put_down(self, fix, now_ms, now_s, alarm):
        step_s = self._step_s(now_ms, alarm)
        moving = self._is_moving(fix)
        position = _position(fix, moving, alarm is not None)
        self._trail.add(position, alarm.number if alarm is not None else 0, step_s)
        self._handover.added(alarm is not None, now_s)
        self._last = fix
        self._looked_s = now_s
        self._vain = 0
        self._moved = moving if self.reach.motion is None else False
        self.search.begin(now_ms)
        self.reach.tell_time(fix.unix_s)

    def _not_found(self, now_ms, now_s, alarm):
        """None this time: said once, and each time during an SOS."""
        unix_s = self._unix_s(now_s)
        if unix_s and (alarm is not None or not self._vain):
            position = Position(unix_s, found=False, moving=self._moved, sos=alarm is not None)
            self._trail.add(position, alarm.number if alarm is not None else 0, self._step_s(now_ms, alarm))
            self._handover.added(alarm is not None, now_s)
        self._vain += 1
        self._looked_s = now_s
        if duty.gap_s(self._step_s(now_ms, alarm), self._vain, self._sos_s(now_ms, alarm)) > duty.SOS_FIRST_S:
            self.search.end()
        else:
            self.search.begin(now_ms)

    def _is_moving(self, fix):
        if self.reach.motion is not None:
            return self._moved
        last = self._last
        if fix.speed_cm_s >= _MOVING_CM_S or last is None:
            return fix.speed_cm_s >= _MOVING_CM_S
        far_m = metres(last.latitude_e6, last.longitude_e6, fix.latitude_e6, fix.longitude_e6)
        return far_m > _MOVED_M + max(0, fix.accuracy_m) + max(0, last.accuracy_m)

    def _tell(self, alarms, fix, now_s):
        """Events of fences are out: where it was follows under the number of each."""
        for alarm in alarms:
            self._trail.add(_position(fix, True, False), alarm.number, self.reach.settings.moving_s)
            self._handover.added(True, now_s)

    def _unix_s(self, now_s):
        """As the satellites said, else as a gateway did; 0: not known."""
        if self.search.last is not None:
            return self.search.last.unix_s + now_s - self._found_s
        return self.reach.unix_s()

    # ---- who gets it ----

    def connected(self, way):
        """See Part."""
        self._handover.connected(way, self.reach.now_ms())

    def taken(self, sequence):
        """See Part."""
        self._handover.taken(sequence, self.reach.now_ms())

    # ---- sleep ----

    def awake(self, now_ms):
        """See Part."""
        return self.search.on or self._handover.busy(now_ms)

    def next_ms(self, now_ms):
        """See Part."""
        due_s = self._due_s(now_ms, self._sought_alarm())
        hello_s = self._handover.next_s()
        if hello_s >= 0:
            due_s = min(due_s, hello_s)
        if due_s >= schedule.NEVER:
            return schedule.NEVER
        return max(now_ms, due_s * 1000 - self.reach.board.started_ms)

    def keep(self):
        """See Part."""
        self._handover.settle()
        last = self.search.last or Fix(0, 0, 0, 0)
        record = self.store.open if self.store.writable else None
        return struct.pack(
            _KEEP,
            self._looked_s,
            min(self._vain, 255),
            self._moved,
            last.latitude_e6,
            last.longitude_e6,
            last.unix_s,
            self._found_s,
            self._handover.said_s,
            self._handover.gap_s,
            record.sequence if record is not None else 0,
            self._sought,
        )

    def resume(self, data):
        """See Part."""
        kept = struct.unpack(_KEEP, data)
        self._looked_s, self._vain, self._moved = kept[0], kept[1], bool(kept[2])
        if kept[5]:
            self.search.last = self._last = Fix(kept[3], kept[4], kept[5], 0)
        self._found_s, self._handover.said_s, self._handover.gap_s, self._sought = kept[6], kept[7], kept[8], kept[10]
        self.store.resume(kept[9])


def _position(fix, moving, sos):
    """For a trail: to a metre."""
    north, east = (fix.latitude_e6 + 5) // 10, (fix.longitude_e6 + 5) // 10
    return Position(fix.unix_s, north, east, accuracy_class(fix.accuracy_m), moving=moving, sos=sos)
