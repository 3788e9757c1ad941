"""No counter twice, whatever flash keeps; and where the count was lost, one that is found. Runs under both Pythons."""

from firmware.sos.counter import JUMP, JUMP_MORE, NUMBER_JUMP, NUMBER_JUMP_MORE, RANGE, RESERVE, Counter
from protocol import codes
from tests.firmware.a_ledger import again, make


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


def test_runs_of_one_frame_try_all_ranges_also_where_the_count_was_answered_once():
    """A sleeper sends one burst each time it wakes: the lowest range was all that it ever tried."""
    ledger, counter = begun_anew(65536)
    counter.answered(counter.take())
    tried = set()
    used = set()
    for _ in range(5):
        exact = counter.exact
        ledger, _ = again(ledger)
        counter = Counter(ledger)
        counter.start(exact)
        counter.widen()
        taken = counter.take()
        assert taken not in used
        used.add(taken)
        tried.add((taken - 65536) // RANGE)
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
