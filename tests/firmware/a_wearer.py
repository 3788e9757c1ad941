"""A button with everything behind it up to the radio, on flash in RAM, for tests under both Pythons.

Owns the ticks of a test and what would be there after a power cut. Must not know what is tested.
"""

from firmware.sos import outbox, presses, prompting, schedule
from firmware.sos.feedback import Feedback
from protocol import codes
from protocol.settings import Settings
from protocol.watchful import Prompt, pack_prompt
from tests.firmware.a_hand import Hand
from tests.firmware.a_ledger import RamLedger


class Lamp:
    def led(self, rgb):
        pass

    def motor(self, on):
        pass

    def show(self, stage, number):
        pass


class Store:
    def __init__(self):
        self.now = Settings()


class Wearer(Hand):
    """A button with everything behind it up to the radio, a tick every 20 ms."""

    def __init__(self, short_press=codes.SOS):
        self.ledger = RamLedger()
        self.outbox = outbox.Outbox(self.ledger, 1, 0)
        self.schedule = schedule.Schedule(self.outbox.alarms)
        self.feedback = Feedback(Lamp())
        self.prompting = prompting.Prompting(self.feedback, self.schedule)
        self.store = Store()
        self.store.now.short_press = short_press
        self.presses = presses.Presses(
            self.outbox, self.ledger, self.schedule, self.feedback, self.prompting, self.store
        )
        self.presses.started()
        super().__init__(self.presses.gestures)

    def turn(self):
        self.presses.turn(self.now_ms)
        self.feedback.tick(self.now_ms)

    def ask(self, kind=codes.PROMPT_CHECKIN, number=7, within_s=600):
        return self.presses.ask(Prompt(pack_prompt(number, kind, within_s, 0)), self.now_ms)

    def events(self):
        """(kind, detail, pending) of all that is there, in their order."""
        return told(self.outbox)

    def after_a_power_cut(self):
        """The same of what would go out if power failed now."""
        later = RamLedger()
        later.adopt(self.ledger.kept)
        box = outbox.Outbox(later, 2, 0)
        box.release_pending()
        return told(box)


def told(box):
    used = sorted((alarm.number, alarm) for alarm in box.alarms if alarm.used)
    return [(alarm.kind, alarm.detail, alarm.pending) for _, alarm in used]


SOS_PRESS = (codes.SOS, codes.PRESS, False)
SOS_HOLD = (codes.SOS, codes.HOLD, False)
COUNTING = (codes.SOS, codes.PRESS, True)
CALL_ME = (codes.SERVICE_CALL_ME, 0, False)
ANSWERED = (codes.CHECKIN_ANSWERED, codes.PROMPT_CHECKIN, False)
FALL = (codes.SOS, codes.FALL_UNANSWERED, False)
FALL_COUNTS = (codes.SOS, codes.FALL_UNANSWERED, True)
