"""At least once, urgent first, for ever; and never more told than is true."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge_daemon.config import Forwarder as Settings
from protocol import codes

from .core import WITHIN_S, Core, core, told
from .hand import HandClock
from .wearer import Wearer

QUICK = Settings(answer_within_s=0.1, fast_s=0.1, fast_times=3, slow_s=0.2, slow_times=2, last_s=0.3)
SERVICE = 0x10


async def _pressed(home: Core, wearer: Wearer, *kinds: int) -> list[str]:
    """Press once per kind, wait until each is STORED and was tried once, return the event ids."""
    first = wearer.number
    for kind in kinds:
        home.hear(wearer, wearer.event(kind))
    await told(wearer, len(kinds))
    async with asyncio.timeout(WITHIN_S):
        while home.uplink.confirming.is_set() and (
            home.forwarder._sending or not all(alarm.tries for alarm in home.journal.alarms.values())
        ):
            await asyncio.sleep(0)
    return [f"{wearer.handle}-{number:06x}" for number in range(first + 1, wearer.number + 1)]


async def test_what_the_broker_confirmed_and_the_platform_did_not_answer_is_sent_again(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home:
        (event,) = await _pressed(home, wearer, codes.SOS)
        await home.uplink.until(4)
        assert home.uplink.events()[:4] == [[event]] * 4
        assert home.forwarder.waiting == 1
        home.platform_says(event, "accepted")
        assert home.forwarder.waiting == 0
        sent = len(home.uplink.messages())
        await asyncio.sleep(0.5)  # longer than any wait of the ladder
        assert len(home.uplink.messages()) == sent


async def test_no_path_is_told_after_the_first_miss_without_a_broker_and_again_when_asked(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home:
        home.uplink.connected = False
        (event,) = await _pressed(home, wearer, codes.SOS)
        assert (await told(wearer, 2))[1] == (codes.NO_PATH, 1)
        assert home.count("answers_missed") == 1
        home.hear(wearer, wearer.hello(1))
        assert (await told(wearer, 3))[2] == (codes.NO_PATH, 1)
        home.uplink.connected = True
        home.forwarder.connected()
        await home.uplink.until(1)
        home.platform_says(event, "accepted")
        assert (await told(wearer, 4))[3] == (codes.ACCEPTED, 1)


async def test_no_path_is_told_after_three_misses_where_the_broker_is_there_and_nobody_answers(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home:
        await _pressed(home, wearer, codes.SOS)
        assert (await told(wearer, 2))[1] == (codes.NO_PATH, 1)
        assert home.count("answers_missed") == 3


async def test_retries_to_a_silent_platform_come_to_travel_together(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=Settings(answer_within_s=0.5, fast_s=0.5)) as home:
        for _ in range(20):
            home.hear(wearer, wearer.event())
            await asyncio.sleep(0.01)  # twenty people do not press at once
        async with asyncio.timeout(WITHIN_S):
            while min((alarm.tries for alarm in home.journal.alarms.values()), default=0) < 3:
                await asyncio.sleep(0.01)
        assert [len(events) for events in home.uplink.events()[:20]] == [1] * 20, "fresh ones travel alone"
        assert len(home.uplink.messages()) - 20 < 20, "two rounds, in fewer messages than there are alarms"


async def test_what_was_not_accepted_before_a_restart_is_sent_after_it(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home:
        home.uplink.connected = False
        events = await _pressed(home, wearer, SERVICE, codes.SOS, SERVICE)
        home.uplink.connected = True
        home.forwarder.connected()
        await home.uplink.until(1)
        home.platform_says(events[0], "accepted")
    async with core(tmp_path, wearer, settings=QUICK) as home:
        assert home.forwarder.waiting == 2
        await home.uplink.until(1)
        assert home.uplink.events()[0] == [events[1], events[2]]


async def test_on_reconnect_the_urgent_go_first_and_the_older_before_the_younger(tmp_path: Path) -> None:
    wearer = Wearer()
    settings = Settings(batch=2)
    async with core(tmp_path, wearer, settings=settings) as home:
        home.uplink.connected = False
        kinds = (SERVICE, 0x38, codes.SOS, SERVICE, 0x21, codes.SOS_CANCELLED, codes.SOS)
        events = await _pressed(home, wearer, *kinds)
        home.uplink.connected = True
        home.forwarder.connected()
        for count in (1, 2, 3, 4):
            await home.uplink.until(count)
            for event in home.uplink.events()[count - 1]:
                home.platform_says(event, "accepted")
        assert [e for message in home.uplink.events() for e in message] == [events[n] for n in (2, 5, 6, 4, 1, 0, 3)]


async def test_a_fresh_emergency_travels_alone_and_first_though_a_backlog_is_stuck(tmp_path: Path) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    settings = Settings(batch=2)
    async with core(tmp_path, wearer, other, settings=settings) as home:
        home.uplink.connected = False
        await _pressed(home, wearer, *[SERVICE] * 40)
        home.uplink.connected = True
        home.uplink.confirming.clear()
        home.forwarder.connected()
        for message in range(4):
            await home.uplink.until(message + 1)
            for event in home.uplink.events()[message]:
                home.platform_says(event, "accepted")
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(home.uplink.messages()) == 4, "the broker confirms nothing: no more backlog is pushed into it"
        (fresh,) = await _pressed(home, other, codes.SOS)
        await home.uplink.until(5)
        assert home.uplink.events()[4] == [fresh]
        home.uplink.confirming.set()
        await home.uplink.until(7)


async def test_busy_is_told_is_no_miss_and_is_tried_again_on_the_platforms_terms(tmp_path: Path) -> None:
    wearer = Wearer()
    settings = Settings(answer_within_s=0.2, fast_s=0.2, no_path_after_misses=1)
    async with core(tmp_path, wearer, settings=settings) as home:
        (event,) = await _pressed(home, wearer, codes.SOS)
        await home.uplink.until(1)
        home.platform_says(event, "busy", retry_after_s=1)
        assert (await told(wearer, 2))[1] == (codes.BUSY, 1)
        home.platform_says(event, "busy", retry_after_s=0)
        home.hear(wearer, wearer.hello(1))
        assert (await told(wearer, 3))[2] == (codes.BUSY, 1)
        await home.uplink.until(2)
        assert home.count("answers_missed") == 0
        home.platform_says(event, "accepted")
        assert (await told(wearer, 4))[3] == (codes.ACCEPTED, 1)


async def test_stages_only_go_forward_and_final_ones_stay(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        first, second = await _pressed(home, wearer, codes.SOS, codes.SOS)
        for word, stage in (("answered", codes.ANSWERED), ("accepted", codes.ANSWERED), ("refused", codes.ANSWERED)):
            assert home.platform_says(first, word) == [True]
            assert home.journal.alarms[wearer.handle, 1].stage == stage
        home.platform_says(first, "closed")
        home.platform_says(first, "accepted")
        assert home.journal.alarms[wearer.handle, 1].stage == codes.CLOSED
        home.platform_says(second, "refused", reason="revoked")
        home.platform_says(second, "accepted")
        alarm = home.journal.alarms[wearer.handle, 2]
        assert (alarm.stage, alarm.reason) == (codes.REFUSED, codes.REASON_REVOKED)
        assert home.platform_says(f"{wearer.handle}-0000ff", "accepted") == [False]
        assert home.platform_says(f"{'0' * 16}-000001", "accepted") == [False]
        assert home.forwarder.waiting == 0


async def test_what_is_accepted_and_not_closed_is_asked_for_at_a_reconnect(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        events = await _pressed(home, wearer, codes.SOS, codes.SOS, codes.SOS)
        await home.uplink.until(3)
        home.platform_says(events[0], "accepted")
        home.platform_says(events[1], "closed")
        sent = len(home.uplink.messages())
        home.forwarder.disconnected(home.way)
        home.forwarder.connected()
        await home.uplink.until(sent + 1)
        assert sorted(home.uplink.events()[sent]) == [events[0], events[2]]


async def test_an_answer_that_brings_nothing_new_is_no_miss_and_it_is_asked_again_later(tmp_path: Path) -> None:
    wearer, clock = Wearer(), HandClock()
    async with core(tmp_path, wearer, settings=QUICK, clock=clock) as home:
        (event,) = await _pressed(home, wearer, codes.SOS)
        await home.uplink.until(1)
        home.platform_says(event, "accepted")
        home.forwarder.connected()
        await home.uplink.until(2)
        # Within the same millisecond, as the hand's clock has it.
        home.platform_says(event, "accepted")
        await asyncio.sleep(3 * QUICK.answer_within_s)
        assert home.way.misses["event"] == 0
        assert len(home.uplink.messages()) == 2
        clock.pass_s(300)
        home.forwarder.wake()
        await home.uplink.until(3)
        assert home.uplink.events()[2] == [event]


async def test_a_send_that_is_cut_off_before_it_began_comes_again(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home:
        home.forwarder._send([], home.way)  # a message under way, so that there is something to cut off
        home.uplink.confirming.clear()
        (event,) = await _pressed(home, wearer, codes.SOS)
        home.forwarder.disconnected(home.way)
        home.uplink.confirming.set()
        await home.uplink.until(2)
        assert [event] in home.uplink.events()[1:]


async def test_closed_ones_in_the_queue_hold_nothing_up(tmp_path: Path) -> None:
    wearer = Wearer()
    settings = Settings(batch=2)
    async with core(tmp_path, wearer, settings=settings) as home:
        home.uplink.connected = False
        events = await _pressed(home, wearer, *[codes.SOS] * 6)
        for event in events[:4]:
            home.platform_says(event, "closed")
        home.uplink.connected = True
        home.forwarder.connected()
        await home.uplink.until(1)
        assert home.uplink.events()[0] == events[4:]


async def test_twenty_wearables_within_a_moment_are_twenty_messages_and_few_commits(tmp_path: Path) -> None:
    wearers = [Wearer(f"w{n}") for n in range(20)]
    async with core(tmp_path, *wearers) as home:
        for wearer in wearers:
            home.hear(wearer, wearer.event())
        for wearer in wearers:
            assert await told(wearer) == [(codes.STORED, 1)]
        await home.uplink.until(20)
        assert sorted(home.uplink.events()) == sorted([f"{w.handle}-000001"] for w in wearers)
        assert home.count("commits") < 10
