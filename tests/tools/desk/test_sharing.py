"""Several desks on one PostgreSQL share what comes in, and each shows what any of them did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from hil_tests.desk.postgres import Postgres
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import WEARABLE, WITHIN_S, Gateway, event
from tests.tools.desk.wearable import Wearable, key_file, up_stranger

_Pair = tuple[Opened, Opened]


@pytest.fixture
async def pair(broker: Broker, tmp_path: Path, postgres_database: str) -> AsyncIterator[_Pair]:
    keys = key_file(tmp_path / "keys.json", Wearable())
    shared = {"database": postgres_database, "share": "desks", "keys_file": keys}
    one, two = (settings_for(broker, tmp_path, name=name, **shared) for name in ("a", "b"))
    async with running(one) as first, running(two) as second:
        yield first, second


async def test_the_work_is_divided_and_each_event_is_one_incident(pair: _Pair, broker: Broker) -> None:
    async with Gateway(broker, "gw-1") as one, Gateway(broker, "gw-2") as two:
        for number in range(40):
            for gateway in (one, two):
                await gateway.send(event(number))
        for gateway in (one, two):
            answered = {(await gateway.next_answer())[0][0] for _ in range(40)}
            assert answered == {(f"{WEARABLE}-{number:06x}", "accepted") for number in range(40)}
    for desk in pair:
        found = await desk.incidents()
        assert len(found) == 40
        assert all({row["gateway"] for row in each["reports"]} == {"gw-1", "gw-2"} for each in found.values())
        assert (await desk.counters())["messages"] > 0
    assert sum([(await desk.counters())["messages"] for desk in pair]) == 80


async def test_what_one_desk_does_the_others_page_hears_and_the_gateway_once(pair: _Pair, broker: Broker) -> None:
    one, two = pair
    path = f"/api/incidents/{WEARABLE}-00000c"
    async with Gateway(broker) as gateway, two.session.get(f"{two.desk.url}/api/stream") as stream:
        await gateway.ask(event())
        assert (await one.post(f"{path}/take", {"operator": "A"}))[0] == 200
        async with asyncio.timeout(WITHIN_S):
            while b'"operator": "A"' not in await stream.content.readuntil(b"\n\n"):
                pass
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "answered")], None)
        assert (await two.post(f"{path}/take", {"operator": "B"}))[0] == 409
        assert (await two.post(f"{path}/close", {"operator": "A", "outcome": "helped"}))[0] == 200
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "closed")], None)


async def test_a_counter_spent_at_one_desk_is_spent_at_the_other(pair: _Pair, broker: Broker) -> None:
    """The same sealed frame, replayed until each desk has had it: one incident, however the work was divided."""
    wearable = Wearable()
    frame = wearable.event(12)
    async with Gateway(broker) as gateway:
        for _ in range(10):
            await gateway.say("stranger", up_stranger(gateway.name, frame))
        async with asyncio.timeout(WITHIN_S):
            while True:
                counted = [await desk.counters() for desk in pair]
                handled = [c.get("strangers_opened", 0) + c.get("strangers_refused_repeat", 0) for c in counted]
                if sum(handled) == 10:
                    break
                await asyncio.sleep(0.01)
        assert all(handled)
        opened = [c.get("strangers_opened", 0) > 0 for c in counted]
        assert sorted(opened) == [False, True]
    (incident,) = (await pair[0].incidents()).values()
    assert incident["event"] == f"{wearable.handle}-00000c"


async def test_a_database_that_goes_away_is_said_busy_and_taken_up_again(
    pair: _Pair, broker: Broker, postgres: Postgres
) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event(1))
        postgres.crash()
        assert await gateway.ask(event(2)) == [(f"{WEARABLE}-000002", "busy")]
        postgres.start()
        answers = await gateway.ask(event(2))
        assert answers == [(f"{WEARABLE}-000002", "accepted")]
    assert len(await pair[0].incidents()) == 2
