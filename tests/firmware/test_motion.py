"""Falls, steps, stillness and wear from samples that are made by rule here. Runs under both Pythons.

The stochastic model and people's own recordings are tools/motion_model's; here each rule is held by itself.
"""

import math
from array import array

from firmware.sos.motion import activity, falls, levels
from firmware.sos.motion.sensing import Sensing
from firmware.sos.motion.signal import HZ, Signal
from firmware.sos.motion.steps import StepCounter
from firmware.sos.motion.stirring import stirs
from protocol import codes, settings

UPRIGHT = (0, 1000, 0)
ON_BACK = (0, 0, 1000)
PENDANT = levels.PENDANT_NORMAL


def still(seconds, down=UPRIGHT):
    return [down] * int(seconds * HZ)


def walking(seconds, down=UPRIGHT, hertz=1.8, swing=300):
    """Along `down`, a swing of so many mg each step."""
    made = []
    for i in range(int(seconds * HZ)):
        share = 1000 + int(swing * math.sin(2 * math.pi * hertz * i / HZ))
        made.append(tuple(axis * share // 1000 for axis in down))
    return made


def fall(low=10, low_mg=300, peak=4000, into=ON_BACK, strong=6):
    """Low g for so many samples, then an impact of six, and a quarter second of what follows."""
    return [(0, low_mg, 0)] * low + [(0, 0, peak)] * strong + [(200, 0, 1200)] * 12 + [into] * 10


def reports(samples, level=PENDANT, sensing=None):
    """What was reported, without the nothings."""
    if sensing is None:
        sensing = Sensing()
        sensing.watch(level)
    return [report for report in [sensing.sample(*sample) for sample in samples] if report]


def test_a_fall_with_low_g_impact_turn_and_stillness_is_found_once():
    assert reports(still(4) + fall() + still(30, ON_BACK)) == [falls.FALLEN]


def test_it_is_found_within_eight_seconds_of_the_impact():
    assert reports(still(4) + fall() + still(8, ON_BACK)) == [falls.FALLEN]


def test_each_condition_is_needed():
    lies = still(20, ON_BACK)
    assert reports(still(4) + fall(peak=1900) + lies) == [], "no impact"
    assert reports(still(4) + fall(low=0, peak=2500) + lies) == [], "a light impact without low g"
    assert reports(still(4) + fall(low=0, peak=2900) + lies) == [falls.FALLEN], "a hard one needs none"
    assert reports(still(4) + fall(into=UPRIGHT) + still(20)) == [falls.CALM], "the posture is as before"
    assert reports(still(4) + fall(into=UPRIGHT) + walking(20)) == [falls.CALM], "the wearer walks on"


def test_who_goes_on_walking_has_not_fallen_however_softly():
    """On the wrist: the arm hangs otherwise than before the stumble, and its swing alone would be quiet enough."""
    wrist = levels.WRIST_NORMAL
    assert reports(still(4) + fall() + still(10, ON_BACK), wrist) == [falls.FALLEN]
    assert reports(still(4) + fall() + walking(12, ON_BACK, swing=180), wrist) == [falls.CALM]


def test_a_knock_is_over_sooner_than_a_body_comes_down():
    """An arm that hits a table and comes to rest there."""
    wrist = levels.WRIST_NORMAL
    for strong, found in ((2, falls.CALM), (6, falls.FALLEN)):
        assert reports(still(4) + fall(low=0, peak=7000, strong=strong) + still(20, ON_BACK), wrist) == [found]
    bounce = [(0, 2000, 0)] * 3 + still(0.3)
    several = still(4) + bounce + fall(low=0, peak=7000, strong=3) + still(20, ON_BACK)
    assert reports(several, wrist) == [falls.FALLEN], "what came shortly before the impact belongs to it"


def test_low_g_long_ago_does_not_make_an_impact_of_a_bump():
    dropped = [(0, 300, 0)] * 10 + still(1.2)
    assert reports(still(4) + dropped + fall(low=0, peak=2500) + still(20, ON_BACK)) == []


def test_a_sensitive_level_finds_what_the_normal_one_leaves():
    for wrist in (True, False):
        normal = levels.level(settings.FALLS_NORMAL, wrist)
        sensitive = levels.level(settings.FALLS_SENSITIVE, wrist)
        weak = still(4) + fall(peak=2700 if wrist else 1900) + still(20, ON_BACK)
        assert reports(weak, normal) == []
        assert reports(weak, sensitive) == [falls.FALLEN]


def test_of_several_impacts_the_last_counts():
    """Somebody who tumbles down a stair lies after the last step, not after the first."""
    tumbles = (fall() + still(0.5, ON_BACK)) * 5
    sensing = Sensing()
    sensing.watch(PENDANT)
    assert reports(still(4) + tumbles, sensing=sensing) == []
    assert sensing.suspects
    assert reports(still(10, ON_BACK), sensing=sensing) == [falls.FALLEN]


def test_knocking_for_ever_is_no_fall():
    knock = [(0, 0, 4000)] * 2 + [ON_BACK] * 20
    assert reports(still(4) + knock * 100) == []


def restless(seconds, mg=400):
    return [(mg if i % 2 else -mg, 0, 1000) for i in range(int(seconds * HZ))]


def test_a_restless_faller_is_found_too():
    """Somebody in pain moves. Where posture is the body's it is enough; a wrist must rest for some of the seconds."""
    before = still(4) + fall() + still(2, ON_BACK)
    for level, moves, found in (
        (PENDANT, 15, falls.FALLEN),
        (levels.WRIST_NORMAL, 9, falls.FALLEN),
        (levels.WRIST_NORMAL, 13, falls.CALM),
    ):
        assert reports(before + restless(moves) + still(20, ON_BACK), level) == [found], (level, moves)


def test_limbs_of_somebody_who_lies_are_no_steps():
    """On the trunk: whoever lies there does not walk, whatever the limbs do."""
    assert reports(still(4) + fall() + walking(20, ON_BACK)) == [falls.FALLEN]


def test_after_a_rhythm_only_real_stillness_counts():
    """Applause, then hands in the lap; and somebody who runs, falls and lies quite still."""
    wrist = levels.WRIST_NORMAL
    clap = [(0, 0, 4000)] * 2 + [(0, 1000, 0)] * 13
    for claps, found in ((3, falls.FALLEN), (12, falls.CALM)):
        assert reports(still(4) + clap * claps + still(2, ON_BACK) + restless(15, 80), wrist) == [found], claps
    assert reports(still(4) + clap * 12 + still(20, ON_BACK), wrist) == [falls.FALLEN]


def test_posture_before_the_fall_may_be_known_from_before_a_sleep():
    """The chip has kept only the fall itself; which way down was till then goes over the sleep."""
    samples = fall() + still(10, ON_BACK)
    sensing = Sensing()
    sensing.watch(PENDANT)
    sensing.gap(UPRIGHT)
    assert reports(samples[6:], sensing=sensing) == [falls.FALLEN]


def test_clipped_and_turned_samples_change_nothing():
    """Whatever way it hangs, and where the chip can say no more than 8 g."""
    turned = [(min(y * 3, 8191) if z > 3000 else y, x, min(z * 3, 8191) if z > 3000 else z) for x, y, z in fall()]
    before = [(y, x, z) for x, y, z in still(4)]
    assert reports(before + turned + still(10, ON_BACK)) == [falls.FALLEN]


def test_getting_up_is_walking_upright_again():
    sensing = Sensing()
    sensing.watch(PENDANT)
    reports(walking(10) + fall() + still(10, ON_BACK), sensing=sensing)
    sensing.fallen(True)
    reports(walking(10, ON_BACK), sensing=sensing)
    assert not sensing.walked(), "shaken where it lies"
    reports(still(3, ON_BACK) + still(5), sensing=sensing)
    assert not sensing.walked(), "sits up"
    reports(walking(3), sensing=sensing)
    assert not sensing.walked(), "a few steps"
    reports(walking(6), sensing=sensing)
    assert sensing.walked()


def test_getting_up_is_known_where_no_walk_was_seen_before():
    sensing = Sensing()
    sensing.watch(PENDANT)
    reports(still(4) + fall() + still(10, ON_BACK), sensing=sensing)
    sensing.fallen(True)
    reports(walking(10, ON_BACK), sensing=sensing)
    assert not sensing.walked()
    reports(walking(10), sensing=sensing)
    assert sensing.walked()


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


def test_stirring_lets_through_whatever_may_be_a_fall():
    rest = [(0, 1000, 0)] * 100
    for only_falls in (True, False):
        assert not stirs(*row(*rest), only_falls)
        assert stirs(*row(*rest, (0, 1600, 0)), only_falls), "the least impact of any level"
        assert stirs(*row(*rest, (0, 690, 0)), only_falls), "low g at the end of the row"
    assert not stirs(*row(*rest, (0, 1400, 0)), True)


def test_stirring_any_movement_counts_where_any_is_asked_for():
    slow = [(4 * i, 1000, 0) for i in range(20)]
    assert stirs(*row(*slow), False)
    assert not stirs(*row(*slow), True)
    breath = [(10 * (i % 3), 1000 + 5 * (i % 5), 0) for i in range(160)]
    assert not stirs(*row(*breath), False)


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
        assert not stirs(flat, 90, True)
        assert stirs(flat, count, False)
        for _ in range(60):
            sensing.sample(worst[0], worst[1], worst[2])
    finally:
        micropython.heap_unlock()
