"""What one button means. Runs under both Pythons."""

from firmware.sos import gestures as g
from tests.firmware.a_finger import Finger


def test_a_short_press_counts_and_is_sent_when_the_window_ends():
    finger = Finger().press(rest_ms=9800)
    assert finger.said == [g.BEGAN, g.RELEASED]
    assert finger.wait(400).said == [g.BEGAN, g.RELEASED, g.EXPIRED]
    assert not finger.gestures.busy


def test_a_hold_is_sent_after_one_second_while_still_held():
    finger = Finger()
    finger.edge(True, finger.now_ms)
    assert finger.wait(960).said == [g.BEGAN]
    assert finger.wait(100).said == [g.BEGAN, g.HELD]
    assert finger.wait(20000).said == [g.BEGAN, g.HELD], "a button that stays pressed is one alarm"
    finger.edge(False, finger.now_ms)
    assert finger.wait(12000).said == [g.BEGAN, g.HELD]
    assert not finger.gestures.busy


def test_bounces_are_one_press_and_spikes_are_none():
    finger = Finger()
    for _ in range(5):
        finger.edge(True, finger.now_ms)
        finger.edge(False, finger.now_ms + 3)
        finger.wait(20)
    assert finger.said == []
    for at in range(0, 12, 2):
        finger.edge(at % 4 == 0, finger.now_ms + at)
    finger.edge(True, finger.now_ms + 14)
    finger.wait(100)
    assert finger.said == [g.BEGAN]


def test_someone_unsure_who_presses_again_cancels_nothing():
    for presses, rest_ms in ((2, 200), (2, 3000), (2, 1500), (3, 2500), (4, 2000)):
        finger = Finger()
        for _ in range(presses):
            finger.press(rest_ms=rest_ms)
        finger.wait(12000)
        assert g.CANCELLED not in finger.said, (presses, rest_ms)
        assert finger.said.count(g.EXPIRED) == 1, (presses, rest_ms, finger.said)
        assert finger.said.count(g.BEGAN) == 1


def test_panic_mashing_sends_at_the_third_press_however_many_follow():
    for presses in range(3, 30):
        for rest_ms in (60, 200, 800):
            finger = Finger()
            for _ in range(3):
                finger.press(rest_ms=rest_ms)
            assert finger.said[-1] in (g.INSISTED, g.NOTHING) or g.INSISTED in finger.said
            for _ in range(presses - 3):
                finger.press(rest_ms=rest_ms)
            finger.wait(15000)
            assert finger.said.count(g.INSISTED) == 1 and finger.said.count(g.BEGAN) == 1, (presses, rest_ms)
            assert g.CANCELLED not in finger.said and g.EXPIRED not in finger.said


def test_exactly_three_after_a_pause_and_a_rest_take_it_back():
    finger = Finger().press(rest_ms=1500).press().press().press(rest_ms=900)
    assert g.CANCELLED not in finger.said
    finger.wait(200)
    assert finger.said[-1] == g.CANCELLED
    assert finger.wait(15000).said[-1] == g.CANCELLED
    assert not finger.gestures.busy


def test_two_or_four_after_a_pause_do_not():
    finger = Finger().press(rest_ms=1500).press().press(rest_ms=12000)
    assert g.CANCELLED not in finger.said and finger.said[-1] == g.EXPIRED
    finger = Finger().press(rest_ms=1500).press().press().press().press(rest_ms=12000)
    assert g.CANCELLED not in finger.said and finger.said.count(g.INSISTED) == 1


def test_a_hold_inside_the_window_sends_at_once():
    for before in (0, 1, 2):
        finger = Finger().press(rest_ms=1500)
        for _ in range(before):
            finger.press()
        finger.press(ms=1100)
        assert finger.said[-1] == g.HELD, before
        assert g.CANCELLED not in finger.wait(15000).said


def test_a_cancel_under_way_when_the_window_ends_may_finish_and_nothing_else_waits():
    finger = Finger().press(rest_ms=9300).press().press().press(rest_ms=1100)
    assert finger.said[-1] == g.CANCELLED
    finger = Finger().press(rest_ms=9300).press().press(rest_ms=1100)
    assert finger.said[-1] == g.EXPIRED


def test_a_hold_after_an_alarm_is_an_alarm_of_its_own_and_a_tap_of_the_same_mash_is_not():
    finger = Finger().press(ms=1100, rest_ms=100).press(rest_ms=100)
    assert finger.said == [g.BEGAN, g.HELD, g.AGAIN]
    finger.press(ms=1100, rest_ms=2000)
    assert finger.said == [g.BEGAN, g.HELD, g.AGAIN, g.AGAIN, g.HELD]
    finger.press(rest_ms=100)
    assert finger.said[-2:] == [g.BEGAN, g.RELEASED], "after a rest, a press is a new SOS"


def test_the_press_that_woke_the_wearable_counts():
    for still_down in (True, False):
        finger = Finger()
        assert finger.gestures.woke_by_press(still_down, finger.now_ms) == g.BEGAN
        finger.holds_already(still_down)
        finger.wait(1100)
        if still_down:
            assert finger.said == [g.HELD]
        else:
            assert finger.said == [g.RELEASED]
            assert finger.wait(10000).said == [g.RELEASED, g.EXPIRED]


def armed(for_ms=900000, cancels=False):
    finger = Finger()
    finger.gestures.arm(finger.now_ms, for_ms, cancels)
    return finger


def test_armed_a_short_press_is_a_test_at_once_and_nothing_follows_it():
    finger = armed().press(rest_ms=40)
    assert finger.said == [g.BEGAN, g.TESTED]
    assert not finger.gestures.counting
    assert finger.wait(15000).said == [g.BEGAN, g.TESTED]
    assert not finger.gestures.busy
    for _ in range(3):
        finger.press(rest_ms=1100)
    assert finger.said == [g.BEGAN, g.TESTED] * 4


def test_armed_a_hold_is_an_sos_as_ever_also_one_that_follows_a_test_press():
    for cancels in (False, True):
        finger = armed(cancels=cancels)
        finger.edge(True, finger.now_ms)
        assert finger.wait(960).said == [g.BEGAN]
        assert finger.wait(100).said == [g.BEGAN, g.HELD]
        for rest_ms in (200, 1500):
            finger = armed(cancels=cancels).press(rest_ms=rest_ms).press(ms=1100)
            assert finger.said[:2] == [g.BEGAN, g.TESTED] and finger.said[-1] == g.HELD, (rest_ms, finger.said)


def test_armed_three_presses_or_more_in_a_row_are_an_sos_at_the_third_as_ever():
    for cancels in (False, True):
        for presses in range(3, 20):
            for rest_ms in (60, 200, 800):
                finger = armed(cancels=cancels)
                for _ in range(2):
                    finger.press(rest_ms=rest_ms)
                assert finger.said == [g.BEGAN, g.TESTED, g.AGAIN, g.RELEASED]
                finger.press(rest_ms=rest_ms)
                assert g.RAISED in finger.said
                for _ in range(presses - 3):
                    finger.press(rest_ms=rest_ms)
                finger.wait(15000)
                assert finger.said.count(g.RAISED) == 1 and finger.said.count(g.TESTED) == 1
                assert g.TEST_CANCELLED not in finger.said


def test_armed_the_cancel_gesture_is_an_sos_unless_it_is_being_practised():
    assert g.RAISED in armed().press(rest_ms=1500).press().press().press(rest_ms=1200).said
    finger = armed(cancels=True).press(rest_ms=1500).press().press().press(rest_ms=900)
    assert g.TEST_CANCELLED not in finger.said and g.RAISED not in finger.said
    finger.wait(200)
    assert finger.said[-1] == g.TEST_CANCELLED and not finger.gestures.busy
    finger = armed(cancels=True).press(rest_ms=1500).press().press().press().press(rest_ms=1200)
    assert g.RAISED in finger.said and g.TEST_CANCELLED not in finger.said
    finger = armed(cancels=True).press(rest_ms=1500).press().press(rest_ms=12000)
    assert g.EXPIRED not in finger.said and not finger.gestures.busy


def test_a_press_is_a_test_only_if_it_was_armed_from_its_beginning_to_its_end():
    finger = Finger()
    finger.edge(True, finger.now_ms)
    finger.gestures.arm(finger.now_ms + 10, 60000, False)  # before the first tick has seen the press
    finger.wait(100)
    finger.edge(False, finger.now_ms)
    assert finger.wait(10100).said == [g.BEGAN, g.RELEASED, g.EXPIRED]
    for end in ("time", "command"):
        finger = armed(for_ms=1060)
        finger.wait(1000)
        finger.edge(True, finger.now_ms)
        finger.wait(40)
        if end == "command":
            finger.gestures.disarm()
        finger.wait(60)
        finger.edge(False, finger.now_ms)
        assert finger.wait(10100).said == [g.BEGAN, g.RELEASED, g.EXPIRED], end


def test_an_sos_that_counts_when_it_is_armed_stays_one():
    finger = Finger().press(rest_ms=1500)
    finger.gestures.arm(finger.now_ms, 60000, True)
    assert finger.gestures.counting
    assert finger.press(rest_ms=9000).said == [g.BEGAN, g.RELEASED, g.AGAIN, g.RELEASED, g.EXPIRED]
    finger = Finger().press(rest_ms=1500)
    finger.gestures.arm(finger.now_ms, 60000, True)
    assert finger.press().press().press(rest_ms=1200).said[-1] == g.CANCELLED


def test_nothing_that_test_mode_left_open_takes_a_press_after_it():
    for cancels in (False, True):
        for rest_ms in (200, 1500, 5000):
            finger = armed(cancels=cancels).press(rest_ms=rest_ms)
            finger.gestures.disarm()
            assert finger.press(rest_ms=10500).said[2:] == [g.BEGAN, g.RELEASED, g.EXPIRED], (cancels, rest_ms)


def test_prolonging_takes_no_press_out_of_the_test():
    finger = armed(for_ms=5000)
    finger.edge(True, finger.now_ms)
    finger.gestures.arm(finger.now_ms + 15, 5000, False)  # before the first tick has seen the press
    finger.wait(100)
    finger.edge(False, finger.now_ms)
    assert finger.wait(100).said == [g.BEGAN, g.TESTED]
