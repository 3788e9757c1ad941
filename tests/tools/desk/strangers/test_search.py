"""Strangers' frames whose counter must be searched for: found anywhere, and never in the way of anybody."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import WEARABLE, Gateway, event
from tests.tools.desk.strangers.talk import WITHIN_S, answer, ask
from tests.tools.desk.wearable import Wearable


async def test_a_wearable_never_heard_here_is_found_anywhere_in_its_life(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    wearable.counter = 4_194_303
    async with Gateway(broker) as gateway:
        await ask(gateway, wearable.event(12))
        assert wearable.read(await answer(gateway), 4_194_303) == [(codes.ACCEPTED, 12)]
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
            await ask(gateway, far.event(1))
            assert await asyncio.to_thread(searching.wait, WITHIN_S)
            assert await home.ask(event(7)) == [(f"{WEARABLE}-000007", "accepted")]
            await ask(gateway, wearable.event(2))
            assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 2)]
            assert gateway.received.empty()
        finally:
            go_on.set()
        assert far.read(await answer(gateway), 5000) == [(codes.ACCEPTED, 1)]


async def test_frames_that_waited_for_one_search_are_taken_in_the_order_of_their_counters(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    wearable.counter = 70_000
    frames = [wearable.event(number) for number in range(5)]
    async with Gateway(broker) as gateway:
        await ask(gateway, *reversed(frames))
        for number in range(5):
            assert wearable.read(await answer(gateway), 70_000 + number) == [(codes.ACCEPTED, number)]
    assert len(await desk.incidents()) == 5
