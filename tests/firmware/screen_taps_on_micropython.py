"""What taps do: the screen's part over a stand-in (started by test_screen_part.py)."""

from screen_bench import BACK, BAR, LOWER, NAV, SEND, UPPER, glass, home, shows, tap, turns, watch
from sos import stages
from sos.schedule import NEVER
from sos.screen import pages, part

from protocol import codes
from protocol.settings import CHINESE, OLDER, WORKER


def test_it_starts_with_light_on_home_and_goes_dark_by_itself():
    reach, screen = watch()
    turns(reach, screen, 1000)
    assert shows(reach, home(reach))
    assert screen.awake(reach.board.ms) and screen.next_ms(reach.board.ms) != NEVER
    turns(reach, screen, part.LIT_MS)
    assert glass(reach) is None and not screen.awake(reach.board.ms) and screen.next_ms(reach.board.ms) == NEVER
    assert len(reach.board.flushed) == 2, "one page, then dark: nothing is drawn that has not changed"
    turns(reach, screen, 60000)
    assert len(reach.board.flushed) == 2


def test_the_minute_and_the_battery_are_drawn_when_they_change():
    reach, screen = watch()
    turns(reach, screen, 200)
    assert shows(reach, home(reach)), "until somebody has said what time it is, none is shown"
    reach.unix = 1767225540  # 2026-01-01 07:59 in Shanghai
    turns(reach, screen, 1000)
    assert shows(reach, home(reach, 7 * 60 + 59))
    reach.unix += 60
    turns(reach, screen, 1000)
    assert shows(reach, home(reach, 8 * 60))
    reach.battery_percent = 15
    turns(reach, screen, 1000)
    assert shows(reach, home(reach, 8 * 60)) and len(reach.board.flushed) == 4


def test_a_service_is_asked_for_by_three_taps_and_told_from_then_on():
    rows = (UPPER, LOWER)
    for count, kind in enumerate(range(codes.SERVICE_MEDICAL, codes.SERVICE_CALL_ME + 1)):
        reach, screen = watch()
        tap(reach, screen, NAV, *[NAV] * (count // 2), rows[count % 2])
        assert shows(reach, pages.confirm(kind, CHINESE))
        assert reach.done == []
        tap(reach, screen, SEND)
        assert reach.done == [("request", kind)]
        assert shows(reach, pages.told(kind, stages.PRESSED, -1, CHINESE))
        for stage in (stages.STORED, stages.ACCEPTED, stages.ANSWERED, stages.CLOSED):
            reach.tell(stage)
            turns(reach, screen, 200)
            assert shows(reach, pages.told(kind, stage, -1, CHINESE)), stages.NAMES[stage]
        reach.tell(stages.IDLE, 0)
        turns(reach, screen, 5000)
        assert shows(reach, pages.told(kind, stages.CLOSED, -1, CHINESE)), "it stays to be read"
        turns(reach, screen, part.LIT_MS)
        reach.board.taps.append(UPPER)
        turns(reach, screen, 200)
        assert shows(reach, home(reach)), "and then it is over"


def test_a_workers_badge_says_first_where_its_visit_stands():
    for place, kind in ((UPPER, codes.VISIT_ARRIVED), (LOWER, codes.VISIT_DONE)):
        reach, screen = watch()
        reach.settings.kind = WORKER
        tap(reach, screen, NAV)
        assert shows(reach, pages.services(0, True, CHINESE))
        tap(reach, screen, place, SEND)
        assert reach.done == [("request", kind)]
        reach.tell(stages.ACCEPTED)
        turns(reach, screen, 200)
        assert shows(reach, pages.told(kind, stages.ACCEPTED, -1, CHINESE))
    reach, screen = watch()
    reach.settings.kind = WORKER
    tap(reach, screen, NAV, NAV, LOWER, SEND)
    assert reach.done == [("request", codes.SERVICE_CARE)], "what the visit is for"


def test_no_sends_nothing_and_neither_does_who_goes_away():
    for leave in (((40, 120),), (NAV,), ()):
        reach, screen = watch()
        tap(reach, screen, NAV, UPPER, *leave)
        turns(reach, screen, 2 * part.LIT_MS)
        assert glass(reach) is None
        tap(reach, screen, SEND)
        assert shows(reach, home(reach)), "it begins again from home"
        assert reach.done == []


def test_a_tap_meant_for_the_page_before_sends_nothing():
    reach, screen = watch()
    tap(reach, screen, NAV, LOWER)
    reach, screen = watch()
    tap(reach, screen, NAV)
    turns(reach, screen, 1000)
    # Where the second service is, the next page has its "send": a hand that trembles taps it several times.
    for _ in range(6):
        reach.board.taps.append((200, 120))
        turns(reach, screen, 80)
    assert shows(reach, pages.confirm(codes.SERVICE_CARE, CHINESE))
    assert reach.done == []


def test_the_first_tap_in_the_dark_lights_and_does_nothing_else():
    for place in (BAR, NAV, UPPER):
        reach, screen = watch()
        turns(reach, screen, 20000)
        assert glass(reach) is None
        reach.board.taps.append(place)
        turns(reach, screen, 1000)
        assert shows(reach, home(reach)) and reach.done == []


def test_sos_is_two_taps_from_every_page():
    for way in ((), (NAV,), (NAV, NAV), (NAV, NAV, NAV), (NAV, UPPER), (NAV, UPPER, SEND)):
        reach, screen = watch()
        tap(reach, screen, *way, BAR)
        assert shows(reach, pages.sos(CHINESE)), way
        before = len(reach.done)
        tap(reach, screen, (120, 120))
        assert reach.done[before:] == [("sos", codes.SCREEN)], way
        assert shows(reach, pages.told(codes.SOS, stages.PRESSED, -1, CHINESE)), way


def test_back_from_the_red_page_sends_nothing():
    reach, screen = watch()
    tap(reach, screen, BAR, BACK)
    assert shows(reach, home(reach)) and reach.done == []


def test_panic_on_the_bar_is_one_sos():
    reach, screen = watch()
    turns(reach, screen, 1000)
    for _ in range(30):
        reach.board.taps.append(BAR)
        turns(reach, screen, 240)
    assert reach.done == [("sos", codes.SCREEN)]
    turns(reach, screen, 1200)
    tap(reach, screen, BAR, BAR)
    assert reach.done == [("sos", codes.SCREEN)] * 2, "who taps after a rest means another"


def test_what_could_not_be_kept_is_said():
    reach, screen = watch()
    reach.full = True
    tap(reach, screen, NAV, UPPER, SEND)
    assert shows(reach, pages.not_taken(CHINESE))


def test_who_is_a_worker_no_more_on_the_last_page_gets_one_that_there_is():
    reach, screen = watch()
    reach.settings.kind = WORKER
    tap(reach, screen, NAV, NAV, NAV, NAV)
    assert shows(reach, pages.services(3, True, CHINESE))
    reach.settings.kind = OLDER
    turns(reach, screen, 200)
    assert shows(reach, pages.services(0, False, CHINESE))
    tap(reach, screen, NAV)
    assert shows(reach, pages.services(1, False, CHINESE))
