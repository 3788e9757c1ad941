"""Strangers' frames whose counter must be searched for: found anywhere, and never in the way of anybody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import WEARABLE, Gateway, event
from tests.tools.desk.wearable import Wearable, key_file, up_stranger

WITHIN_S = 20.0


@pytest.fixture
def wearable() -> Wearable:
    return Wearable()


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path, wearable: Wearable) -> AsyncIterator[Opened]:
    others = [Wearable(bytes([n]) * 16) for n in (1, 2)]
    keys = key_file(tmp_path / "keys.json", others[0], wearable, others[1])
    async with running(settings_for(broker, tmp_path, keys_file=keys)) as opened:
        yield opened


async def _ask(gateway: Gateway, *frames: bytes) -> None:
    await gateway.say("stranger", up_stranger(gateway.name, *frames))


async def _answer(gateway: Gateway) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        kind, said, _ = await gateway.received.get()
    assert kind == "stranger"
    return said


async def _counted(desk: Opened, name: str, count: int) -> None:
    """Also while the desk says that it is not well."""
    async with asyncio.timeout(WITHIN_S):
        while (await desk.counters()).get(name, 0) < count:
            await asyncio.sleep(0.01)


async def test_a_wearable_never_heard_here_is_found_anywhere_in_its_life(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    wearable.counter = 4_194_303
    async with Gateway(broker) as gateway:
        await _ask(gateway, wearable.event(12))
        assert wearable.read(await _answer(gateway), 4_194_303) == [(codes.ACCEPTED, 12)]
    assert len(await desk.incidents()) == 1


async def test_a_search_holds_up_neither_events_nor_strangers_that_need_none(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    strangers = desk.desk._strangers
    assert strangers is not None
    searching, go_on = threading.Event(), threading.Event()
    look = strangers._ahead._look

    def slow(wanted: set[bytes]) -> Any:
        searching.set()
        assert go_on.wait(WITHIN_S)
        return look(wanted)

    strangers._ahead._look = slow
    far = Wearable(bytes([1]) * 16, counter=5000)
    async with Gateway(broker) as gateway, Gateway(broker, "gw-home") as home:
        try:
            await _ask(gateway, far.event(1))
            assert await asyncio.to_thread(searching.wait, WITHIN_S)
            assert await home.ask(event(7)) == [(f"{WEARABLE}-000007", "accepted")]
            await _ask(gateway, wearable.event(2))
            assert wearable.read(await _answer(gateway), 0) == [(codes.ACCEPTED, 2)]
            assert gateway.received.empty()
        finally:
            go_on.set()
        assert far.read(await _answer(gateway), 5000) == [(codes.ACCEPTED, 1)]


async def test_frames_that_waited_for_one_search_are_taken_in_the_order_of_their_counters(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    wearable.counter = 70_000
    frames = [wearable.event(number) for number in range(5)]
    async with Gateway(broker) as gateway:
        await _ask(gateway, *reversed(frames))
        for number in range(5):
            assert wearable.read(await _answer(gateway), 70_000 + number) == [(codes.ACCEPTED, number)]
    assert len(await desk.incidents()) == 5
