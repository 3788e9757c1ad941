"""From samples to events, with the alarm path's own presses, outbox and light between. Runs under both Pythons.

What hil_tests/test_falls.py does end to end, at full speed: getting up, a press, a power cut, nobody, nobody's wish.
"""

from firmware.sos import stages
from firmware.sos.motion import part
from firmware.sos.motion.signal import HZ
from firmware.sos.reach import Reach
from protocol import codes, settings
from tests.firmware.a_wearer import FALL, FALL_COUNTS, Wearer
from tests.firmware.made_motion import ON_BACK, fall, still, walking

GOT_UP = (codes.FALL_RECOVERED, codes.GOT_UP, False)
PRESSED_AWAY = (codes.FALL_RECOVERED, codes.PRESSED_AWAY, False)
NO_MOTION = (codes.NO_MOTION_AFTER_FALL, 0, False)
FALLS = fall() + still(10, ON_BACK)


class Board:
    profile = "pendant"
    started_ms = wake_cause = 0

    def __init__(self, wearer):
        self._wearer = wearer
        self.waiting = []

    def now_ms(self):
        return self._wearer.now_ms

    def samples(self, buf):
        count = min(len(buf) // 3, len(self.waiting))
        for i in range(count):
            for axis in range(3):
                buf[3 * i + axis] = self.waiting[i][axis]
        self.waiting = self.waiting[count:]
        return count


class Path:
    """The alarm path's fence, on one context."""

    def __init__(self, wearer):
        self.presses, self.prompting = wearer.presses, wearer.prompting

    def enter(self):
        pass

    def leave(self):
        pass


class Worn:
    """A wearer with a pendant that feels; time goes as the samples do."""

    def __init__(self, falls=settings.FALLS_NORMAL):
        self.wearer = Wearer()
        self.wearer.store.now.falls = falls
        self.wearer.store.folder = ""
        self.board = Board(self.wearer)
        wearer = self.wearer
        reach = Reach(
            self.board, Path(wearer), wearer.outbox, wearer.feedback, wearer.store, None, None, b"test_only trail"
        )
        self.motion = part.make(reach)

    def feel(self, samples):
        for at in range(0, len(samples), 10):
            self.board.waiting += samples[at : at + 10]
            self.wearer.wait(len(samples[at : at + 10]) * 1000 // HZ)
            self.motion.turn(self.wearer.now_ms)
        return self.wearer.events()

    @property
    def shown(self):
        return self.wearer.feedback.stage


def test_a_fall_counts_down_and_is_sent_and_then_told_as_motionless():
    worn = Worn()
    assert worn.feel(walking(8) + FALLS) == [FALL_COUNTS]
    assert worn.shown == stages.FALLING
    worn.feel(still(22, ON_BACK))
    assert worn.wearer.events() == [FALL_COUNTS], "30 s are not over"
    assert worn.feel(still(12, ON_BACK)) == [FALL]
    assert worn.feel(still(120, ON_BACK)) == [FALL, NO_MOTION]
    assert worn.feel(still(2) + walking(8)) == [FALL, NO_MOTION, GOT_UP], "only a person closes the SOS"


def test_getting_up_takes_it_back():
    worn = Worn()
    worn.feel(walking(8) + FALLS)
    assert worn.feel(still(2) + walking(8)) == [GOT_UP]
    assert worn.shown == stages.CANCELLED
    assert worn.feel(still(60)) == [GOT_UP], "and no SOS"


def test_a_press_takes_it_back_and_the_next_fall_is_another():
    worn = Worn()
    worn.feel(walking(8) + FALLS)
    worn.wearer.press(rest_ms=1500)
    assert worn.feel(still(3, ON_BACK)) == [PRESSED_AWAY]
    worn.feel(still(2) + walking(8) + FALLS)
    assert worn.wearer.events() == [PRESSED_AWAY, FALL_COUNTS]


def test_a_hold_sends_it_at_once():
    worn = Worn()
    worn.feel(walking(8) + FALLS)
    worn.wearer.press(1200)
    assert worn.wearer.events() == [FALL]


def test_power_that_fails_in_the_countdown_sends_it():
    worn = Worn()
    worn.feel(walking(8) + FALLS)
    assert worn.wearer.after_a_power_cut() == [FALL]


def test_where_nobody_wants_it_a_fall_is_none():
    worn = Worn(settings.FALLS_OFF)
    assert worn.feel(walking(8) + FALLS + still(60, ON_BACK)) == []
