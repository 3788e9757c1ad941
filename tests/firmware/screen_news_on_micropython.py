"""What news does, and how pages come onto the glass (started by test_screen_part.py)."""

from boards import contract
from screen_bench import BAR, LOWER, NAV, SEND, TURN_MS, UPPER, glass, home, shows, tap, turns, watch
from sos import stages
from sos.screen import pages, part

from protocol import codes
from protocol.settings import CHINESE, ENGLISH


def test_news_lights_and_is_not_lit_again_by_its_reminders():
    reach, screen = watch()
    turns(reach, screen, 20000)
    reach.event(codes.SOS, stages.PRESSED)
    turns(reach, screen, 200)
    assert shows(reach, pages.told(codes.SOS, stages.PRESSED, -1, CHINESE))
    reach.tell(stages.ACCEPTED)
    turns(reach, screen, 20000)
    assert glass(reach) is None
    flushed = len(reach.board.flushed)
    reach.tell(stages.ACCEPTED)
    turns(reach, screen, 1000)
    assert len(reach.board.flushed) == flushed
    for urgent, lights in ((False, False), (True, True)):
        reach.tell(stages.NO_PATH, urgent=urgent)
        turns(reach, screen, 20000)
        assert glass(reach) is None
        flushed = len(reach.board.flushed)
        reach.tell(stages.NO_PATH, urgent=urgent)
        turns(reach, screen, 1000)
        assert (len(reach.board.flushed) > flushed) == lights


def test_who_is_at_something_is_interrupted_by_a_press_and_by_nothing_less():
    reach, screen = watch()
    reach.event(codes.SERVICE_CARE, stages.PRESSED)
    turns(reach, screen, 100)
    tap(reach, screen, NAV, NAV, LOWER)
    reach.tell(stages.ACCEPTED)
    turns(reach, screen, 100)
    assert shows(reach, pages.confirm(codes.SERVICE_CARE, CHINESE))
    reach.event(codes.SOS, stages.COUNTING)
    turns(reach, screen, 100)
    assert shows(reach, pages.told(codes.SOS, stages.COUNTING, 10, CHINESE))
    turns(reach, screen, 4000)
    assert shows(reach, pages.told(codes.SOS, stages.COUNTING, 6, CHINESE)), "the seconds are those that are left"


def test_home_shows_in_small_what_is_under_way_and_a_tap_on_it_in_large():
    reach, screen = watch()
    tap(reach, screen, NAV, UPPER, SEND)
    reach.tell(stages.ACCEPTED)
    tap(reach, screen, NAV)
    assert shows(reach, home(reach, -1, codes.SERVICE_MEDICAL, stages.ACCEPTED))
    tap(reach, screen, (40, 40))
    assert shows(reach, pages.told(codes.SERVICE_MEDICAL, stages.ACCEPTED, -1, CHINESE))


def test_a_question_is_answered_by_a_tap_and_comes_back_from_the_dark():
    for kind in (codes.PROMPT_CHECKIN, codes.PROMPT_MEDICINE, codes.PROMPT_LOOK):
        reach, screen = watch()
        turns(reach, screen, 20000)
        reach.prompt.kind, reach.prompt.number = kind, 7
        reach.tell(stages.PROMPTED, 0)
        turns(reach, screen, 200)
        assert shows(reach, pages.prompt(kind, CHINESE))
        turns(reach, screen, 20000)
        assert glass(reach) is None
        reach.board.taps.append(LOWER)
        turns(reach, screen, 1000)
        assert shows(reach, pages.prompt(kind, CHINESE)) and reach.done == []
        tap(reach, screen, LOWER)
        assert reach.done == [("answer", kind)]
        assert shows(reach, pages.told(codes.CHECKIN_ANSWERED, stages.PRESSED, -1, CHINESE))


def test_a_question_waits_behind_what_else_is_told_and_comes_back_from_the_dark():
    reach, screen = watch()
    reach.prompt.kind = codes.PROMPT_CHECKIN
    reach.tell(stages.PROMPTED, 0)
    turns(reach, screen, 200)
    reach.event(codes.SERVICE_CARE, stages.ACCEPTED)
    turns(reach, screen, 200)
    assert shows(reach, pages.told(codes.SERVICE_CARE, stages.ACCEPTED, -1, CHINESE))
    turns(reach, screen, 20000)
    assert glass(reach) is None
    reach.board.taps.append(UPPER)
    turns(reach, screen, 200)
    assert shows(reach, pages.prompt(codes.PROMPT_CHECKIN, CHINESE))


def test_a_question_that_is_over_goes():
    reach, screen = watch()
    reach.prompt.kind = codes.PROMPT_LOOK
    reach.tell(stages.PROMPTED, 0)
    turns(reach, screen, 200)
    reach.prompt.kind = 0
    reach.tell(stages.IDLE, 0)
    turns(reach, screen, 200)
    assert shows(reach, home(reach))


def test_a_question_that_goes_while_its_pattern_plays_leaves_home():
    reach, screen = watch()
    reach.prompt.kind = codes.PROMPT_LOOK
    reach.tell(stages.PROMPTED, 0)
    turns(reach, screen, 200)
    reach.prompt.kind = 0
    turns(reach, screen, 200)
    assert shows(reach, home(reach))
    reach.tell(stages.IDLE, 0)
    turns(reach, screen, 200)
    assert shows(reach, home(reach))


def test_a_fall_counts_in_light_until_somebody_says_that_all_is_well():
    reach, screen = watch()
    turns(reach, screen, 20000)
    reach.fall_ends_ms = reach.board.ms + 30000
    reach.event(codes.SOS, stages.FALLING)
    turns(reach, screen, 100)
    assert shows(reach, pages.fall(30, CHINESE))
    turns(reach, screen, 20000)
    assert shows(reach, pages.fall(10, CHINESE)) and screen.awake(reach.board.ms)
    tap(reach, screen, LOWER)
    assert reach.done == [("recovered", codes.PRESSED_AWAY)]
    reach.tell(stages.IDLE, 0)
    turns(reach, screen, 200)
    assert shows(reach, home(reach))


def test_a_fall_that_nobody_answers_is_told_as_an_sos():
    reach, screen = watch()
    reach.fall_ends_ms = reach.board.ms + 3000
    reach.event(codes.SOS, stages.FALLING)
    turns(reach, screen, 2900)
    assert shows(reach, pages.fall(1, CHINESE))
    reach.tell(stages.PRESSED)
    turns(reach, screen, 300)
    assert shows(reach, pages.told(codes.SOS, stages.PRESSED, -1, CHINESE))


def test_sos_can_be_sent_while_a_fall_counts():
    reach, screen = watch()
    reach.fall_ends_ms = reach.board.ms + 30000
    reach.event(codes.SOS, stages.FALLING)
    tap(reach, screen, BAR, BAR)
    assert reach.done == [("sos", codes.SCREEN)]


def test_the_page_is_in_the_language_of_the_settings():
    reach, screen = watch()
    tap(reach, screen, NAV)
    reach.settings.language = ENGLISH
    turns(reach, screen, 200)
    assert shows(reach, pages.services(0, False, ENGLISH), ENGLISH)


def test_after_a_sleep_it_is_dark_unless_touched_and_what_was_told_is_no_news():
    reach, screen = watch(b"\x01")
    reach.event(codes.SERVICE_CARE, stages.ACCEPTED)
    turns(reach, screen, 2000)
    assert reach.board.flushed == [] and not screen.awake(reach.board.ms)
    assert screen._brush is None, "who wakes in the dark pays for no letters"
    reach, screen = watch(b"\x01")
    reach.event(codes.SERVICE_CARE, stages.ACCEPTED)
    reach.board.taps.append(BAR)
    turns(reach, screen, 1000)
    assert shows(reach, pages.told(codes.SERVICE_CARE, stages.ACCEPTED, -1, CHINESE)) and reach.done == []
    assert 0 < len(screen.keep()) <= 40
    reach, screen = watch(b"\x01")
    reach.board.wake_cause = contract.WAKE_TOUCH
    turns(reach, screen, 1000)
    assert shows(reach, home(reach)), "a finger that is gone again"


def test_it_draws_in_slices_and_shows_a_page_only_when_it_is_whole():
    reach, screen = watch()
    reach.board.slow_ms = 10
    wanted = len(home(reach).items)
    count = 0
    while not reach.board.flushed:
        before = screen._drawn
        screen.turn(reach.board.ms)
        reach.board.ms += TURN_MS
        count += 1
        assert 0 < screen._drawn - before <= part.SLICE_MS // 10 + 1
    assert count >= wanted // 2 and shows(reach, home(reach))


def test_news_in_the_middle_of_a_page_draws_the_new_one_from_its_beginning():
    reach, screen = watch()
    reach.board.slow_ms = 10
    screen.turn(reach.board.ms)
    assert not reach.board.flushed
    reach.event(codes.SOS, stages.PRESSED)
    for _ in range(40):
        reach.board.ms += TURN_MS
        screen.turn(reach.board.ms)
    assert len(reach.board.flushed) == 1 and shows(reach, pages.told(codes.SOS, stages.PRESSED, -1, CHINESE))


def test_a_tap_counts_for_what_is_on_the_glass():
    reach, screen = watch()
    tap(reach, screen, NAV)
    turns(reach, screen, 1000)
    reach.board.slow_ms = 10
    reach.event(codes.SOS, stages.PRESSED)
    reach.board.ms += TURN_MS
    screen.turn(reach.board.ms)
    assert screen._shown.hit(*UPPER) == codes.SERVICE_MEDICAL, "the old page is there still"
    reach.board.taps.append(UPPER)
    screen.turn(reach.board.ms)
    assert screen._view == part.TOLD, "and what was meant for it does not count any more"
