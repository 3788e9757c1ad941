"""Test mode: for a while a short press is a test. Owns its beginning and end, and what becomes of the newest test.

Guarantee: nothing of it delays, hides or relabels a real alarm. It does not begin while an SOS is open, and a real one
ends it at once; tests live no longer than it does. tick(), end(), tested() and cancelled() run in the alarm path and
take no heap. Must not know what a gesture is made of (gestures.py), nor radios.
"""

from protocol import codes

from . import stages

# Whoever armed it wants to end it, or to ask what was seen, and cannot call a wearable that says nothing.
HELLO_EVERY_MS = 30000


class Testing:
    """`on`: armed. `took_ms`: how long the newest test took to be taken by somebody; -1: it has not been."""

    def __init__(self, gestures, outbox, ledger, feedback, plan):
        self._gestures = gestures
        self._outbox = outbox
        self._ledger = ledger
        self._feedback = feedback
        self._schedule = plan
        self._hello_ms = 0
        self.on = False
        self.took_ms = -1
        self._tested_ms = 0

    @property
    def number(self):
        """The newest test's; 0 for none since this test mode began."""
        return self._feedback.watched

    @property
    def seen(self):
        """The highest stage of it that the wearer has been shown to the end; HEARD for none."""
        return self._feedback.seen

    def arm(self, pending, now_ms, for_ms, cancels):
        """Begin or prolong. False where an SOS is open, or may be one (`pending`): then each press is meant."""
        alarm = self._outbox.newest_emergency()
        if alarm is not None and not (alarm is pending and self._gestures.testing):
            return False
        if not self.on:
            self.on = True
            self.took_ms = -1
            self._hello_ms = now_ms + HELLO_EVERY_MS
            self._feedback.watch(0)
        self._gestures.arm(now_ms, for_ms, cancels)
        if self._feedback.stage == stages.IDLE or not self._feedback.urgent:
            self._feedback.begin(stages.ARMED, 0, now_ms)
        return True

    def tick(self, now_ms):
        """End it when its time is over; until then say now and then that it can be spoken to."""
        if not self.on:
            return
        if not self._gestures.armed(now_ms):
            self.end(now_ms)
        elif now_ms >= self._hello_ms:
            self._hello_ms = now_ms + HELLO_EVERY_MS
            self._schedule.want_hello(now_ms)

    def end(self, now_ms):
        """Each press is meant from now on, one under way, too: flash has it as an SOS. Its tests are forgotten.

        commit() is the caller's; what it leaves in flash goes with the next start.
        """
        if not self.on:
            return
        self.on = False
        self._gestures.disarm()
        dark = self._feedback.stage == stages.ARMED
        for alarm in self._outbox.alarms:
            if alarm.used and alarm.test:
                dark = dark or alarm.number == self._feedback.number
                self._outbox.forget(alarm)
        if dark:
            self._feedback.begin(stages.IDLE, 0, now_ms)

    def tested(self, alarm, now_ms):
        """The press was short, and armed from beginning to end: before any of it is sent, its SOS becomes a test."""
        alarm.kind = codes.TEST_BY_HAND
        alarm.detail = 0
        alarm.pending = False
        alarm.due_ms = now_ms
        self._outbox.keep(alarm)
        self._ledger.commit()
        self._tested_ms = now_ms
        self.took_ms = -1
        self._feedback.watch(alarm.number)
        self._feedback.begin(stages.PRESSED, alarm.number, now_ms)

    def cancelled(self, now_ms):
        """As a cancellation tells of an SOS, so a test of its own tells of a test, which goes its way."""
        if not self.on:
            return
        back = self._ledger.next_number - self.number
        self._outbox.add(codes.TEST_BY_HAND, back if 0 < back < 16 else 0, now_ms, False)
        self._feedback.begin(stages.CANCELLED, self.number, now_ms)

    def taken(self, alarm, now_ms):
        """Somebody says that he has this event."""
        if alarm.number == self.number and self.took_ms < 0:
            self.took_ms = now_ms - self._tested_ms
