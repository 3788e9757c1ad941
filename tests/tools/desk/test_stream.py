from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import WEARABLE, WITHIN_S, Gateway, event


class Stream:
    """What an EventSource reads: (name, data, id)."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self.last_id = ""

    async def next(self, *names: str) -> dict[str, Any]:
        """The data of the next event of one of these names."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                block = (await self._content.readuntil(b"\n\n")).decode()
                said = dict(line.split(": ", 1) for line in block.strip().split("\n") if ": " in line)
                self.last_id = said.get("id", self.last_id)
                if said.get("event") in names:
                    data: dict[str, Any] = json.loads(said["data"])
                    return data


@contextlib.asynccontextmanager
async def listening(desk: Opened, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    async with desk.session.get(f"{desk.desk.url}/api/stream{query}", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        yield Stream(answer.content)


async def test_a_change_comes_at_once_and_whole(desk: Opened, broker: Broker) -> None:
    async with listening(desk) as stream, Gateway(broker) as gateway:
        assert (await stream.next("desk"))["connected"]
        await gateway.ask(event())
        assert (await stream.next("incident"))["stage"] == "accepted"
        await desk.post(f"/api/incidents/{WEARABLE}-00000c/take", {"operator": "A"})
        assert (await stream.next("incident"))["operator"] == "A"
        await gateway.say("status", {"v": 1, "gateway": "gw-1", "state": "online", "reason": "connected"})
        assert (await stream.next("gateway"))["state"] == "online"


async def test_who_comes_back_with_the_last_id_misses_nothing_and_hears_nothing_twice(
    desk: Opened, broker: Broker
) -> None:
    async with Gateway(broker) as gateway:
        async with listening(desk) as stream:
            await stream.next("desk")
            await gateway.ask(event(1))
            await stream.next("incident")
            last_id = stream.last_id
        for number in range(2, 500):
            await gateway.send(event(number))
        for _ in range(2, 500):
            await gateway.next_answer()
        async with listening(desk, "", **{"Last-Event-ID": last_id}) as stream:
            numbers = [(await stream.next("incident"))["number"] for _ in range(2, 500)]
            assert sorted(numbers) == list(range(2, 500))
            await desk.post(f"/api/incidents/{WEARABLE}-000001/take", {"operator": "A"})
            assert (await stream.next("incident"))["number"] == 1


async def test_the_list_and_the_stream_after_its_revision_together_are_everything(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:

        async def press() -> None:
            for number in range(200):
                await gateway.send(event(number))

        pressing = asyncio.create_task(press())
        await asyncio.wait_for(gateway.next_answer(), WITHIN_S)
        listed = await desk.get("/api/incidents")
        seen = {row["number"] for row in listed["incidents"]}
        assert seen
        async with listening(desk, f"?after={listed['revision']}") as stream:
            while len(seen) < 200:
                seen.add((await stream.next("incident"))["number"])
        await pressing


async def test_the_stream_says_when_the_desk_has_lost_its_broker_and_when_it_is_back(
    desk: Opened, broker: Broker
) -> None:
    async with listening(desk) as stream:
        assert (await stream.next("desk"))["connected"]
        broker.kill()
        assert not (await stream.next("desk"))["connected"]
        broker.start()
        assert (await stream.next("desk"))["connected"]


async def test_the_desk_stops_while_pages_listen(desk: Opened) -> None:
    async with listening(desk) as stream:
        await stream.next("desk")
        desk.desk._feed.close()
        async with asyncio.timeout(WITHIN_S):
            while await stream._content.readany():
                pass
