"""What becomes of a press: services, answers, the end of a fall's countdown, or an SOS. Runs under both Pythons."""

from firmware.sos import outbox, schedule, stages
from protocol import codes
from protocol.settings import WORKER
from tests.firmware.a_ledger import RamLedger
from tests.firmware.a_wearer import ANSWERED, CALL_ME, COUNTING, SOS_HOLD, SOS_PRESS, Wearer, told

# ---- services by profile ----


def test_a_short_press_is_the_service_of_the_profile_once_it_is_clear_that_it_is_short():
    wearer = Wearer(codes.SERVICE_CALL_ME).press(rest_ms=500)
    assert wearer.events() == [COUNTING], "it may be the first of three yet"
    assert wearer.wait(700).events() == [CALL_ME]
    assert wearer.feedback.number == 1
    assert wearer.wait(20000).events() == [CALL_ME], "nothing else comes of it"


def test_two_short_presses_are_one_service():
    assert Wearer(codes.SERVICE_CARE).press().press(rest_ms=12000).events() == [(codes.SERVICE_CARE, 0, False)]


def test_on_a_workers_badge_two_presses_say_that_the_visit_is_done():
    def badge():
        wearer = Wearer(codes.SERVICE_CARE)
        wearer.store.now.kind = WORKER
        return wearer

    assert badge().press(rest_ms=1500).events() == [(codes.SERVICE_CARE, 0, False)]
    assert badge().press().press(rest_ms=1500).events() == [(codes.VISIT_DONE, 0, False)]
    assert badge().press().press().press(rest_ms=1500).events() == [SOS_PRESS]
    assert badge().press(ms=1100).events() == [SOS_HOLD]


def test_with_a_service_by_profile_a_hold_and_three_in_a_row_are_an_sos_and_no_service():
    assert Wearer(codes.SERVICE_CARE).press(ms=1100, rest_ms=12000).events() == [SOS_HOLD]
    assert Wearer(codes.SERVICE_CARE).press().press().press().events() == [SOS_PRESS]
    assert Wearer(codes.SERVICE_CARE).press().press(ms=1100).events() == [SOS_HOLD], "short, then held"


def test_power_that_fails_before_it_is_clear_leaves_an_sos():
    wearer = Wearer(codes.SERVICE_CARE).press(rest_ms=900)
    assert wearer.after_a_power_cut() == [SOS_PRESS]
    wearer.wait(300)
    assert wearer.after_a_power_cut() == [(codes.SERVICE_CARE, 0, False)]


def test_while_an_alarm_is_open_each_press_is_an_sos():
    wearer = Wearer(codes.SERVICE_CARE).press(ms=1100, rest_ms=2000).press(rest_ms=12000)
    assert wearer.events() == [SOS_HOLD, SOS_PRESS]
    for alarm in wearer.outbox.alarms:
        if alarm.used:
            wearer.outbox.told(alarm.number, codes.CLOSED)
    assert wearer.wait(100).press(rest_ms=2000).events() == [(codes.SERVICE_CARE, 0, False)]


def test_a_kind_that_is_no_service_is_an_sos_with_its_window():
    for kind in (codes.SOS, 0x0F, 0x16, codes.CHECKIN_ANSWERED, 0x38, codes.TEST_BY_HAND, 0xFF):
        wearer = Wearer(kind).press(rest_ms=5000)
        assert wearer.events() == [COUNTING], kind
        assert wearer.wait(6000).events() == [SOS_PRESS], kind


def test_settings_that_come_in_the_middle_of_a_press_leave_it_an_sos():
    wearer = Wearer()
    wearer.edge(True, wearer.now_ms)
    wearer.wait(60)
    wearer.store.now.short_press = codes.SERVICE_CARE
    wearer.wait(60)
    wearer.edge(False, wearer.now_ms)
    assert wearer.wait(2000).events() == [COUNTING]
    other = Wearer(codes.SERVICE_CARE)
    other.edge(True, other.now_ms)
    other.wait(60)
    other.store.now.short_press = codes.SOS
    other.wait(60)
    other.edge(False, other.now_ms)
    assert other.wait(2000).events() == [COUNTING]


# ---- questions ----


def test_a_short_press_answers_the_question_and_is_no_sos():
    wearer = Wearer()
    assert wearer.ask()
    assert wearer.wait(100).feedback.stage == stages.PROMPTED
    assert wearer.wait(2000).press(rest_ms=1500).events() == [ANSWERED]
    assert wearer.prompting.kind == codes.PROMPT_NONE
    assert wearer.press(rest_ms=12000).events() == [ANSWERED, SOS_PRESS], "what comes after it is a press as any other"


def test_a_hold_and_three_in_a_row_are_an_sos_though_there_is_a_question_and_it_is_over():
    for act, event in ((lambda w: w.press(ms=1100), SOS_HOLD), (lambda w: w.press().press().press(), SOS_PRESS)):
        wearer = Wearer()
        wearer.ask()
        wearer.wait(2000)
        act(wearer)
        assert wearer.wait(2000).events() == [event]
        assert wearer.prompting.kind == codes.PROMPT_NONE


def test_a_press_begun_before_the_question_or_ended_after_it_is_an_sos():
    wearer = Wearer()
    wearer.edge(True, wearer.now_ms)
    wearer.wait(60)
    wearer.ask()
    wearer.wait(60)
    wearer.edge(False, wearer.now_ms)
    assert wearer.wait(11000).events() == [SOS_PRESS]
    late = Wearer()
    late.ask()
    late.wait(2000)
    late.edge(True, late.now_ms)
    late.wait(60)
    late.ask(codes.PROMPT_NONE)
    late.wait(60)
    late.edge(False, late.now_ms)
    assert late.wait(11000).events() == [SOS_PRESS]


def test_a_question_that_ends_or_begins_in_the_very_tick_of_a_press_is_not_answered_by_it():
    wearer = Wearer()
    wearer.ask()
    wearer.wait(2000)
    wearer.edge(True, wearer.now_ms)
    wearer.ask(codes.PROMPT_NONE)
    wearer.wait(100)
    wearer.edge(False, wearer.now_ms)
    assert wearer.wait(11000).events() == [SOS_PRESS]
    late = Wearer()
    late.ask()
    # The press bounces yet in the tick from which on it may be an answer, and is seen in the next.
    late.edge(True, late.now_ms + 10)
    late.wait(100)
    late.edge(False, late.now_ms)
    assert late.wait(2000).events() == [COUNTING]


def test_a_press_begun_for_one_question_answers_no_other():
    wearer = Wearer()
    wearer.ask()
    wearer.wait(2000)
    wearer.edge(True, wearer.now_ms)
    wearer.wait(60)
    assert not wearer.ask(codes.PROMPT_LOOK, number=8), "until it is let go it may be an SOS"
    wearer.wait(60)
    wearer.edge(False, wearer.now_ms)
    assert wearer.wait(11000).events() == [ANSWERED]


def test_a_question_that_ends_in_the_second_after_the_press_is_answered_all_the_same():
    wearer = Wearer()
    wearer.ask(within_s=3)
    assert wearer.wait(2800).press(rest_ms=1500).events() == [ANSWERED]


def test_nobody_is_asked_who_waits_for_help_or_may_be_about_to():
    wearer = Wearer().press(rest_ms=500)
    assert not wearer.ask(), "an SOS counts down"
    wearer.wait(12000)
    assert not wearer.ask(), "an SOS is open"
    wearer.outbox.told(1, codes.CLOSED)
    assert wearer.ask() and not wearer.ask(number=9, within_s=0)


def test_a_question_is_asked_again_gently_until_it_is_over_and_then_says_hello():
    wearer = Wearer()
    shown = []
    begin = wearer.feedback.begin
    wearer.feedback.begin = lambda stage, *more: (shown.append((wearer.now_ms, stage)), begin(stage, *more))
    wearer.ask(within_s=300)
    wearer.wait(299000)
    asked = [ms for ms, stage in shown if stage == stages.PROMPTED]
    gaps = [later - earlier for earlier, later in zip(asked, asked[1:])]  # noqa: B905, RUF007  MicroPython has neither
    assert gaps and min(gaps) >= 30000 and max(gaps) <= 60040
    assert wearer.schedule.hello_due_ms == schedule.NEVER
    wearer.wait(2000)
    assert wearer.prompting.kind == codes.PROMPT_NONE and wearer.schedule.hello_due_ms <= wearer.now_ms


def test_a_question_that_was_answered_is_not_asked_again_by_a_command_that_comes_again():
    wearer = Wearer()
    wearer.ask()
    wearer.wait(2000).press(rest_ms=1500)
    assert wearer.ask() and wearer.prompting.kind == codes.PROMPT_NONE
    assert wearer.ask(number=8) and wearer.prompting.kind == codes.PROMPT_CHECKIN


def test_a_question_goes_on_after_a_sleep_and_the_press_that_wakes_answers_it():
    wearer = Wearer()
    wearer.ask()
    wearer.wait(2000)
    kept = wearer.prompting.keep(0)
    woken = Wearer()
    woken.now_ms = 0
    woken.prompting.resume(kept, 60000)
    woken.presses.started()
    woken.presses.act(woken.presses.gestures.woke_by_press(True, 0), 0)
    woken.wait(100).edge(False, woken.now_ms)
    assert woken.wait(1500).events() == [ANSWERED]


def test_a_question_goes_before_the_service_of_the_profile():
    wearer = Wearer(codes.SERVICE_CARE)
    wearer.ask()
    wearer.wait(2000)
    assert wearer.press(rest_ms=1500).events() == [ANSWERED], "the question goes before the profile"
    assert wearer.press(rest_ms=1500).events() == [ANSWERED, (codes.SERVICE_CARE, 0, False)]


# ---- by the screen ----


def test_an_sos_of_the_screen_is_out_at_once_and_one_that_counted_becomes_it():
    screen = (codes.SOS, codes.SCREEN, False)
    wearer = Wearer()
    wearer.presses.sos(codes.SCREEN, wearer.now_ms)
    assert wearer.events() == wearer.after_a_power_cut() == [screen]
    counting = Wearer().press(rest_ms=1500)
    counting.presses.sos(codes.SCREEN, counting.now_ms)
    assert counting.events() == counting.after_a_power_cut() == [screen]
    assert counting.wait(1000).press(rest_ms=12000).events() == [screen, SOS_PRESS], "nothing hides the next press"


def test_the_question_is_answered_by_touch_but_not_while_an_alarm_is_open():
    wearer = Wearer()
    assert wearer.presses.answer(wearer.now_ms) is None
    wearer.ask(codes.PROMPT_MEDICINE)
    wearer.presses.answer(wearer.now_ms)
    assert wearer.events() == [(codes.CHECKIN_ANSWERED, codes.PROMPT_MEDICINE, False)]
    assert wearer.presses.answer(wearer.now_ms) is None, "once"


def test_an_sos_whose_window_ended_is_no_longer_one_that_waits_in_flash():
    """A sleep follows, and its start takes flash as it is."""
    wearer = Wearer().press(rest_ms=10200)
    later = RamLedger()
    later.adopt(wearer.ledger.kept)
    assert told(outbox.Outbox(later, 1, 0)) == [SOS_PRESS]
