"""A fall that counts down: an SOS that goes out unless its wearer gets up or presses. Flash has it from its beginning.

Owns that SOS until it is sent or taken back. Must not know what a fall is (motion/), nor what a press means
(presses.py). Runs in the alarm path and takes no heap: a main loop that hangs does not keep it.
"""

from protocol import codes

from . import stages

# What has become of the newest fall of this run.
NO_FALL = 0
COUNTING_DOWN = 1
TAKEN_BACK = 2
SENT = 3


class Falls:
    """`alarm`: the SOS that counts down, or None. `state`: one of the numbers above."""

    def __init__(self, outbox, feedback):
        self._outbox = outbox
        self._feedback = feedback
        self.alarm = None
        self.state = NO_FALL
        self._ends_ms = 0

    def begin(self, now_ms, for_ms):
        """A fall, while none counts down. False: there was no room, and it has become one with an open alarm."""
        alarm = self._outbox.add(codes.SOS, codes.FALL_UNANSWERED, now_ms, True)
        if not alarm.pending:
            return False
        self.alarm = alarm
        self.state = COUNTING_DOWN
        self._ends_ms = now_ms + for_ms
        self._feedback.begin(stages.FALLING, alarm.number, now_ms)
        return True

    def recovered(self, detail, now_ms):
        """Its wearer is well: the SOS makes room for an event that says so, in one write. False: nothing counted."""
        alarm, self.alarm = self.alarm, None
        if alarm is None:
            return False
        self.state = TAKEN_BACK
        number = alarm.number  # the new event will take this very slot
        self._outbox.forget(alarm)
        self._outbox.add(codes.FALL_RECOVERED, detail, now_ms, False)
        self._feedback.begin(stages.CANCELLED, number, now_ms)
        return True

    def over(self, now_ms):
        """Whether it is to be sent now."""
        return self.alarm is not None and now_ms >= self._ends_ms

    def left_ms(self, now_ms):
        """How long it still counts; -1: it does not."""
        return -1 if self.alarm is None else max(0, self._ends_ms - now_ms)

    def sent(self):
        """The alarm, for whoever sends it now."""
        alarm, self.alarm = self.alarm, None
        self.state = SENT
        return alarm
