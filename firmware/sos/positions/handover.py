"""The trail on its way out: sealed, to whichever gateway is near, those of an event first, each until it is taken.

Owns what is under way, when a visit is asked for, and sealing. Must not know files, nor what is in a trail. Called only
while no alarm waits for a gateway (parts.py); one box is under way at a time.
"""

from os import urandom

from protocol import box, codes
from protocol.watchful import pack_trail

# A gateway answers when it has it on disk.
_ANSWER_WITHIN_MS = 3000
# Who has not answered so often gets nothing more for a while: there may be nobody at the other end of a cable.
_TRIES = 3
_REST_MS = 20000
# What was taken goes out of flash when so long nothing more was, or before a sleep.
_SETTLE_AFTER_MS = 1500
# What is still written on is closed for a gateway, but not again so soon, nor while nobody answers.
_CLOSE_EVERY_MS = 600000
# Hello: of an event at once, and again after twice as long each time; else with a position, so seldom.
_HELLO_FIRST_S = 10
HELLO_EVERY_S = 900


class Handover:
    """`store` holds what waits. Times in s are since power-on."""

    def __init__(self, reach, store):
        self._reach = reach
        self._store = store
        # Under way: its sequence (0: nothing), way, tries and when it was last sent.
        self._sequence = self._tries = self._sent_ms = 0
        self._way = None
        self._rests = {}
        self._closed_ms = -_CLOSE_EVERY_MS
        self._answered = True
        self._taken_ms = 0
        self._unsettled = False
        # When hello was said, and how long after it again (0: not): these outlive a sleep.
        self.said_s = -HELLO_EVERY_S
        self.gap_s = 0
        self._flag = None

    def added(self, urgent, now_s):
        """A position was put down, of an event or not."""
        if urgent:
            self.gap_s = _HELLO_FIRST_S
            self._hello(now_s)
        elif not self.gap_s and now_s - self.said_s >= HELLO_EVERY_S:
            self._hello(now_s)

    def turn(self, now_ms, now_s):
        """Say hello again for what is of an event; let go in flash of what was taken."""
        waits = self._store.waits
        if waits != self._flag:
            self._flag = waits
            self._reach.want_visit(waits, False)
        if not waits:
            self.gap_s = 0
        elif self.gap_s and now_s - self.said_s >= self.gap_s:
            self.gap_s = min(2 * self.gap_s, HELLO_EVERY_S)
            self._hello(now_s)
        if self._unsettled and now_ms - self._taken_ms >= _SETTLE_AFTER_MS:
            self.settle()

    def _hello(self, now_s):
        self.said_s = now_s
        self._flag = True
        self._reach.want_visit(True)

    def next_s(self):
        """When hello is due again; -1: never."""
        return self.said_s + self.gap_s if self.gap_s else -1

    def busy(self, now_ms):
        """Whether a box is under way, and its answer may still come."""
        return self._sequence != 0 and now_ms - self._sent_ms < _ANSWER_WITHIN_MS

    def connected(self, way, now_ms):
        """A gateway can be handed something by this way."""
        if self.busy(now_ms) or now_ms < self._rests.get(way, 0):
            return
        if self._sequence and self._way == way:
            self._tries += 1
            if self._tries >= _TRIES:
                self._rests[way] = now_ms + _REST_MS
                self._sequence = 0
                self._answered = False
                return
        else:
            self._tries = 0
        self._close(now_ms)
        record = self._store.next(())
        if record is None:
            self._sequence = 0
            return
        sealed = box.seal(self._reach.trail_key, box.TRAIL, record.sequence, urandom(box.SALT_SIZE), record.trail)
        if self._reach.send(codes.TRAIL, pack_trail(record.number, sealed), way) < 0:
            # Nobody took it, and each try has cost a counter: not again at the next turn.
            self._sequence = 0
            self._rests[way] = now_ms + _REST_MS
            return
        self._sequence, self._way, self._sent_ms = record.sequence, way, now_ms

    def _close(self, now_ms):
        record = self._store.open
        if record is None or not record.trail:
            return
        if record.number or (self._answered and now_ms - self._closed_ms >= _CLOSE_EVERY_MS):
            self._closed_ms = now_ms
            self._store.close()

    def taken(self, sequence, now_ms):
        """A gateway has it for good; it may also be one of an earlier visit."""
        self._store.taken(sequence)
        self._taken_ms = now_ms
        self._unsettled = self._answered = True
        self._rests = {}
        if sequence == self._sequence:
            self._sequence = self._tries = 0

    def settle(self):
        """What was taken goes out of flash."""
        if self._unsettled:
            self._unsettled = False
            self._store.settle()
