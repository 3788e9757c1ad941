"""Falls, from samples that are made by rule. Runs under both Pythons.

The stochastic model and people's own recordings are tools/motion_model's; here each rule is held by itself.
"""

from firmware.sos.motion import falls, levels
from firmware.sos.motion.sensing import Sensing
from firmware.sos.motion.signal import HZ
from protocol import settings
from tests.firmware.made_motion import ON_BACK, UPRIGHT, fall, still, walking

PENDANT = levels.PENDANT_NORMAL


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
