"""Motion as a part: what it asks for, when it looks, what goes over a sleep. Runs under both Pythons."""

from firmware.sos import falls as countdown
from firmware.sos import parts, schedule
from firmware.sos.motion import activity, fallen, part
from firmware.sos.motion.signal import HZ
from protocol import codes, settings
from tests.firmware.made_motion import ON_BACK, still, walking

WAKE_MOTION = 5


class Board:
    profile = "pendant"

    def __init__(self, started_ms=0, wake_cause=0):
        self.started_ms = started_ms
        self.wake_cause = wake_cause
        self.waiting = []
        self.watched = []

    def samples(self, buf):
        count = min(len(buf) // 3, len(self.waiting))
        for i in range(count):
            for axis in range(3):
                buf[3 * i + axis] = self.waiting[i][axis]
        self.waiting = self.waiting[count:]
        return count

    def watch_motion(self, falls):
        self.watched.append(falls)


class Feedback:
    playing = False


class Reach:
    """The application around the part: notes what it is asked for. `counts`: a countdown runs."""

    def __init__(self, board=None, falls=settings.FALLS_NORMAL):
        self.board = board or Board()
        self.feedback = Feedback()
        self.settings = settings.Settings()
        self.settings.falls = falls
        self.fall_state = countdown.NO_FALL
        self.room = True
        self.asked = []
        self.ms = 0

    def now_ms(self):
        return self.ms

    def fall(self, for_s):
        self.asked.append(("fall", for_s))
        if self.room:
            self.fall_state = countdown.COUNTING_DOWN
        return self.room

    def falling_ms(self):
        return 1000 if self.fall_state == countdown.COUNTING_DOWN else -1

    def recovered(self):
        self.asked.append(("recovered",))
        self.fall_state = countdown.TAKEN_BACK
        return True

    def raise_event(self, kind, detail=0):
        self.asked.append((kind, detail))


def made(reach):
    return part.make(reach)


def feel(motion, samples, turn_every=10):
    """Samples as the chip makes them, with the main loop's turns between them."""
    reach = motion.reach
    for at in range(0, len(samples), turn_every):
        chunk = samples[at : at + turn_every]
        reach.board.waiting += chunk
        reach.ms += len(chunk) * 1000 // HZ
        motion.turn(reach.ms)


FALL = [(0, 300, 0)] * 10 + [(0, 0, 4000)] * 6 + [ON_BACK] * 20


def fallen_one(falls=settings.FALLS_NORMAL):
    motion = made(Reach(falls=falls))
    feel(motion, walking(8) + FALL + still(10, ON_BACK))
    return motion


def test_a_fall_asks_for_the_countdown_of_the_settings():
    motion = fallen_one()
    assert motion.reach.asked == [("fall", 30)]
    assert motion.awake(motion.reach.ms)


def test_no_fall_is_looked_for_where_none_is_wanted_and_settings_hold_at_once():
    motion = fallen_one(settings.FALLS_OFF)
    assert motion.reach.asked == []
    motion.reach.settings.falls = settings.FALLS_NORMAL
    motion.settled()
    feel(motion, walking(8) + FALL + still(10, ON_BACK))
    assert motion.reach.asked == [("fall", 30)]


def test_getting_up_takes_it_back_and_lying_there_does_not():
    motion = fallen_one()
    feel(motion, walking(12, ON_BACK))
    assert motion.reach.asked == [("fall", 30)]
    feel(motion, still(2) + walking(8))
    assert motion.reach.asked == [("fall", 30), ("recovered",)]


def test_after_a_press_it_is_over():
    motion = fallen_one()
    motion.reach.fall_state = countdown.TAKEN_BACK
    feel(motion, still(70, ON_BACK))
    assert motion.reach.asked == [("fall", 30)]
    assert not motion.awake(motion.reach.ms)
    motion.reach.asked.clear()
    feel(motion, walking(8) + FALL + still(10, ON_BACK))
    assert motion.reach.asked == [("fall", 30)], "and the next fall is one"


def test_after_the_sos_a_minute_without_motion_is_told_once():
    motion = fallen_one()
    motion.reach.fall_state = countdown.SENT
    feel(motion, still(fallen.NO_MOTION_SECONDS - 2, ON_BACK))
    assert motion.reach.asked == [("fall", 30)]
    feel(motion, still(150, ON_BACK))
    assert motion.reach.asked == [("fall", 30), (codes.NO_MOTION_AFTER_FALL, 0)]


def test_its_own_motor_is_neither_motion_nor_stillness_nor_a_step():
    shaking = [(0, 0, 1000), (700, -600, 1500), (-700, 600, 300)] * 1000
    motion = fallen_one()
    motion.reach.feedback.playing = True
    feel(motion, shaking)
    assert motion.reach.asked == [("fall", 30)], "nobody has got up"
    motion.reach.fall_state = countdown.SENT
    feel(motion, still(100, ON_BACK))
    assert motion.reach.asked == [("fall", 30)], "what was felt while it shook counts for nothing"
    motion.reach.feedback.playing = False
    feel(motion, still(45, ON_BACK))
    motion.reach.feedback.playing = True
    feel(motion, shaking[:200])
    motion.reach.feedback.playing = False
    feel(motion, still(17, ON_BACK))
    assert motion.reach.asked[1:] == [(codes.NO_MOTION_AFTER_FALL, 0)], "stillness goes on over it"


def test_getting_up_after_the_sos_is_told_too():
    motion = fallen_one()
    motion.reach.fall_state = countdown.SENT
    feel(motion, still(5, ON_BACK) + still(2) + walking(8))
    assert motion.reach.asked == [("fall", 30), (codes.FALL_RECOVERED, codes.GOT_UP)]
    assert motion._fallen.state == fallen.NONE


def test_the_watch_after_an_sos_ends():
    motion = fallen_one()
    motion.reach.fall_state = countdown.SENT
    feel(motion, still(590, ON_BACK), turn_every=50)
    assert motion.awake(motion.reach.ms)
    feel(motion, still(20, ON_BACK), turn_every=50)
    assert not motion.awake(motion.reach.ms)


def test_a_fall_that_became_one_with_an_open_sos_is_watched_over_like_it():
    motion = made(Reach())
    motion.reach.room = False
    feel(motion, walking(8) + FALL + still(80, ON_BACK))
    assert motion.reach.asked == [("fall", 30), (codes.NO_MOTION_AFTER_FALL, 0)]


def test_while_a_fall_is_suspected_nothing_sleeps():
    motion = made(Reach())
    feel(motion, still(4) + FALL)
    assert motion.awake(motion.reach.ms)


def test_lying_still_any_motion_wakes_it_and_moving_only_what_may_be_a_fall():
    motion = made(Reach())
    feel(motion, walking(8))
    assert not motion.awake(motion.reach.ms), (
        "there was no motion to wake by: the application looks as long as it likes"
    )
    assert motion.next_ms(motion.reach.ms) == motion.reach.ms + part.LOOK_AGAIN_MS
    motion.keep()
    feel(motion, still(8))
    assert not motion.awake(motion.reach.ms)
    assert motion.next_ms(motion.reach.ms) == schedule.NEVER
    motion.keep()
    assert motion.reach.board.watched == [True, False]


def after_sleep(motion, slept_ms, wake_cause):
    board = Board(motion.reach.board.started_ms + motion.reach.ms + slept_ms, wake_cause)
    reach = Reach(board)
    later = made(reach)
    later.resume(motion.keep())
    return later


def test_woken_by_motion_it_looks_for_a_while_and_longer_where_it_goes_on():
    motion = made(Reach())
    feel(motion, walking(8) + still(8))
    later = after_sleep(motion, 60000, WAKE_MOTION)
    begins = still(0.9)
    begins += [(100, 1000, 0), (200, 1000, 0)]
    feel(later, begins, turn_every=60)
    assert later.awake(later.reach.ms), "it may only have begun"
    feel(later, still(4))
    assert not later.awake(later.reach.ms)
    later = after_sleep(motion, 60000, WAKE_MOTION)
    feel(later, walking(3), turn_every=150)
    feel(later, walking(6))
    assert later.awake(later.reach.ms)
    feel(later, walking(2))
    assert not later.awake(later.reach.ms)


def test_woken_by_a_chip_that_cannot_tell_it_sleeps_on_where_nothing_has_stirred():
    motion = made(Reach())
    feel(motion, walking(8) + still(8))
    later = after_sleep(motion, 3200, WAKE_MOTION)
    feel(later, still(3.2), turn_every=160)
    assert not later.awake(later.reach.ms)
    feel(motion, walking(8))
    assert not motion.awake(motion.reach.ms), "it moves, so only what may be a fall is worth waking for"
    later = after_sleep(motion, 3200, WAKE_MOTION)
    feel(later, walking(3.2), turn_every=160)
    assert not later.awake(later.reach.ms)
    later = after_sleep(motion, 3200, WAKE_MOTION)
    feel(later, walking(3) + [(0, 590, 0)] * 3, turn_every=160)
    assert later.awake(later.reach.ms)


def test_a_fall_that_the_chip_has_kept_is_found_after_the_sleep():
    """Its beginning fell out of the chip; which way down was before came over the sleep, and how the wearer walks."""
    motion = made(Reach())
    feel(motion, walking(8) + still(4, (1000, 0, 0)))
    later = after_sleep(motion, 20000, WAKE_MOTION)
    later.reach.board.waiting = FALL[6:] + still(2, ON_BACK)
    feel(later, still(10, ON_BACK))
    assert later.reach.asked == [("fall", 30)]
    feel(later, walking(10, ON_BACK))
    assert later.reach.asked == [("fall", 30)]
    feel(later, still(1) + walking(8))
    assert later.reach.asked == [("fall", 30), ("recovered",)]


def test_what_goes_over_a_sleep_is_small_and_whole():
    motion = made(Reach())
    feel(motion, walking(20))
    kept = motion.keep()
    assert len(kept) <= parts.KEEP_MOST
    value = motion.activity()
    assert value[0] == codes.WORN and 30 <= (value[1] << 8 | value[2]) <= 40
    later = after_sleep(motion, 7 * 60000, 2)
    assert later.activity() == value[:3] + bytes([0, 7]), "and it has not moved for seven minutes"
    assert later.worn() == codes.WORN


def test_steps_and_minutes_keep_to_their_sizes():
    motion = made(Reach())
    feel(motion, walking(4) + still(2))
    motion.sensing.steps.steps = 0x1FFFF
    motion.reach.ms += 70000 * 60000
    assert motion.activity()[1:] == b"\xff\xff\xff\xff"
    assert after_sleep(motion, 0, 2).sensing.steps.steps == 0xFFFF


def test_wear_a_childs_is_told_and_an_older_persons_only_said():
    for kind, told in ((settings.CHILD, [(codes.WEARABLE_REMOVED, 0), (codes.WEARABLE_WORN, 0)]), (settings.OLDER, [])):
        reach = Reach()
        reach.settings.kind = kind
        motion = made(reach)
        assert motion.worn() == codes.WORN_UNKNOWN
        feel(motion, walking(5))
        assert motion.worn() == codes.WORN and reach.asked == []
        reach.ms += activity.NOT_WORN_MS
        feel(motion, still(3))
        assert motion.worn() == codes.NOT_WORN
        feel(motion, walking(6))
        assert motion.worn() == codes.WORN
        assert reach.asked == told
