"""Sixteen slots and what happens when they are full. Runs under both Pythons."""

from firmware.sos import outbox as o
from firmware.sos.counter import JUMP, JUMP_MORE, NUMBER_JUMP, NUMBER_JUMP_MORE, RANGE, RESERVE, Counter
from firmware.sos.ledger import Ledger
from protocol import codes


class RamLedger(Ledger):
    """Flash that always takes it, or never does."""

    def __init__(self, takes=True):
        super().__init__()
        self.takes = takes
        self.commits = 0
        self.set_header(1, 0)

    def commit(self):
        self.commits += 1
        self.failed = not self.takes
        return self.takes


def make(takes=True):
    ledger = RamLedger(takes)
    return ledger, o.Outbox(ledger, 0xABCD, 5000)


def again(ledger, epoch=0xABCD, started_ms=5000):
    later = RamLedger()
    later.adopt(bytes(ledger.image))
    return later, o.Outbox(later, epoch, started_ms)


def fill(outbox, count=16, kind=codes.SOS):
    return [outbox.add(kind, codes.HOLD, 100 * i, False) for i in range(count)]


def test_each_event_has_its_number_and_its_age_over_a_restart():
    ledger, outbox = make()
    first = outbox.add(codes.SOS, codes.PRESS, 300, True)
    outbox.add(0x38, 0, 400, False)
    assert (first.number, ledger.next_number) == (1, 3)
    later, box = again(ledger, started_ms=65000)
    assert later.next_number == 3
    (sos,) = [alarm for alarm in box.alarms if alarm.used and alarm.kind == codes.SOS]
    assert (sos.pending, sos.detail, sos.raised_ms) == (True, codes.PRESS, 300 - 60000)
    assert sos.age(0) == (60000 - 300) // 100


def test_after_a_change_of_battery_an_age_is_unknown():
    ledger, outbox = make()
    outbox.add(codes.SOS, codes.HOLD, 300, False)
    _, box = again(ledger, epoch=0x1234, started_ms=0)
    assert box.newest_emergency().age(1000) == codes.AGE_UNKNOWN


def test_a_full_outbox_gives_up_what_the_platform_has_before_what_a_gateway_has():
    _, outbox = make()
    fill(outbox)
    outbox.told(4, codes.STORED)
    outbox.told(7, codes.ACCEPTED)

    def numbers():
        return sorted(alarm.number for alarm in outbox.alarms if alarm.used)

    outbox.add(codes.SOS, codes.HOLD, 0, False)
    assert 7 not in numbers() and 4 in numbers()
    outbox.add(codes.SOS, codes.HOLD, 0, False)
    assert 4 not in numbers()


def test_an_emergency_takes_the_place_of_a_fault_but_never_of_an_alarm_nobody_has():
    _, outbox = make()
    fill(outbox, 15)
    fault = outbox.add(0x38, 0, 0, False)
    assert fault.number == 16
    assert outbox.add(codes.SOS, codes.HOLD, 0, False).number == 17
    assert sorted(alarm.number for alarm in outbox.alarms) == list(range(1, 16)) + [17]  # noqa: RUF005  MicroPython cannot unpack there
    merged = outbox.add(codes.SOS, codes.HOLD, 9000, True)
    assert (merged.number, merged.tries, merged.due_ms, merged.pending) == (17, 0, 9000, False)
    assert outbox.add(0x38, 0, 0, False) is None


def test_a_stage_never_falls_and_busy_is_shown_but_says_of_nobody_that_he_has_it():
    _, outbox = make()
    outbox.add(codes.SOS, codes.HOLD, 0, False)

    def told(stage):
        alarm = outbox.told(1, stage)
        return None if alarm is None else alarm.stage

    assert told(codes.BUSY) == codes.BUSY and outbox.find(1).unsent
    assert told(codes.STORED) == codes.STORED and not outbox.find(1).unsent
    assert told(codes.STORED) is None
    assert told(codes.BUSY) == codes.BUSY and not outbox.find(1).unsent
    assert told(codes.NO_PATH) == codes.NO_PATH
    assert told(codes.STORED) == codes.STORED
    assert told(codes.ANSWERED) == codes.ANSWERED
    assert told(codes.ACCEPTED) is None and told(codes.NO_PATH) is None and told(77) is None
    assert told(codes.BUSY) is None and told(codes.REFUSED) is None
    assert told(codes.CLOSED) == codes.CLOSED
    assert outbox.find(1) is None and outbox.told(1, codes.STORED) is None


def test_after_a_power_cut_what_was_busy_is_sent_again():
    ledger, outbox = make()
    outbox.add(codes.SOS, codes.HOLD, 0, False)
    outbox.told(1, codes.STORED)
    outbox.told(1, codes.BUSY)
    ledger.commit()
    assert again(ledger)[1].find(1).unsent


def test_refused_ends_it_too():
    ledger, outbox = make()
    outbox.add(codes.SOS, codes.HOLD, 0, False)
    assert outbox.told(1, codes.REFUSED) is not None
    assert outbox.open_count() == 0 and not any(alarm.used for alarm in again(ledger)[1].alarms)


def test_a_gateway_that_does_not_have_it_gets_it_again_and_the_stage_stays():
    _, outbox = make()
    outbox.add(codes.SOS, codes.HOLD, 0, False)
    outbox.told(1, codes.ACCEPTED)
    outbox.asked_for(1, 700)
    alarm = outbox.find(1)
    assert (alarm.unsent, alarm.due_ms, alarm.stage) == (True, 700, codes.ACCEPTED)
    outbox.told(1, codes.STORED)
    assert (alarm.unsent, alarm.stage) == (False, codes.ACCEPTED)


def test_an_answer_about_an_sos_still_in_its_window_is_nobodys():
    _, outbox = make()
    outbox.add(codes.SOS, codes.PRESS, 0, True)
    assert outbox.told(1, codes.CLOSED) is None and outbox.find(1).pending


def test_counters_are_reserved_ahead_and_refilled_before_they_run_out():
    ledger, _ = make()
    counter = Counter(ledger)
    counter.start()
    commits = ledger.commits
    for _ in range(RESERVE):
        counter.take()
    assert ledger.commits == commits
    counter.take()
    assert ledger.commits == commits + 1 and ledger.reserved == 2 * RESERVE
    while not counter.refill():
        counter.take()
    assert ledger.reserved - counter.next == RESERVE


def test_a_start_goes_on_at_the_reservation_or_at_what_was_kept_exactly():
    ledger, _ = make()
    counter = Counter(ledger)
    counter.start()
    counter.take()
    for exact, expected in ((-1, RESERVE), (1, 1), (RESERVE + 1, RESERVE)):
        later, _ = again(ledger)
        counter = Counter(later)
        counter.start(exact)
        assert counter.take() == expected


def test_flash_that_takes_nothing_makes_the_counter_jump_at_the_start_and_stops_nothing():
    ledger, outbox = make(takes=False)
    counter = Counter(ledger)
    counter.start()
    first = counter.take()
    assert JUMP <= first < JUMP + JUMP_MORE
    taken = [counter.take() for _ in range(200)]
    assert taken == list(range(first + 1, first + 201))
    alarm = outbox.add(codes.SOS, codes.HOLD, 0, False)
    assert 1 + NUMBER_JUMP <= alarm.number <= NUMBER_JUMP + NUMBER_JUMP_MORE and ledger.failed


# ---- a count that was lost and is begun anew ----


def begun_anew(first):
    ledger, _ = make()
    ledger.begin_anew(70000, first)
    counter = Counter(ledger)
    counter.start()
    return ledger, counter


def test_a_count_begun_anew_is_tried_in_four_ranges_until_one_is_answered():
    ledger, counter = begun_anew(90000)
    taken = [counter.take() for _ in range(6)]
    assert taken == [90000 + offset + n * RANGE for offset, n in ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1))]
    counter.answered(taken[2])
    assert not ledger.anew
    after = [counter.take() for _ in range(3)]
    assert after == [90002 + 2 * RANGE + n for n in range(3)]
    assert ledger.reserved > after[-1]
    counter.answered(taken[3])  # a late answer changes nothing any more
    assert counter.take() == after[-1] + 1


def test_where_nobody_answers_a_count_that_was_lost_once_is_tried_in_the_ranges_above():
    _, counter = begun_anew(90000)
    taken = [counter.take() for _ in range(5)]
    counter.answered(taken[4])
    used = set(taken)
    assert counter.take() == 90002  # and nobody answers: somebody has played back the frame of the third range
    counter.widen()
    tried = [counter.take() for _ in range(5)]
    assert tried == [90003, 90003 + RANGE, 90003 + 2 * RANGE, 90003 + 3 * RANGE, 90004]
    assert not used & set(tried)
    counter.answered(90002)  # of before
    assert counter.take() == 90005
    counter.widen()
    counter.take()
    counter.answered(counter.take())
    assert counter.take() == 90007 + RANGE
    sound, _ = make()
    counter = Counter(sound)
    counter.start()
    counter.widen()
    assert [counter.take() for _ in range(3)] == [0, 1, 2]


def test_runs_of_one_frame_try_all_ranges():
    ledger, counter = begun_anew(65536)
    tried = set()
    for _ in range(4):
        tried.add((counter.take() - 65536) // RANGE)
        exact = counter.exact
        ledger, _ = again(ledger)
        counter = Counter(ledger)
        counter.start(exact)
    assert tried == {0, 1, 2, 3}


def test_a_count_begun_anew_never_repeats_over_power_cuts_and_sleeps_before_it_is_answered():
    ledger, counter = begun_anew(65536)
    used = set()
    for life in range(60):
        for _ in range(1 + life * 7 % 23):
            taken = counter.take()
            assert taken not in used, (life, taken)
            used.add(taken)
        exact = counter.exact if life % 3 == 0 else -1
        ledger, _ = again(ledger)
        assert ledger.anew
        counter = Counter(ledger)
        counter.start(exact)
    counter.answered(max(used))
    assert all(counter.take() not in used for _ in range(1000))


def short_press(outbox, now_ms=0):
    """A press that has proved to be a test, as testing.py makes one."""
    alarm = outbox.add(codes.SOS, codes.PRESS, now_ms, False)
    alarm.kind, alarm.detail = codes.TEST_BY_HAND, 0
    outbox.keep(alarm)
    return alarm


def test_a_test_displaces_nothing_but_tests_and_is_the_first_to_go():
    _, outbox = make()
    fill(outbox, 14)
    outbox.told(1, codes.ACCEPTED)
    short_press(outbox)
    short_press(outbox)
    assert outbox.add(codes.TEST_BY_HAND, 1, 0, False).number == 17
    assert outbox.find(15) is None, "the older test has gone"
    outbox.told(17, codes.STORED)
    assert outbox.add(codes.SOS, codes.HOLD, 0, False).number == 18
    assert outbox.find(17) is None and outbox.find(16) is not None, "of two the one that somebody has"
    outbox.add(codes.SOS, codes.HOLD, 0, False)
    assert outbox.find(16) is None and outbox.find(1) is not None, "a test goes before what the platform has"
    assert outbox.add(codes.TEST_BY_HAND, 1, 0, False) is None and outbox.find(1) is not None


def test_a_test_does_not_outlive_its_run_but_its_number_does():
    ledger, outbox = make()
    sos = outbox.add(codes.SOS, codes.HOLD, 0, False)
    short_press(outbox)
    ledger.commit()
    for _ in range(2):
        ledger, outbox = again(ledger)
        assert [alarm.number for alarm in outbox.alarms if alarm.used] == [sos.number]
        assert ledger.next_number == 3


def test_the_newest_that_is_shown_is_an_emergency_before_any_test():
    _, outbox = make()
    assert outbox.newest_told() is None
    first = short_press(outbox)
    second = short_press(outbox)
    outbox.add(codes.TEST_BY_HAND, 1, 0, False)
    assert outbox.newest_told() is second, "what takes a test back is not shown"
    sos = outbox.add(codes.SOS, codes.HOLD, 0, False)
    short_press(outbox)
    assert outbox.newest_told() is sos and first.used
