"""A backlog that drains: the platform has little of it before it, a fresh emergency waits for none, all of it comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from edge_daemon.config import Forwarder as Settings
from protocol import codes

from .core import WITHIN_S, Core, core, told
from .wearer import Wearer

SERVICE = 0x10
# Nothing becomes due by itself while a test looks.
PATIENT = Settings(answer_within_s=600, fast_s=600, batch=2)
QUICK = Settings(answer_within_s=0.1, fast_s=0.1, fast_times=1000, batch=2)
BOUND = 2


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():
            await asyncio.sleep(0)


async def _settled() -> None:
    """Whatever can happen at once has happened."""
    for _ in range(50):
        await asyncio.sleep(0)


async def _piled_up(home: Core, wearer: Wearer, count: int) -> list[str]:
    """So many that the platform has not heard of, each tried in vain; then the broker is there."""
    home.uplink.connected = False
    for _ in range(count):
        home.hear(wearer, wearer.event(SERVICE))
    await told(wearer, count)
    await _until(lambda: all(alarm.tries for alarm in home.journal.alarms.values()) and not home.forwarder._sending)
    home.uplink.connected = True
    home.forwarder.connected()
    return [f"{wearer.handle}-{number:06x}" for number in range(1, count + 1)]


@contextlib.asynccontextmanager
async def _platform(home: Core, answered: Callable[[list[str]], list[str]]) -> AsyncIterator[list[list[str]]]:
    """One that takes message by message, and accepts of each what `answered` says. Yields what it has taken."""
    taken: list[list[str]] = []

    async def work() -> None:
        while True:
            await home.uplink.until(len(taken) + 1)
            taken.append(home.uplink.events()[len(taken)])
            for event in answered(taken[-1]):
                home.platform_says(event, "accepted")

    working = asyncio.create_task(work())
    try:
        yield taken
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_the_platform_has_two_messages_before_it_and_the_next_when_it_has_answered_one(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=PATIENT) as home:
        events = await _piled_up(home, wearer, 10)
        await _settled()
        assert home.uplink.events() == [events[:2], events[2:4]], "the broker confirms all, the platform answers none"
        home.platform_says(events[0], "accepted")
        home.platform_says(events[2], "accepted")
        await _settled()
        assert len(home.uplink.events()) == BOUND
        home.platform_says(events[1], "busy", retry_after_s=500)
        await home.uplink.until(3)
        home.platform_says(events[3], "refused")
        await home.uplink.until(4)
        await _settled()
        assert home.uplink.events()[2:] == [events[4:6], events[6:8]]


async def test_all_of_it_comes_once_and_is_accepted(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=PATIENT) as home:
        async with _platform(home, lambda taken: taken) as taken:
            events = await _piled_up(home, wearer, 101)
            await _until(lambda: home.forwarder.waiting == 0)
        assert [event for message in taken for event in message] == events


async def test_a_platform_that_answers_nothing_is_sent_all_of_it_again_and_again(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home:
        events = await _piled_up(home, wearer, 8)
        await _until(lambda: min(alarm.tries for alarm in home.journal.alarms.values()) > 3)
        assert {event for message in home.uplink.events() for event in message} == set(events)
        assert home.forwarder.waiting == 8


async def test_a_platform_that_answers_half_of_each_message_gets_all_of_it(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=QUICK) as home, _platform(home, lambda taken: taken[:1]):
        await _piled_up(home, wearer, 12)
        await _until(lambda: home.forwarder.waiting == 0)


async def test_a_fresh_emergency_goes_at_once_though_the_platform_answers_nothing(tmp_path: Path) -> None:
    wearer, others = Wearer("a"), [Wearer(f"b{n}") for n in range(6)]
    async with core(tmp_path, wearer, *others, settings=PATIENT) as home:
        events = await _piled_up(home, wearer, 10)
        await home.uplink.until(BOUND)
        for number, other in enumerate(others):
            home.hear(other, other.event(codes.SOS))
            await home.uplink.until(BOUND + number + 1)
        await _settled()
        assert home.uplink.events()[BOUND:] == [[f"{other.handle}-000001"] for other in others]
        for event in events[:2]:
            home.platform_says(event, "accepted")
        await home.uplink.until(BOUND + len(others) + 1)
        assert home.uplink.events()[-1] == events[4:6], "emergencies that travel alone take no room of the backlog"


async def test_what_a_lost_way_took_with_it_goes_again_at_once(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=PATIENT) as home:
        events = await _piled_up(home, wearer, 10)
        await home.uplink.until(BOUND)
        home.forwarder.disconnected(home.way)
        home.forwarder.connected()
        await home.uplink.until(2 * BOUND)
        await _settled()
        assert home.uplink.events() == [events[:2], events[2:4]] * 2


async def test_without_room_the_loop_waits_and_does_not_spin(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=PATIENT) as home:
        events = await _piled_up(home, wearer, 4)
        await home.uplink.until(BOUND)
        # It is due, and there is no room for it.
        home.forwarder._queue.retry(home.journal.alarms[wearer.handle, 1], home.clock.now_ms())
        home.forwarder.wake()
        await _settled()
        turns = home.forwarder.turns
        await asyncio.sleep(0.1)
        assert home.forwarder.turns == turns
        for event in events[2:4]:
            home.platform_says(event, "accepted")
        await home.uplink.until(BOUND + 1)
        assert home.uplink.events()[BOUND] == [events[0]]
