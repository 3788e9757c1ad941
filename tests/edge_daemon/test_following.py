"""Wearables that come and go while the gateway runs: who stays loses nothing, who goes is served no more."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from pathlib import Path

import pytest

from edge_daemon import admission
from edge_daemon.config import Forwarder
from edge_daemon.registry import Wearable
from edge_daemon.uplinks.answers import read_command
from protocol import codes, messages

from .core import Core, core, told
from .wearer import Wearer

WITHIN_S = 20.0


def row(wearer: Wearer, role: str = "home", *, revoked: bool = False) -> Wearable:
    return Wearable(wearer.handle, wearer.keys.up, wearer.keys.down, wearer.keys.id, revoked, role)


def revoke(here: Core, wearer: Wearer) -> None:
    here.enrolled.put(row(wearer, revoked=True))


def answers(wearer: Wearer) -> list[tuple[int, int]]:
    """Stage and number of all that was told."""
    opened = [wearer.open(frame) for frame in wearer.path.sent]
    return [(answer.stage, answer.number) for answer in opened if isinstance(answer, messages.Answer)]


async def test_one_that_comes_is_heard_from_its_next_frame_on(tmp_path: Path) -> None:
    old, new = Wearer("a"), Wearer("b")
    async with core(tmp_path, old) as here:
        here.hear(new, new.event())
        async with asyncio.timeout(WITHIN_S):
            while not here.strangers_seen:
                await asyncio.sleep(0.01)
        here.enrolled.put(row(new))
        here.hear(new, new.event())
        assert (await told(new))[0] == (codes.STORED, 2)
        assert new.handle in here.enrolled
        assert len(here.strangers_seen) == 1


async def test_those_who_stay_keep_their_windows(tmp_path: Path) -> None:
    old, going, coming = Wearer("a"), Wearer("b"), Wearer("c")
    async with core(tmp_path, old, going) as here:
        frames = [old.event() for _ in range(20)]
        for frame in frames:
            here.hear(old, frame)
        taken = dict(here.journal.windows)
        here.enrolled.put(row(coming))
        here.enrolled.drop(going.handle)
        revoke(here, coming)
        for frame in frames:
            here.hear(old, frame)
        assert here.count("refused_repeat") == 20
        assert {name: here.journal.windows[name] for name in taken} == taken
        ahead = Wearer("a", counter=2000)
        here.hear(old, ahead.event())
        assert here.count("frames_admitted") == 21
        assert here.count("wide_searches") == 0


async def test_one_that_was_here_before_is_taken_up_where_it_was_over_a_restart_too(tmp_path: Path) -> None:
    wearer = Wearer()
    recorded = wearer.event()
    async with core(tmp_path, wearer) as here:
        here.hear(wearer, recorded)
        await told(wearer)
        here.enrolled.drop(wearer.handle)
        assert here.forgotten == [wearer.handle]
    async with core(tmp_path) as here:
        here.enrolled.put(row(wearer))
        here.hear(wearer, recorded)
        assert here.count("refused_repeat") == 1
        assert here.journal.windows[wearer.handle] == 0
        here.hear(wearer, wearer.event())
        await told(wearer, 2)


async def test_news_reach_one_that_is_taken_up_again_before_it_is_heard_and_none_that_is_dropped(
    tmp_path: Path,
) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here:
        here.replies.serial_ports = lambda: [wearer.path]
        here.hear(wearer, wearer.event())
        await told(wearer)
        await here.uplink.until(1)
        here.enrolled.drop(wearer.handle)
        here.platform_says(f"{wearer.handle}-000001", "accepted")
        assert answers(wearer) == [(codes.STORED, 1)]
        here.enrolled.put(row(wearer))
        here.platform_says(f"{wearer.handle}-000001", "answered")
        assert answers(wearer)[1:] == [(codes.ANSWERED, 1)]


async def test_a_revoked_one_is_refused_at_once_and_what_it_said_before_goes_on(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, settings=Forwarder(answer_within_s=0.2, fast_s=0.2)) as here:
        here.hear(wearer, wearer.event())
        await told(wearer)
        revoke(here, wearer)
        assert wearer.handle not in here.enrolled
        here.hear(wearer, wearer.event())
        assert answers(wearer)[-1] == (codes.REFUSED, 2)
        # Never accepted yet: it is sent again, and the news of it reach the wearer.
        await here.uplink.until(3)
        here.platform_says(f"{wearer.handle}-000001", "accepted")
        assert answers(wearer)[-1] == (codes.ACCEPTED, 1)
        here.hear(wearer, wearer.event(number=1))
        assert answers(wearer)[-1] == (codes.ACCEPTED, 1)


async def test_an_alarm_on_its_way_to_the_disk_is_not_lost_nor_called_stored_early(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, write=False) as here:
        here.hear(wearer, wearer.event())
        await asyncio.sleep(0)
        revoke(here, wearer)
        # Asked again while nothing is on disk: no word, neither STORED nor HEARD, which would deny it.
        here.hear(wearer, wearer.event(number=1))
        here.hear(wearer, wearer.hello(number=1))
        await asyncio.sleep(0.05)
        assert answers(wearer) == []
        here.write()
        assert await told(wearer) == [(codes.STORED, 1)]
        await here.uplink.until(1)
    async with core(tmp_path, wearer) as here:
        assert (wearer.handle, 1) in here.journal.alarms


async def test_one_that_is_dropped_with_an_alarm_on_its_way_still_has_it_stored_and_sent(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, write=False) as here:
        here.hear(wearer, wearer.event())
        await asyncio.sleep(0)
        here.enrolled.drop(wearer.handle)
        here.write()
        assert await told(wearer) == [(codes.STORED, 1)]
        await here.uplink.until(1)
        here.hear(wearer, wearer.event())
        async with asyncio.timeout(WITHIN_S):
            while not here.strangers_seen:
                await asyncio.sleep(0.01)
    assert (wearer.handle, 1) in here.journal.alarms


async def test_one_that_is_dropped_while_it_is_searched_for_is_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = Wearer("a"), Wearer("a", counter=50_000)
    async with core(tmp_path, near) as here:
        here.hear(near, near.event())
        await told(near)
        search = here.intake._search._admission.find_far

        def dropped(wanted: set[bytes], *, first_heard: bool) -> dict[bytes, tuple[str, int]]:
            found = search(wanted, first_heard=first_heard)
            if found:
                loop.call_soon_threadsafe(here.enrolled.drop, near.handle)
                # The loop's turn, before the thread's result gets there.
                assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(WITHIN_S) is None
            return found

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(here.intake._search._admission, "find_far", dropped)
        here.hear(near, far.event())
        async with asyncio.timeout(WITHIN_S):
            while not here.strangers_seen:
                await asyncio.sleep(0.01)
        assert near.handle not in here.enrolled


async def test_wearables_come_and_go_in_the_middle_of_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wearers = [Wearer(f"w{n}") for n in range(5)]
    async with core(tmp_path, *wearers) as here:
        # Those that were heard are searched for first, and not far.
        for wearer in wearers:
            here.hear(wearer, wearer.event())
        loop, real, come = asyncio.get_running_loop(), admission.RollingIds, []

        def ids(key: bytes) -> admission.RollingIds:
            """The search makes one for each wearable that it looks for, in its thread: meanwhile the loop goes on."""
            if threading.current_thread() is not threading.main_thread() and len(come) < 3:
                come.append(Wearer(f"n{len(come)}"))
                asyncio.run_coroutine_threadsafe(_put(here, come[-1]), loop).result(WITHIN_S)
            return real(key)

        monkeypatch.setattr(admission, "RollingIds", ids)
        here.hear(wearers[4], Wearer("w4", counter=10_000).event())
        async with asyncio.timeout(WITHIN_S):
            while here.count("frames_admitted") == len(wearers) and not here.count("search_failed"):
                await asyncio.sleep(0.01)
        assert here.count("search_failed") == 0
        assert len(come) == 3


async def _put(here: Core, wearer: Wearer) -> None:
    here.enrolled.put(row(wearer))


@pytest.mark.parametrize("how", ["revoke", "drop"])
async def test_what_waits_for_who_goes_is_refused_and_the_rest_goes_on(tmp_path: Path, how: str) -> None:
    going, staying = Wearer("a"), Wearer("b")
    async with core(tmp_path, going, staying) as here:
        results: list[tuple[str, str, str | None]] = []
        here.commands.report = lambda command, result, reason: results.append((command, result, reason))
        for command, wearer in (("c-1", going), ("c-2", staying)):
            said = {"v": 1, "command": command, "name": "locate", "wearable": wearer.handle}
            here.commands.take(read_command(json.dumps(said).encode()))
        revoke(here, going) if how == "revoke" else here.enrolled.drop(going.handle)
        assert results == [("c-1", "queued", None), ("c-2", "queued", None), ("c-1", "refused", "unknown_wearable")]
        said = {"v": 1, "command": "c-3", "name": "locate", "wearable": going.handle}
        here.commands.take(read_command(json.dumps(said).encode()))
        assert results[-1] == ("c-3", "refused", "unknown_wearable")


async def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here:
        here.enrolled.put(dataclasses.replace(row(wearer)))
        here.enrolled.drop("0" * 16)
        assert (here.expecting, here.forgotten) == ([], [])
