"""When what goes on the air. Runs under both Pythons."""

from firmware.sos import schedule as s
from firmware.sos.outbox import Alarm
from protocol import codes

MINUTE = 60000


class Air:
    """Alarms and what a tick every 100 ms would send of them; `sent`: (ms, number)."""

    def __init__(self, *alarms):
        self.alarms = [Alarm(slot) for slot in range(16)]
        self.schedule = s.Schedule(self.alarms)
        self.now_ms = 0
        self.busy_until_ms = 0
        self.sent = []
        self.asked = []
        for kind in alarms:
            self.raise_alarm(kind)

    def raise_alarm(self, kind=codes.SOS):
        alarm = next(alarm for alarm in self.alarms if not alarm.used)
        alarm.clear()
        alarm.used = alarm.unsent = True
        alarm.kind = kind
        alarm.number = 1 + max(other.number for other in self.alarms)
        alarm.raised_ms = alarm.due_ms = self.now_ms
        return alarm

    def run(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            bursting = self.now_ms < self.busy_until_ms
            alarm = self.schedule.due(self.now_ms, bursting)
            if alarm is not None:
                self.sent.append((self.now_ms, alarm.number))
                self.schedule.sent(alarm, self.now_ms)
                self.busy_until_ms = self.now_ms + s.BURST_MS
            elif not bursting:
                alarm = self.schedule.to_ask(self.now_ms)
                if alarm is not None:
                    self.asked.append((self.now_ms, alarm.number))
                    self.schedule.asked(alarm, self.now_ms)
                    self.busy_until_ms = self.now_ms + s.BURST_MS
            self.now_ms += 100


def gaps(times):
    return [later - earlier for earlier, later in zip(times, times[1:])]  # noqa: B905, RUF007  MicroPython has neither


def test_one_alarm_goes_out_at_once_and_its_gaps_double_to_thirty_seconds_for_ever():
    air = Air(codes.SOS)
    air.run(20 * MINUTE)
    times = [ms for ms, _ in air.sent]
    assert times[0] == 0
    assert [gap - s.BURST_MS for gap in gaps(times)][:6] == [1000, 2000, 4000, 8000, 16000, 30000]
    assert set(gaps(times)[5:]) == {s.BURST_MS + 30000}
    assert max(gaps(times)) <= MINUTE, "DIN VDE V 0825-1"


def test_several_alarms_take_turns_and_none_starves():
    air = Air(*[codes.SOS] * 16)
    air.run(10 * MINUTE)
    for number in range(1, 17):
        times = [ms for ms, sent in air.sent if sent == number]
        assert len(times) > 10 and max(gaps(times)) <= MINUTE, number


def test_a_fresh_alarm_interrupts_whatever_is_on_the_air():
    air = Air(codes.SOS)
    air.run(300)
    second = air.raise_alarm()
    air.run(200)
    assert air.sent[-1] == (300, second.number)


def test_an_emergency_goes_before_a_fault_that_is_due_as_well():
    air = Air(0x38, codes.SOS)
    air.run(2000)
    assert [number for _, number in air.sent][:2] == [2, 1]


def test_a_pending_alarm_is_not_sent():
    air = Air(codes.SOS)
    air.alarms[0].pending = True
    air.run(MINUTE)
    assert air.sent == []
    assert air.schedule.next_ms(air.now_ms) == air.now_ms, "and keeps the wearable awake"


def test_a_stored_alarm_is_asked_about_from_two_to_thirty_seconds_for_a_day():
    air = Air(codes.SOS)
    air.alarms[0].unsent = False
    air.alarms[0].stage = codes.STORED
    air.schedule.news(0)
    air.run(5 * MINUTE)
    times = [ms for ms, _ in air.asked]
    assert times[0] == 2000
    assert gaps(times)[:4] == [4000, 8000, 16000, 30000]
    assert set(gaps(times)[3:]) == {30000}
    air.now_ms = s.ASK_FOR_MS
    air.asked.clear()
    assert air.schedule.given_up(air.alarms[0], air.now_ms)
    air.run(5 * MINUTE)
    assert air.asked == []


def test_stored_alarms_are_asked_about_in_turn():
    air = Air(codes.SOS, codes.SOS, codes.SOS)
    for alarm in air.alarms[:3]:
        alarm.unsent = False
    air.schedule.news(0)
    air.run(5 * MINUTE)
    assert [number for _, number in air.asked][:6] in ([2, 3, 1, 2, 3, 1], [1, 2, 3, 1, 2, 3])


def test_what_nobody_hears_is_known_after_thirty_seconds():
    air = Air(codes.SOS)
    air.run(29900)
    assert not air.schedule.unheard(air.alarms[0], air.now_ms)
    air.run(200)
    assert air.schedule.unheard(air.alarms[0], air.now_ms)
    air.alarms[0].unsent = False
    assert not air.schedule.unheard(air.alarms[0], air.now_ms)


def test_next_is_the_earliest_of_all():
    air = Air(codes.SOS)
    air.run(100)
    assert air.schedule.next_ms(100) == 2000
    air.schedule.want_hello(700)
    assert air.schedule.next_ms(100) == 700
    assert Air().schedule.next_ms(0) == s.NEVER
