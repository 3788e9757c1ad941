"""Sixteen slots and what happens when they are full. Runs under both Pythons."""

from protocol import codes
from tests.firmware.a_ledger import again, make


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
