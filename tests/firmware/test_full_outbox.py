"""What goes when sixteen events are there, and that a service is never lost in silence. Runs under both Pythons."""

from firmware.sos import schedule
from protocol import codes
from tests.firmware.a_wearer import Wearer

FAULT, FENCE, SERVICE = 0x38, codes.FENCE_LEFT, codes.SERVICE_CARE


def box_of(*kinds):
    wearer = Wearer()
    for kind in kinds:
        wearer.outbox.add(kind, 0, 1000, False)
    return wearer.outbox


def kinds(box):
    return sorted(alarm.kind for alarm in box.alarms if alarm.used)


def test_nothing_but_an_emergency_takes_the_place_of_what_the_wearer_asked_for():
    for kind in (FAULT, FENCE, SERVICE, codes.TEST_BY_HAND, codes.CHECKIN_ANSWERED, codes.WEARABLE_REMOVED):
        box = box_of(*[SERVICE] * 16)
        assert box.add(kind, 0, 2000, False) is None, kind
        assert kinds(box) == [SERVICE] * 16 and not box.gave_up_kind


def test_a_service_and_a_fence_take_the_place_of_a_fault_but_a_fault_of_none():
    for kind in (SERVICE, FENCE, codes.CHECKIN_ANSWERED, codes.VISIT_ARRIVED):
        box = box_of(*[SERVICE] * 15, FAULT)
        assert box.add(kind, 0, 2000, False).kind == kind
        assert FAULT not in kinds(box)
    assert box_of(*[FAULT] * 16).add(FAULT, 0, 2000, False) is None


def test_an_emergency_gives_up_a_fault_before_a_service_and_says_what_it_gave_up():
    box = box_of(*[SERVICE] * 8, FAULT, *[SERVICE] * 7)
    box.add(codes.SOS, codes.HOLD, 2000, False)
    assert kinds(box) == [codes.SOS] + [SERVICE] * 15
    assert (box.gave_up_kind, box.gave_up_number) == (FAULT, 9)
    box.add(codes.SOS, codes.HOLD, 2000, False)
    assert (box.gave_up_kind, box.gave_up_number) == (SERVICE, 1)


def test_what_others_have_goes_first_and_an_emergency_they_have_after_what_is_none():
    box = box_of(codes.SOS, *[SERVICE] * 15)
    box.told(1, codes.ACCEPTED)
    box.told(7, codes.STORED)
    box.add(SERVICE, 0, 2000, False)
    assert box.find(7) is None and box.find(1) is not None and not box.gave_up_kind
    box.add(FAULT, 0, 2000, False)
    assert box.find(1) is None


def test_the_light_is_an_emergencys_before_the_newest_service_and_what_takes_back_has_none():
    box = box_of(SERVICE)
    assert box.newest_told().number == 1
    box.add(codes.SOS, codes.HOLD, 2000, False)
    box.add(codes.SERVICE_CALL_ME, 0, 2000, False)
    box.add(FENCE, 0, 2000, False)
    assert box.newest_told().number == 2
    box.told(2, codes.CLOSED)
    assert box.newest_told().number == 3
    for kind in (codes.SOS_CANCELLED, codes.FALL_RECOVERED):
        assert box.add(kind, 1, 2000, False) is not None
    assert box.newest_told().number == 3
    assert box_of(codes.SOS_CANCELLED, FENCE, FAULT).newest_told() is None


def test_what_nobody_answers_is_asked_about_only_until_the_platform_has_it():
    ends = (codes.CHECKIN_ANSWERED, FENCE, FAULT, codes.WEARABLE_REMOVED, codes.VISIT_DONE)
    answered = (SERVICE, codes.SOS, codes.SOS_CANCELLED, codes.NO_MOTION_AFTER_FALL)
    for kind in sorted(ends) + sorted(answered):
        box = box_of(kind)
        plan = schedule.Schedule(box.alarms)
        (alarm,) = [alarm for alarm in box.alarms if alarm.used]
        assert not plan.given_up(alarm, 2000), "nobody has it"
        box.told(1, codes.STORED)
        assert plan.waits_for_end(alarm, 2000) and not plan.given_up(alarm, 2000)
        box.told(1, codes.ACCEPTED)
        assert plan.given_up(alarm, 2000) == (kind in ends), kind
        assert plan.waits_for_end(alarm, 2000) != (kind in ends), kind


def test_an_outbox_waits_while_an_alarm_or_a_service_is_not_taken():
    for kind, waits in ((codes.SOS, True), (SERVICE, True), (FAULT, False), (FENCE, False)):
        box = box_of(kind)
        assert box.waits() is waits, kind
        box.told(1, codes.STORED)
        assert not box.waits()
