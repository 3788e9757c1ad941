"""The part as a whole over simulated days: when it looks, what it puts down, who gets it (test_trail_in_flash.py)."""

# The deepest imports first: a host's stack for them is small, and on 32 bits smaller.
from protocol import box  # noqa: F401

# isort: split
from outing import World

from protocol import codes
from protocol.settings import FENCE_HOME, FENCE_TELLS_ENTERED, FENCE_TELLS_LEFT, Fence

BOTH = FENCE_TELLS_ENTERED | FENCE_TELLS_LEFT
EAST_100_M = 973


def positions(frames):
    """Of all trails, in the order of time."""
    return sorted([p for _, _, told in frames for p in told], key=lambda p: p.unix_s)


def gaps(told):
    """Seconds between each two."""
    return [told[n + 1].unix_s - told[n].unix_s for n in range(len(told) - 1)]


def moved(world, metres):
    world.place = (world.place[0], world.place[1] + metres * EAST_100_M // 100)


def test_nothing_is_looked_for_where_nothing_is_wanted():
    world = World()
    world.settings.moving_s = world.settings.still_s = 0
    world.live(6 * 3600)
    assert world.on_ms == 0 and not world.part.store.waits
    world.stop()


def test_a_day_out_of_range_is_handed_over_newest_first_each_once_and_forgotten():
    world = World()
    world.settings.still_s = 600
    for _ in range(4 * 12):
        moved(world, 150)
        world.live(300)
    frames = world.handed_over()
    told = positions(frames)
    assert 44 <= len(told) <= 50, len(told)
    steps = gaps(told)
    assert all(295 <= step <= 310 for step in steps[1:]), steps
    sequences = [sequence for _, sequence, _ in frames]
    assert sequences == sorted(sequences, reverse=True) and len(set(sequences)) == len(sequences)
    assert all(p.found and p.moving for p in told[2:]) and not told[0].moving
    assert world.handed_over() == []
    assert world.on_ms < 49 * 6000, world.on_ms
    assert all(abs(said - true) <= 1 for said, true in world.times) and world.times
    world.stop()


def test_who_sits_still_is_looked_for_as_seldom_as_the_settings_say():
    world = World()
    world.settings.still_s = 1800
    world.live(6 * 3600)
    told = positions(world.handed_over())
    assert 12 <= len(told) <= 14 and not any(p.moving for p in told)
    world.stop()


def test_motion_says_when_to_look_where_there_is_an_accelerometer():
    class Motion:
        shaking = False

        def moving(self, _now_ms):
            return self.shaking

    world = World()
    world.settings.still_s = 0
    world.motion = Motion()
    world.live(3600)
    assert world.on_ms == 0
    world.motion.shaking = True
    for _ in range(12):
        world.turn()
        world.live(300)
    told = positions(world.handed_over())
    assert 11 <= len(told) <= 14 and all(p.moving for p in told)
    world.stop()


def test_a_low_battery_counts_as_sitting_still():
    world = World()
    world.settings.still_s, world.knots = 3600, "9.0"
    world.battery_percent = 19
    world.live(4 * 3600)
    assert 4 <= len(positions(world.handed_over())) <= 5
    world.stop()


def test_indoors_it_looks_ever_more_seldom_and_says_so_once():
    world = World()
    world.place = None
    world.live(12 * 3600)
    # 5, 10, 20 minutes, then each half an hour, the receiver on for 90 s at most.
    assert world.on_ms <= 28 * 91000, world.on_ms
    world.place = (22543210, 114057868)
    world.live(1900)
    told = positions(world.handed_over())
    assert [p.found for p in told][-1] and not any(not p.found for p in told), "no clock yet: nothing can be said"
    world.place = None
    world.live(12 * 3600)
    world.place = (22543210, 114057868)
    world.live(1900)
    told = positions(world.handed_over())
    assert [p.found for p in told].count(False) == 1
    world.stop()


def test_an_sos_is_followed_each_ten_seconds_for_ten_minutes_then_each_minute_until_it_is_over():
    world = World()
    world.live(3000)
    before = world.handed_over()
    alarm = world.sos()
    world.live(1200)
    frames = world.handed_over(60)
    of_it = positions([frame for frame in frames if frame[0] == alarm.number])
    steps = gaps(of_it)
    assert 56 <= steps.count(10) <= 60, steps
    assert 8 <= len([step for step in steps if 55 <= step <= 70]) <= 12, steps
    assert all(p.sos for p in of_it)
    numbers = [number for number, _, _ in frames]
    assert numbers[0] == alarm.number and numbers.count(0) == 1, numbers
    alarm.used = False
    world.live(900)
    assert len(positions(world.handed_over())) <= 4
    assert all(number == 0 for number, _, _ in before)
    world.stop()


def test_an_sos_is_followed_where_no_positions_are_wanted_and_the_battery_is_low():
    world = World()
    world.settings.moving_s = world.settings.still_s = 0
    world.battery_percent = 3
    world.live(600)
    alarm = world.sos()
    world.visitor = 3
    world.live(30)
    assert len(world.frames) >= 2 and all(number == alarm.number for number, _, _ in world.frames)
    world.stop()


def test_the_place_follows_when_it_is_found_and_each_goes_out_at_once():
    world = World()
    world.place = None
    alarm = world.sos()
    world.visitor = 3
    world.live(200)
    assert world.frames == [], "no place and no clock: nothing to say, and nothing in the way of the SOS"
    world.place = (22543210, 114057868)
    world.live(61)
    assert 5 <= len(world.frames) <= 8
    assert all(number == alarm.number and len(told) == 1 for number, _, told in world.frames)
    world.stop()


def test_while_it_can_still_be_taken_back_the_receiver_warms_up_and_nothing_is_told():
    world = World()
    world.settings.moving_s = world.settings.still_s = 0
    alarm = world.sos()
    alarm.pending = True
    for _ in range(20):
        world.turn()
    assert world.on_since_ms is not None and not world.part.store.waits
    alarm.pending = False
    world.turn()
    world.turn()
    assert world.part.store.open.number == alarm.number, "at once"
    alarm.used = False
    world.turn()
    world.turn()
    assert world.on_since_ms is None
    world.stop()


def test_an_sos_that_was_open_when_power_went_is_followed_on():
    world = World()
    alarm = world.sos()
    world.live(100)
    world.power_cut()
    alarm.raised_ms = 0
    world.live(100)
    frames = world.handed_over()
    of_it = positions(frames)
    assert 16 <= len(of_it) <= 22 and {number for number, _, _ in frames} == {alarm.number}
    world.stop()


def test_hello_is_said_at_once_for_an_event_and_seldom_for_a_trail():
    world = World()
    world.settings.still_s = 120
    world.live(7200)
    assert 7 <= world.hellos <= 9 and world.waits
    alarm = world.sos()
    before = world.hellos
    world.live(60)
    assert world.hellos - before >= 5
    alarm.used = False
    world.settings.still_s = world.settings.moving_s = 0
    before = world.hellos
    world.live(2 * 3600)
    assert 8 <= world.hellos - before <= 18, world.hellos - before
    world.stop()


def test_who_does_not_answer_gets_each_box_a_few_times_and_the_next_gets_it_too():
    world = World()
    world.live(3600)
    world.deaf = True
    frames = world.handed_over(15)
    assert len(frames) == 3 and len({sequence for _, sequence, _ in frames}) == 1
    world.live(3600)
    world.deaf = False
    again = world.handed_over(60)
    assert {sequence for _, sequence, _ in again} >= {frames[0][1]} and len(again) == 2
    assert world.handed_over() == []
    world.stop()


def test_on_a_line_that_takes_nothing_little_is_tried_and_nothing_is_lost():
    world = World()
    world.live(3600)
    world.dead_line = True
    world.handed_over(19)
    assert world.lost == 1, world.lost
    world.handed_over(3600)
    assert 150 <= world.lost <= 182, world.lost
    world.dead_line = False
    assert len(positions(world.handed_over(60))) >= 20
    world.stop()


def test_a_child_leaves_home_and_school_and_comes_back():
    world = World()
    east = world.place[1]
    home = Fence(1, FENCE_HOME | BOTH, world.place[0], east, 100)
    school = Fence(2, BOTH, world.place[0], east + 10 * EAST_100_M, 150)
    world.settings.fences = [home, school]
    world.part.settled()
    world.live(900)
    assert world.raised == []
    for metres in (400, 400, 200, 0, 0, -500, -500, 0, 0):
        moved(world, metres)
        world.live(300)
    assert world.raised == [
        (codes.HOME_LEFT, 0),
        (codes.FENCE_ENTERED, 2),
        (codes.FENCE_LEFT, 2),
        (codes.HOME_RETURNED, 0),
    ]
    events = {alarm.number: alarm.kind for alarm in world.alarms}
    frames = world.handed_over()
    assert sorted(number for number, _, _ in frames if number) == sorted(events), "where it was, under each number"
    world.power_cut()
    world.part.settled()
    world.live(3600)
    assert len(world.raised) == 4, "told once, over restarts, too"
    world.stop()


def test_one_wild_jump_is_no_place():
    world = World()
    here = world.place
    world.live(1200)
    world.place = (here[0] + 9000000, here[1])
    world.turn()
    while not world.part.search.on:
        world.live(1)
    said = 0
    while said < 1:
        world.turn()
        said += world.ms % 1000 == 0 and world.ms - world.on_since_ms >= world.first_fix_ms
    world.place = here
    world.live(900)
    told = positions(world.handed_over())
    assert all(abs(p.latitude_e5 - here[0] // 10) < 5 for p in told if p.found), [p.latitude_e5 for p in told]
    world.stop()
