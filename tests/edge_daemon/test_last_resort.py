"""Emergencies by SMS: those alone, in a good order, once and once more, and never taken for an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from edge_daemon.ages import Ages
from edge_daemon.config import Forwarder as Ladder
from edge_daemon.counters import Counters
from edge_daemon.errors import MessageLimit, UplinkDown
from edge_daemon.heard import Alarm
from edge_daemon.uplinks import last_resort
from edge_daemon.uplinks.last_resort import LastResort, text
from edge_daemon.uplinks.sms.reports import Delivery, State
from protocol import codes, kinds, sms_text
from tests.protocol.test_contract import NoBoots, an_alarm

from .core import WITHIN_S, core, told
from .hand import HandClock
from .wearer import Wearer


class Modem:
    """Takes texts, or fails with what stands in `fails`, once each."""

    def __init__(self) -> None:
        self.ready = True
        self.last_ok_ms: int | None = None
        self.on_report: Callable[[Delivery], None] = lambda delivery: None
        self.texts: list[sms_text.SmsEvent] = []
        self.fails: list[UplinkDown] = []
        self.made: list[Delivery] = []
        self.first = State.TAKEN
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, text: str) -> list[Delivery]:
        await self.gate.wait()
        if self.fails:
            raise self.fails.pop(0)
        self.texts.append(sms_text.parse(text))
        self.made = [Delivery(0, self.first), Delivery(1, State.REFUSED)]
        return self.made

    def events(self) -> list[str]:
        return [said.event for said in self.texts]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while len(self.texts) < count:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def resort(modem: Modem, repeat_s: float = 600.0) -> AsyncIterator[LastResort]:
    counters = Counters()
    made = LastResort("gw-1", modem, Ages(NoBoots(), HandClock()), repeat_s, counters)
    made.counts = counters.snapshot  # type: ignore[attr-defined]
    running = asyncio.create_task(made.run())
    try:
        yield made
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _alarm(number: int, wearable: str = "a" * 16, kind: int = codes.SOS) -> Alarm:
    return an_alarm(number=number, wearable=wearable, kind=kind, place=number, stage=codes.STORED, heard_ms=5_000_000)


async def test_emergencies_only_go_by_sms_and_each_once() -> None:
    modem = Modem()
    async with resort(modem) as made:
        alarms = [_alarm(kind.code, kind=kind.code) for kind in kinds.BY_CODE.values()]
        for _ in range(3):
            for alarm in alarms:
                made.want(alarm)
        wanted = [alarm for alarm in alarms if alarm.meaning.event_class == "emergency"]
        await modem.until(len(wanted))
        await asyncio.sleep(0.1)
        assert sorted(modem.events()) == sorted(alarm.event for alarm in wanted)
        assert not any(said.test for said in modem.texts)
        assert all(alarm.stage == codes.STORED for alarm in alarms), "an SMS is no answer of the platform's"


async def test_what_is_accepted_meanwhile_does_not_go() -> None:
    modem = Modem()
    modem.gate.clear()
    async with resort(modem) as made:
        first, second = _alarm(1), _alarm(2)
        made.want(first)
        await asyncio.sleep(0)
        made.want(second)
        second.stage = codes.ACCEPTED
        modem.gate.set()
        await modem.until(1)
        await asyncio.sleep(0.05)
        assert modem.events() == [first.event]


async def test_the_never_sent_go_first_and_one_wearable_does_not_crowd_out_the_others() -> None:
    modem = Modem()
    modem.gate.clear()
    async with resort(modem) as made:
        crowd = [_alarm(number) for number in range(1, 6)]
        for alarm in crowd:
            made.want(alarm)
        other = _alarm(3, "b" * 16)
        made.want(other)
        modem.gate.set()
        await modem.until(6)
        # The newest, then the other wearer's, though older, then the rest, newest first.
        assert modem.events() == [crowd[4].event, other.event, *[crowd[n].event for n in (3, 2, 1, 0)]]


async def test_it_goes_again_after_a_while_as_long_as_nobody_accepts_it() -> None:
    modem = Modem()
    async with resort(modem, repeat_s=600.0) as made:
        alarm = _alarm(1)
        made.want(alarm)
        await modem.until(1)
        clock = made._clock
        assert isinstance(clock, HandClock)
        clock.pass_s(599)
        made._wake.set()
        await asyncio.sleep(0.05)
        assert len(modem.texts) == 1
        clock.pass_s(2)
        made._wake.set()
        await modem.until(2)
        assert modem.texts[1].age_s == (modem.texts[0].age_s or 0) + 601
        alarm.stage = codes.ACCEPTED
        clock.pass_s(601)
        made._wake.set()
        await asyncio.sleep(0.05)
        assert len(modem.texts) == 2


async def test_no_modem_and_the_hours_limit_are_waited_out_each_in_its_way() -> None:
    modem = Modem()
    modem.fails = [UplinkDown("no modem"), MessageLimit("enough")]
    async with resort(modem) as made:
        clock = made._clock
        assert isinstance(clock, HandClock)
        first, second = _alarm(1), _alarm(2)
        made.want(first)
        made.want(second)
        async with asyncio.timeout(WITHIN_S):
            while len(modem.fails) > 1:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert len(modem.fails) == 1, "no modem for one is none for the other"
        clock.pass_s(last_resort._NO_MODEM_S + 0.1)
        made._wake.set()
        # The limit is a matter of that event; the other may go.
        await modem.until(1)
        assert modem.events() == [first.event]
        clock.pass_s(61)
        made._wake.set()
        await modem.until(2)
        assert modem.events()[1] == second.event


async def test_a_report_is_counted_for_its_event_and_changes_no_stage() -> None:
    modem = Modem()
    async with resort(modem) as made:
        alarm = _alarm(1)
        made.want(alarm)
        await modem.until(1)
        await asyncio.sleep(0.02)
        modem.made[0].state = State.DELIVERED
        modem.on_report(modem.made[0])
        modem.on_report(Delivery(0, State.DELIVERED))
        counts = made.counts()  # type: ignore[attr-defined]
        assert (counts["sms_events"], counts["sms_events_delivered"]) == (1, 1)
        modem.first = State.DELIVERED
        made.want(_alarm(2))
        await modem.until(2)
        await asyncio.sleep(0.02)
        counts = made.counts()  # type: ignore[attr-defined]
        assert counts["sms_events_delivered"] == 2, "it was reported before the others were told"
        assert alarm.stage == codes.STORED


def test_the_text_says_what_the_message_says() -> None:
    ages = Ages(NoBoots(), HandClock())
    said = sms_text.parse(text("gw-1", _alarm(7, kind=codes.SOS_CANCELLED), ages))
    assert (said.gateway, said.kind, said.contact_id) == ("gw-1", "sos_cancelled", "406")
    unknown = sms_text.parse(text("gw-1", an_alarm(age_ms=-1), ages))
    assert (unknown.age_s, unknown.age_quality) == (None, "unknown")
    longest = text("g" * 64, an_alarm(kind=0x0A, number=0xFFFFFF), ages)
    assert len(longest) <= 160
    for kind in kinds.BY_CODE.values():
        assert sms_text.parse(text("g" * 64, _alarm(1, kind=kind.code), ages)).kind == kind.name


async def test_the_forwarder_asks_for_it_at_each_miss_where_no_way_carries(tmp_path: Path) -> None:
    wearer = Wearer()
    ladder = Ladder(answer_within_s=0.1, fast_s=0.1, fast_times=1000)
    async with core(tmp_path, wearer, settings=ladder) as home:
        stranded: list[str] = []
        home.forwarder.on_stranded = lambda alarm: stranded.append(alarm.event)
        home.uplink.connected = False
        home.hear(wearer, wearer.event())
        assert (await told(wearer, 2))[1] == (codes.NO_PATH, 1)
        assert stranded
        home.uplink.connected = True
        home.forwarder.connected()
        await home.uplink.until(1)
        home.platform_says(f"{wearer.handle}-000001", "accepted")
        stranded.clear()
        await asyncio.sleep(0.3)
        assert stranded == []


async def test_a_broker_that_comes_and_goes_hides_nothing_for_longer_than_a_minute(tmp_path: Path) -> None:
    """Each connection breaks before the answer is due, so that no try is ever missed: the minute counts, shortened."""
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=Ladder(answer_within_s=0.5)) as home:
        home.forwarder._no_answer_s = 1.5
        stranded: list[str] = []
        changes: list[int] = []
        home.forwarder.on_stranded = lambda alarm: stranded.append(alarm.event)
        home.forwarder.on_overdue = lambda: changes.append(len(home.forwarder.overdue))
        home.hear(wearer, wearer.event())
        home.hear(wearer, wearer.event(kind=0x10))
        async with asyncio.timeout(WITHIN_S):
            while len(stranded) < 2:
                home.forwarder.disconnected(home.way)
                home.forwarder.connected()
                await asyncio.sleep(0.1)
        assert home.count("answers_missed") == 0
        shown = await told(wearer, 4)
        assert sorted(shown) == sorted(
            [(stage, number) for stage in (codes.STORED, codes.NO_PATH) for number in (1, 2)]
        )
        assert changes == [1], "of the two the SOS alone is an emergency"
        assert sorted(stranded) == [f"{wearer.handle}-{number:06x}" for number in (1, 2)]
        home.platform_says(f"{wearer.handle}-000001", "accepted")
        assert changes == [1, 0]


async def test_an_emergency_that_is_put_off_as_busy_for_a_minute_is_overdue_too(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.forwarder._no_answer_s = 0.3
        home.hear(wearer, wearer.event())
        await home.uplink.until(1)
        home.platform_says(f"{wearer.handle}-000001", "busy", retry_after_s=600)
        async with asyncio.timeout(WITHIN_S):
            while not home.forwarder.overdue:
                await asyncio.sleep(0.01)
        assert codes.NO_PATH not in [stage for stage, _ in await told(wearer, 2)], "the platform is there"
