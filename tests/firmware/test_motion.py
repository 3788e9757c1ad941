"""What each sample tells: gravity, steps, stillness, wear, stirring; and no heap for any. Runs under both Pythons."""

import math
from array import array

from firmware.sos.motion import activity, falls, levels
from firmware.sos.motion.sensing import Sensing
from firmware.sos.motion.signal import HZ, Signal
from firmware.sos.motion.steps import StepCounter
from firmware.sos.motion.stirring import may_be_a_fall, moves
from protocol import codes
from tests.firmware.made_motion import ON_BACK, fall, still, walking

PENDANT = levels.PENDANT_NORMAL


def test_steps_are_counted_and_trifles_are_not():
    for hertz in (1.0, 1.8, 2.8):
        counter = StepCounter()
        for x, y, z in still(2) + walking(30, hertz=hertz):
            counter.sample(x * x + y * y + z * z)
        assert abs(counter.steps - 30 * hertz) <= 3, (hertz, counter.steps)
    for swing in (0, 30):
        counter = StepCounter()
        for x, y, z in still(2) + walking(60, swing=swing):
            counter.sample(x * x + y * y + z * z)
        assert counter.steps == 0, swing


def test_uneven_swings_are_no_steps():
    counter = StepCounter()
    made = still(2)
    for i in range(60):
        made += walking(1 / 2.5, hertz=2.5) + still((0.05, 0.9, 0.3)[i % 3])
    for x, y, z in made:
        counter.sample(x * x + y * y + z * z)
    assert counter.steps == 0


def test_fewer_than_four_steps_are_no_walk():
    counter = StepCounter()
    for x, y, z in still(2) + (walking(1.5) + still(4)) * 10:
        counter.sample(x * x + y * y + z * z)
    assert counter.steps == 0


def test_signal_finds_gravity_and_tells_angles():
    body = Signal()
    for sample in still(4):
        body.sample(*sample)
    before = [0, 0, 0]
    body.note(before, 2)
    assert before == [0, 1000, 0]
    for degrees in range(0, 180, 5):
        body.gap()
        radians = math.radians(degrees)
        for _ in range(HZ):
            body.sample(int(1000 * math.sin(radians)), int(1000 * math.cos(radians)), 0)
        for asked, sixteenths in ((30, 12), (45, 8), (60, 4)):
            if abs(degrees - asked) > 5:
                assert body.turned(before, sixteenths) == (degrees > asked), (degrees, asked)


def test_signal_no_direction_has_not_turned():
    body = Signal()
    for _ in range(HZ):
        body.sample(0, 0, 100)
    assert not body.turned([0, 1000, 0], 8)


def test_signal_activity_is_the_mean_deviation_of_a_second():
    body = Signal()
    for i in range(4 * HZ):
        body.sample(100 if i % 2 else -100, 1000, 0)
    assert 90 <= body.activity <= 110
    for sample in still(3):
        body.sample(*sample)
    assert body.activity <= 3


def test_wear_is_unknown_until_it_moves_and_ends_after_long_stillness():
    worn = activity.Activity(0)
    now_ms = 0
    assert worn.worn == codes.WORN_UNKNOWN
    for mg in (80, 80, 80):
        now_ms += 1000
        worn.second(mg, now_ms)
    assert worn.worn == codes.WORN
    assert not worn.looked(now_ms + activity.NOT_WORN_MS - 1)
    assert worn.still_ms(now_ms + 60000) == 60000
    assert worn.looked(now_ms + activity.NOT_WORN_MS)
    assert worn.worn == codes.NOT_WORN
    assert not worn.looked(now_ms + activity.NOT_WORN_MS), "told once"


def test_wear_a_sleeper_stirs_and_stays_worn():
    worn = activity.Activity(0)
    for i in range(3):
        worn.second(100, i * 1000)
    for hour in range(1, 9):
        worn.second(20, hour * 3600000)
        assert not worn.looked(hour * 3600000 + 1)


def test_wear_a_passing_lorry_is_no_wearer():
    worn = activity.Activity(0)
    worn.looked(activity.NOT_WORN_MS)
    for i in range(600):
        worn.second(80 if i % 20 == 0 else 3, activity.NOT_WORN_MS + i * 1000)
    assert worn.worn == codes.NOT_WORN


def row(*samples):
    flat = array("h", [0] * (3 * len(samples)))
    for i in range(len(samples)):
        for axis in range(3):
            flat[3 * i + axis] = samples[i][axis]
    return flat, len(samples)


def test_stirring_lets_through_whatever_may_be_a_fall_and_not_a_walk():
    rest = still(3)
    for level, high in ((levels.PENDANT_SENSITIVE, 1600), (levels.WRIST_NORMAL, 3000)):
        assert not may_be_a_fall(*row(*rest), level)
        assert may_be_a_fall(*row(*rest, (0, high, 0), *rest[:100]), level)
        assert not may_be_a_fall(*row(*rest, (0, high - 10, 0)), level)
        assert may_be_a_fall(*row(*rest, (0, 590, 0), *rest[:49]), level), "its impact may yet come"
        assert not may_be_a_fall(*row(*rest[:50], (0, 590, 0), *rest[:60]), level), "it would have come"
    walk = walking(2.2) + [(0, 1300, 0)] * 50
    assert not may_be_a_fall(*row(*walk), levels.WRIST_NORMAL)


def test_stirring_any_movement_counts_where_any_is_asked_for():
    assert moves(*row(*[(4 * i, 1000, 0) for i in range(20)])), "a slow one, too"
    assert not moves(*row(*[(10 * (i % 3), 1000 + 5 * (i % 5), 0) for i in range(160)])), "a breath"
    assert not moves(*row()) and not moves(*row((1, 2, 3)))


def test_a_samples_way_takes_no_heap():
    """On MicroPython: ordinary life, a fall, getting up; with the numbers of a chip that clips at 16 g."""
    try:
        import micropython
    except ImportError:
        return
    sensing = Sensing()
    sensing.watch(PENDANT)
    samples = still(2) + walking(8) + fall(peak=16383) + still(10, ON_BACK) + walking(10)
    worst = (-16384, 16383, -16384)
    flat, count = row(*samples[:170])
    micropython.heap_lock()
    try:
        for i in range(len(samples)):
            sample = samples[i]
            if sensing.sample(sample[0], sample[1], sample[2]) == falls.FALLEN:
                sensing.fallen(True)
            sensing.walked()
        assert not may_be_a_fall(flat, 90, PENDANT)
        assert moves(flat, count)
        for _ in range(60):
            sensing.sample(worst[0], worst[1], worst[2])
    finally:
        micropython.heap_unlock()
