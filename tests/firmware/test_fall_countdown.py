"""A fall counts down to an SOS unless its wearer is well; power and panic send it. Runs under both Pythons."""

from firmware.sos import falls, stages
from protocol import codes
from tests.firmware.a_wearer import COUNTING, FALL, FALL_COUNTS, SOS_HOLD, SOS_PRESS, Wearer


def fallen(for_ms=30000):
    wearer = Wearer()
    assert wearer.presses.fall(wearer.now_ms, for_ms)
    return wearer.wait(100)


def test_a_fall_goes_out_when_nobody_says_that_it_is_well():
    wearer = fallen()
    assert wearer.events() == [FALL_COUNTS] and wearer.feedback.stage == stages.FALLING
    assert wearer.wait(29800).events() == [FALL_COUNTS]
    assert wearer.wait(300).events() == [FALL]
    assert wearer.presses.falls.state == falls.SENT


def test_power_that_fails_in_a_countdown_sends_it():
    assert fallen().after_a_power_cut() == [FALL]


def test_getting_up_or_a_short_press_takes_it_back_and_says_so():
    wearer = fallen()
    assert wearer.presses.falls.recovered(codes.GOT_UP, wearer.now_ms)
    assert wearer.events() == wearer.after_a_power_cut() == [(codes.FALL_RECOVERED, codes.GOT_UP, False)]
    assert not wearer.presses.falls.recovered(codes.GOT_UP, wearer.now_ms)
    for presses_made in (1, 2):
        wearer = fallen()
        for _ in range(presses_made):
            wearer.press()
        assert wearer.wait(40000).events() == [(codes.FALL_RECOVERED, codes.PRESSED_AWAY, False)]
        assert wearer.presses.falls.state == falls.TAKEN_BACK


def test_a_hold_or_three_in_a_row_send_the_fall_at_once_and_no_second_alarm():
    assert fallen().press(ms=1100, rest_ms=40000).events() == [FALL]
    assert fallen().press().press().press(rest_ms=40000).events() == [FALL]


def test_a_press_at_the_very_end_is_waited_for():
    wearer = fallen(2000).wait(1850).press(rest_ms=1500)
    assert wearer.events() == [(codes.FALL_RECOVERED, codes.PRESSED_AWAY, False)]


def test_a_button_that_is_held_down_through_the_countdown_does_not_keep_it():
    wearer = fallen(2000).wait(1800)
    wearer.edge(True, wearer.now_ms)
    assert wearer.wait(1200).events() == [FALL]


def test_a_press_begun_before_the_fall_is_an_sos_of_its_own():
    wearer = Wearer()
    wearer.edge(True, wearer.now_ms)
    wearer.wait(60)
    wearer.presses.fall(wearer.now_ms, 30000)
    wearer.wait(60)
    wearer.edge(False, wearer.now_ms)
    assert wearer.wait(11000).events() == [SOS_PRESS, FALL_COUNTS]
    assert wearer.wait(20000).events() == [SOS_PRESS, FALL]


def test_getting_up_in_the_middle_of_a_press_leaves_the_press_an_sos():
    wearer = fallen()
    wearer.edge(True, wearer.now_ms)
    wearer.wait(60)
    wearer.presses.falls.recovered(codes.GOT_UP, wearer.now_ms)
    wearer.wait(60)
    wearer.edge(False, wearer.now_ms)
    got_up = (codes.FALL_RECOVERED, codes.GOT_UP, False)
    assert wearer.wait(500).events() == [got_up, COUNTING]
    assert wearer.wait(12000).events() == [got_up, SOS_PRESS]
    for before_ms in (60, 0):  # 0: in the very tick in which the press is seen
        panic = fallen()
        panic.edge(True, panic.now_ms)
        panic.wait(before_ms)
        panic.presses.falls.recovered(codes.GOT_UP, panic.now_ms)
        assert panic.wait(1200).events() == [got_up, SOS_HOLD]


def test_a_fall_ends_a_question_and_test_mode():
    wearer = Wearer()
    wearer.ask()
    wearer.presses.arm(wearer.now_ms, 60000, False)
    wearer.wait(100)
    wearer.presses.fall(wearer.now_ms, 30000)
    assert not wearer.presses.testing.on and not wearer.ask()
    assert wearer.wait(40000).events() == [FALL]
