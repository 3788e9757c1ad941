"""Frames that nobody is expected to send: searched for, found far ahead, or passed on as strangers'."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from itertools import count
from pathlib import Path

import pytest

from edge_daemon.admission import Admission, Admitted, Unknown
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.registry import Wearable
from edge_daemon.uplinks import payload
from edge_daemon.wide_search import WideSearch
from protocol import codes, frame, messages

from .core import Core, core, told
from .wearer import Wearer

STORED, ACCEPTED, HEARD = codes.STORED, codes.ACCEPTED, codes.HEARD


async def test_a_flood_of_unknown_frames_costs_one_search_and_delays_no_press(tmp_path: Path) -> None:
    wearer, noise = Wearer(), random.Random(1)
    async with core(tmp_path, wearer) as home:
        since_ms, flood = home.clock.now_ms(), [bytes([0x11]) + noise.randbytes(23) for _ in range(4000)]
        for junk in flood[:2000]:
            home.hear(wearer, junk)
        home.hear(wearer, wearer.event())
        for junk in flood[2000:]:
            home.hear(wearer, junk)
        # One press: a frame of noise costs a look-up, not a task.
        assert len(home.intake._tasks) <= 1
        assert await told(wearer) == [(STORED, 1)]
        await _until(home, 4000, "strangers_limited", "strangers_passed_on")
        assert home.count("wide_searches") <= 2
        assert len(home.strangers_seen) <= _passed_most(home, since_ms)


async def test_a_wearable_far_ahead_does_not_starve_behind_strangers(tmp_path: Path) -> None:
    wearer, noise = Wearer(counter=100_000), random.Random(2)
    async with core(tmp_path, wearer) as home:
        home.journal.move_window(wearer.handle, 0)
    async with core(tmp_path, wearer) as home:
        for number in range(60):
            home.hear(wearer, bytes([0x11]) + noise.randbytes(23))
            if number == 30:
                home.hear(wearer, wearer.event())
        assert await told(wearer) == [(STORED, 1)]
        assert home.count("wide_searches") <= 2, "all that wait are searched for at once"
        assert len(home.strangers_seen) <= home.settings.strangers_burst


async def test_a_flood_beyond_what_can_wait_loses_nothing_to_the_strangers_limit_unseen(tmp_path: Path) -> None:
    wearer, noise = Wearer(), random.Random(3)
    async with core(tmp_path, wearer) as home:
        since_ms = home.clock.now_ms()
        for _ in range(5000):
            home.hear(wearer, bytes([0x11]) + noise.randbytes(23))
        assert home.count("searches_skipped") == 5000 - 4096
        await _until(home, 5000, "strangers_limited", "strangers_passed_on")
        assert home.count("strangers_limited") + home.count("strangers_passed_on") == 5000
        assert len(home.strangers_seen) == home.count("strangers_passed_on") <= _passed_most(home, since_ms)


async def test_frames_that_wait_for_a_search_are_taken_in_the_order_of_their_counters(tmp_path: Path) -> None:
    wearer = Wearer(counter=5000)
    async with core(tmp_path, wearer) as home:
        frames = [wearer.event() for _ in range(4)]
        for late_first in (1, 0, 3, 2):
            home.hear(wearer, frames[late_first])
        home.hear(wearer, frames[0])
        assert sorted(await told(wearer, 4)) == [(STORED, number) for number in (1, 2, 3, 4)]
        assert home.strangers_seen == []
        assert home.count("refused_repeat") == 1


async def test_an_event_heard_during_the_search_for_an_earlier_one_is_not_overtaken(tmp_path: Path) -> None:
    wearer = Wearer(counter=5000)
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.event())
        # Into the search's own thread, then the second frame, then what the window has come to by itself.
        while home.intake._search._waiting:
            await asyncio.sleep(0)
        home.hear(wearer, wearer.event())
        assert await told(wearer, 2) == [(STORED, 1), (STORED, 2)]
        home.hear(wearer, wearer.event())
        assert (await told(wearer, 3))[2:] == [(STORED, 3)]
        assert home.strangers_seen == []
        assert home.count("wide_searches") == 1


async def test_a_stranger_that_waited_for_a_search_says_how_long_ago_it_was_heard(tmp_path: Path) -> None:
    wearer, strangers = Wearer("a"), [Wearer("s"), Wearer("t")]
    async with core(tmp_path, wearer) as home:
        home.hear(strangers[0], strangers[0].event())
        await _until(home, 1, "strangers_passed_on")
        heard_ms = home.clock.now_ms()
        home.hear(strangers[1], strangers[1].event())
        await _until(home, 2, "strangers_passed_on")
        now_ms = home.clock.now_ms()
        waited = home.strangers_seen[1]
        row = json.loads(payload.stranger("gw-1", waited.rolling_id, waited.heard, now_ms))["frames"][0]
        assert row["heard_age_ms"] == pytest.approx(now_ms - heard_ms, abs=5)
        assert row["heard_age_ms"] > 50


def _passed_most(home: Core, since_ms: int) -> float:
    """The burst, and what the rate has let through since: on a machine that others use, that is some more."""
    return home.settings.strangers_burst + home.settings.strangers_per_s * (home.clock.now_ms() - since_ms) / 1000


async def _until(home: Core, total: int, *names: str) -> None:
    # A search takes its time on a machine that others use, and the next one is put off by four times that.
    async with asyncio.timeout(120):
        while sum(home.count(name) for name in names) < total:
            await asyncio.sleep(0.01)


async def test_a_wearable_far_ahead_is_found_and_its_press_goes_through(tmp_path: Path) -> None:
    wearer = Wearer(counter=100_000)
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.event())
        assert await told(wearer) == [(STORED, 1)], "of one never heard before"
        home.hear(wearer, wearer.event())
        assert (await told(wearer, 2))[1] == (STORED, 2)
        assert home.count("wide_searches") == 1


def _admission(wearer: Wearer, windows: dict[str, int] | None = None) -> Admission:
    registered = Wearable(wearer.handle, wearer.keys.up, wearer.keys.down, wearer.keys.id)
    return Admission([registered], windows or {}, 2048, 131072, Counters())


def _unknown(number: int) -> Unknown:
    """Noise; `number` makes each another."""
    nobody = Wearer(f"noise{number}")
    return Unknown(0x11, number.to_bytes(8, "big"), nobody.heard(bytes([0x11]) + number.to_bytes(23, "big")))


async def test_a_frame_that_comes_as_a_search_ends_is_searched_for_too() -> None:
    wearer, counters, passed_on = Wearer(), Counters(), asyncio.Queue[Unknown]()
    first, second = _unknown(1), _unknown(2)

    def stranger(unknown: Unknown) -> None:
        passed_on.put_nowait(unknown)
        if unknown is first:
            # Runs when the search has ended, and before whoever waits for its end is told.
            asyncio.get_running_loop().call_soon(search.add, second)

    search = WideSearch(_admission(wearer), Clock(), counters, 100, lambda _: None, stranger)
    search.add(first)
    async with asyncio.timeout(20):
        assert [await passed_on.get(), await passed_on.get()] == [first, second]


async def test_a_search_that_fails_for_ever_is_begun_anew_for_what_comes_but_paced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admission, clock, counters, pauses = _admission(Wearer()), Clock(), Counters(), list[float]()
    numbers, over, sleep = count(), asyncio.Event(), asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            over.set()
        await sleep(seconds)

    def fails(*_: object, **__: object) -> None:
        # While it runs the next one comes.
        loop.call_soon_threadsafe(search.add, _unknown(next(numbers)))
        raise RuntimeError("test")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(admission, "find_far", fails)
    monkeypatch.setattr(asyncio, "sleep", pause)
    # A clock that stands: each pause is then as long as the rate says, however long the machine takes.
    monkeypatch.setattr(clock, "now_ms", lambda: 1000)
    search = WideSearch(admission, clock, counters, 20, lambda _: None, lambda _: None)
    search.add(_unknown(next(numbers)))
    async with asyncio.timeout(20):
        await over.wait()
    assert pauses == [0, 0.05, 0.05, 0.05]
    assert counters.snapshot()["search_failed"] == 3


def test_a_new_gateway_finds_an_old_wearable_anywhere_in_its_life() -> None:
    for counter in (200_000, (1 << 22) - 1):
        wearer = Wearer(counter=counter)
        admission = _admission(wearer)
        rolling_id = frame.rolling_id(wearer.event())
        assert admission.find_far({rolling_id}, first_heard=True) == {rolling_id: (wearer.handle, counter)}
        known = _admission(wearer, {wearer.handle: 0})
        assert known.find_far({rolling_id}, first_heard=False) == {}


def test_a_search_in_another_thread_costs_no_frame() -> None:
    wearer = Wearer(counter=1)
    admission = _admission(wearer, {wearer.handle: 0})
    over = threading.Event()
    found: list[object] = []

    def search() -> None:
        while not over.is_set():
            found.append(admission.find_far({b"nobody's"}, first_heard=False))

    searching = threading.Thread(target=search)
    searching.start()
    try:
        for _ in range(2000):
            assert isinstance(admission.admit(wearer.heard(wearer.event())), Admitted)
    finally:
        over.set()
        searching.join()
    # A search that had raised would have ended its thread before the first entry.
    assert found
    assert found == [{}] * len(found)


async def test_a_strangers_press_is_passed_on_and_its_heartbeat_is_not(tmp_path: Path) -> None:
    wearer, stranger = Wearer("a"), Wearer("s")
    async with core(tmp_path, wearer) as home:
        heartbeat = stranger.seal(codes.HEARTBEAT, messages.pack_heartbeat(1, 2, 3, 4, (1, 2, 3), 0, 0, 0))
        pressed = stranger.event()
        home.hear(stranger, heartbeat)
        home.hear(stranger, pressed)
        async with asyncio.timeout(20):
            while not home.strangers_seen:
                await asyncio.sleep(0.01)
        assert [unknown.heard.frame for unknown in home.strangers_seen] == [pressed]
