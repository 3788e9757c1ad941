"""What a gesture makes: an SOS, a service, an answer, the end of a fall's countdown. Before the light, flash has it.

Owns the event that is not yet sent: a press that can be taken back, a fall that counts down. Guarantee: whatever is
unclear is an SOS, and until it is clear that is what lies in flash. Runs in the alarm path (scheduler context) and
takes no heap. Must not know radios, nor what a gesture is made of (gestures.py).
"""

from protocol import codes
from protocol.settings import WORKER

from . import gestures, stages
from .falls import Falls
from .testing import Testing

_SINCE_EVER_MS = -(1 << 29)


class Presses:
    """`falls`: what counts down (falls.py). `settings`: a SettingsStore, for what a short press is."""

    def __init__(self, outbox, ledger, plan, feedback, prompting, settings):
        self._outbox = outbox
        self._ledger = ledger
        self._feedback = feedback
        self._prompting = prompting
        self._settings = settings
        self.gestures = gestures.Gestures()
        self.testing = Testing(self.gestures, outbox, ledger, feedback, plan)
        self.falls = Falls(outbox, feedback)
        self._pending = None
        # What the press under way becomes, if it proves short: its kind and detail, as it was offered at its beginning.
        self._began_as = gestures.SOS
        self._kind = codes.SOS
        self._detail = 0
        # What a short press is offered to be now.
        self._offered = gestures.SOS

    @property
    def busy(self):
        """Whether a gesture, a countdown or test mode is under way: a sleep would end it."""
        return self.gestures.busy or self.testing.on or self.falls.alarm is not None

    def turn(self, now_ms):
        """One tick of the alarm path."""
        action = self.gestures.tick(now_ms)
        while action != gestures.NOTHING:
            self.act(action, now_ms)
            action = self.gestures.tick(now_ms)
        self.testing.tick(now_ms)
        # Presses under way are waited for, 4 s at most: two of less than 1 s, as short a pause between, 1 s of rest.
        if self.falls.over(now_ms) and self.gestures.meant != gestures.FINE:
            self._release(self.falls.sent(), now_ms)
        self._prompting.tick(now_ms)
        self._offer(now_ms)

    def started(self):
        """Before the first press of a run: what is offered now was so before it, too."""
        self._offer(_SINCE_EVER_MS)

    # ---- what the wearer does ----

    def act(self, action, now_ms):
        """What a gesture says."""
        if action == gestures.BEGAN:
            self._begin(now_ms)
        elif action == gestures.MEANT:
            self._mean(now_ms)
        elif action == gestures.AGAIN:
            self._show_again(now_ms)
        elif action == gestures.RAISED:
            self._raise(codes.PRESS, now_ms)
        elif action == gestures.TEST_CANCELLED:
            self.testing.cancelled(now_ms)
        elif self._began_as == gestures.FINE:
            self._act_fallen(action, now_ms)
        elif action == gestures.HELD:
            self._send_now(codes.HOLD, now_ms)
        elif self._pending is not None:
            self._act_pending(action, now_ms)
        # else what this gesture began has become one with an alarm that is out already

    def _act_pending(self, action, now_ms):
        if action == gestures.RELEASED:
            self._count_down(now_ms)
        elif action == gestures.TESTED:
            alarm, self._pending = self._pending, None
            self.testing.tested(alarm, now_ms)
        elif action == gestures.CANCELLED:
            self._cancel(now_ms)
        else:  # INSISTED, EXPIRED: it lies in flash as it is to be sent
            self._send_pending(now_ms)

    def _act_fallen(self, action, now_ms):
        """It lies there and holds, or presses on and on: the fall's own SOS goes at once, and no second one.

        Where somebody saw it get up in the middle of the press, this is a press as any other from then on.
        """
        if action == gestures.RELEASED:
            self._began_as = gestures.SOS
            alarm = self._outbox.add(codes.SOS, codes.PRESS, now_ms, True)
            if alarm.pending:
                self._pending = alarm
                self._count_down(now_ms)
        elif self.falls.alarm is not None:
            self._release(self.falls.sent(), now_ms)
        else:
            self._raise(codes.HOLD if action == gestures.HELD else codes.PRESS, now_ms)

    def sos(self, detail, now_ms):
        """An SOS by another way than the button, at once. An SOS that waits in its window becomes it. Returns it."""
        if self.falls.alarm is not None:
            self._release(self.falls.sent(), now_ms)
        alarm = self._pending
        if alarm is None:
            alarm = self._raise(detail, now_ms)
        else:
            self._send_now(detail, now_ms)
        self.gestures.sent()
        return alarm

    def answer(self, now_ms):
        """The question that runs is answered by another way than the button. Returns the event, or None."""
        if not self._prompting.kind or self.alarmed():
            return None
        alarm = self._outbox.add(codes.CHECKIN_ANSWERED, self._prompting.kind, now_ms, False)
        if alarm is not None:
            self._prompting.ended()
            self._feedback.begin(stages.PRESSED, alarm.number, now_ms, False)
        return alarm

    def ask(self, prompt, now_ms):
        """Ask the wearer this, or withdraw it. False where an alarm is open: whoever waits for help is not asked."""
        if prompt.kind == codes.PROMPT_NONE:
            self._prompting.withdraw(prompt.number)
            return True
        if self.alarmed() or not prompt.within_s:
            return False
        self._prompting.ask(prompt, now_ms)
        return True

    def arm(self, now_ms, for_ms, cancels):
        """Begin or prolong test mode; whether it could be."""
        return self.testing.arm(self._pending, now_ms, for_ms, cancels)

    def alarmed(self):
        """Whether an emergency is open, or may be one."""
        alarm = self._outbox.newest_told()
        return alarm is not None and alarm.emergency

    def fall(self, now_ms, for_ms):
        """A fall; see Falls.begin()."""
        if self.falls.alarm is None and not self.falls.begin(now_ms, for_ms):
            return False
        self._end_others(now_ms)
        return True

    # ---- what becomes of a press ----

    def _begin(self, now_ms):
        """A new SOS, in flash before the wearer sees or feels anything: what was shown is never forgotten.

        Also where it may yet prove something else: this press may be held, or power may fail, and then it was none.

        Where there was no room it has become one with an open alarm. A fall's is kept already: it needs no other.
        """
        self._note_beginning()
        if self._began_as == gestures.FINE:
            self._feedback.begin(stages.PRESSED, self.falls.alarm.number, now_ms)
            return
        alarm = self._outbox.add(codes.SOS, codes.PRESS, now_ms, True)
        if alarm.pending:
            self._pending = alarm
        self._feedback.begin(stages.PRESSED, alarm.number, now_ms)
        if not self.gestures.testing:
            self.testing.end(now_ms)

    def _note_beginning(self):
        """What was offered may have ended in this very tick: then the press is unclear, and an SOS."""
        meant = self.gestures.meant
        if meant == gestures.ANSWER and self._prompting.kind:
            self._kind, self._detail = codes.CHECKIN_ANSWERED, self._prompting.kind
        elif meant == gestures.SERVICE and is_service(self._settings.now.short_press):
            self._kind, self._detail = self._settings.now.short_press, 0
        elif meant != gestures.FINE or self.falls.alarm is None:
            meant = gestures.TEST if meant == gestures.TEST else gestures.SOS
        self._began_as = meant

    def _mean(self, now_ms):
        """Short, and something else from beginning to end: before any of it is sent, its SOS becomes that."""
        if self._began_as == gestures.FINE:
            self.falls.recovered(codes.PRESSED_AWAY, now_ms)
            return
        if self._pending is None:
            return  # it has become one with an alarm that is out already
        if self._began_as == gestures.SOS:
            self._send_pending(now_ms)
            return
        alarm, self._pending = self._pending, None
        alarm.kind, alarm.detail = self._kind, self._detail
        if self._began_as == gestures.SERVICE and self.gestures.taps > 1 and self._settings.now.kind == WORKER:
            alarm.kind = codes.VISIT_DONE  # a badge: once says what a visit is for, twice that it is done
        alarm.pending = False
        alarm.due_ms = now_ms
        self._outbox.keep(alarm)
        self._ledger.commit()
        if self._began_as == gestures.ANSWER:
            self._prompting.ended()
        self._feedback.begin(stages.PRESSED, alarm.number, now_ms, False)

    def _count_down(self, now_ms):
        self._prompting.ended()
        self._feedback.begin(stages.COUNTING, self._pending.number, now_ms)

    def _send_now(self, detail, now_ms):
        """The SOS that this press began says from now on what made it; without one it is a new one."""
        if self._pending is None:
            self._raise(detail, now_ms)
            return
        self._pending.detail = detail
        self._send_pending(now_ms)

    def _raise(self, detail, now_ms):
        alarm = self._outbox.add(codes.SOS, detail, now_ms, False)
        self._feedback.begin(stages.PRESSED, alarm.number, now_ms)
        self._end_others(now_ms)
        return alarm

    def _show_again(self, now_ms):
        if self._pending is not None:
            self._feedback.begin(stages.COUNTING, self._pending.number, now_ms)
        else:
            self._feedback.begin(self._feedback.stage, self._feedback.number, now_ms, self._feedback.urgent)

    def _send_pending(self, now_ms):
        alarm, self._pending = self._pending, None
        self._release(alarm, now_ms)

    def _release(self, alarm, now_ms):
        alarm.pending = False
        alarm.due_ms = now_ms
        self._outbox.keep(alarm)
        self._ledger.commit()
        self._feedback.begin(stages.PRESSED, alarm.number, now_ms)
        self._end_others(now_ms)

    def _end_others(self, now_ms):
        """A real alarm ends what else there was."""
        self.testing.end(now_ms)
        self._prompting.ended()

    def _cancel(self, now_ms):
        """Taken back: the SOS makes room for an event that says so, in one write. `detail`: how many numbers back."""
        alarm, self._pending = self._pending, None
        number = alarm.number  # the new event will take this very slot
        back = self._ledger.next_number - number
        self._outbox.forget(alarm)
        self._outbox.add(codes.SOS_CANCELLED, back if back < 16 else 0, now_ms, False)
        self._feedback.begin(stages.CANCELLED, number, now_ms)

    # ---- what a short press is ----

    def _offer(self, from_ms):
        meaning = self._offerable()
        if meaning != self._offered:
            self._offered = meaning
            self.gestures.offer(meaning, from_ms)

    def _offerable(self):
        """With an alarm open each press is meant. One that waits is the press that is under way, or in its window."""
        if self.falls.alarm is not None:
            return gestures.FINE
        alarm = self._outbox.newest_told()
        if alarm is not None and alarm.emergency and alarm is not self._pending:
            return gestures.SOS
        if self._prompting.kind:
            return gestures.ANSWER
        return gestures.SERVICE if is_service(self._settings.now.short_press) else gestures.SOS


def is_service(kind):
    """Whether a wearer asks for something by this, and it is no alarm."""
    return codes.SERVICE_MEDICAL <= kind <= codes.SERVICE_CALL_ME
