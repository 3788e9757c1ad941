"""A platform for tests: takes what gateways send, stores each event once, answers as it is told to.

Over a real broker, with a client of its own. Knows the contract, not the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .schemas import check

WITHIN_S = 30.0
ROOT = "pingan/v1/area-1/gw-1"


class Platform:
    """`incidents`: event id -> how often it came. `says`: the words each event is answered with, in turn."""

    def __init__(self, client: aiomqtt.Client, says: tuple[str, ...]) -> None:
        self._client = client
        self._changed = asyncio.Event()
        self.says = says
        self.incidents: dict[str, int] = {}
        self.order: list[list[str]] = []
        self.messages: list[tuple[str, Any, aiomqtt.Message]] = []
        # Answers no event; answers no heartbeat.
        self.silent = False
        self.mute = False
        # Set by a test that kills the broker under us.
        self.expected_end = False

    async def run(self) -> None:
        async for message in self._client.messages:
            kind = message.topic.value.rpartition("/")[2]
            assert isinstance(message.payload, bytes)
            data = json.loads(message.payload)
            check(kind, data)
            self.messages.append((kind, data, message))
            if kind == "event":
                await self._events(data, message)
            elif kind == "heartbeat" and not self.mute:
                await self._alive(message)
            self._changed.set()

    async def _events(self, data: Any, message: aiomqtt.Message) -> None:
        events = [row["event"] for row in data["events"]]
        # The gateway's own events are answered like any; what is counted here are presses.
        pressed = [row["event"] for row in data["events"] if row["source"] == "wearable"]
        if pressed:
            self.order.append(pressed)
        for event in pressed:
            self.incidents[event] = self.incidents.get(event, 0) + 1
        if not self.silent:
            for word in self.says:
                await self.answer(message, *[(event, word) for event in events])

    async def _alive(self, message: aiomqtt.Message) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = message.properties.CorrelationData  # type: ignore[union-attr]
        properties.MessageExpiryInterval = 60
        alive = {"v": 1, "gateway": message.topic.value.split("/")[3]}
        check("alive", alive)
        topic: str = message.properties.ResponseTopic  # type: ignore[union-attr]
        await self._client.publish(topic, json.dumps(alive), qos=1, properties=properties)

    async def answer(self, message: aiomqtt.Message, *rows: tuple[str, str]) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = message.properties.CorrelationData  # type: ignore[union-attr]
        data = json.dumps({"v": 1, "answers": [{"event": event, "answer": word} for event, word in rows]})
        topic: str = message.properties.ResponseTopic  # type: ignore[union-attr]
        await self._client.publish(topic, data, qos=1, properties=properties)

    async def say(self, kind: str, data: object) -> None:
        """Publish to the gateway, raw when given bytes."""
        await self._client.publish(f"{ROOT}/down/{kind}", data if isinstance(data, bytes) else json.dumps(data), qos=1)

    async def until(self, kind: str, count: int = 1) -> list[Any]:
        """Wait until so many messages of a kind have come; return all of them."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)

    async def until_incidents(self, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while len(self.incidents) < count:
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: str) -> list[Any]:
        return [data for sent, data, _ in self.messages if sent == kind]


@contextlib.asynccontextmanager
async def platform(port: int, says: tuple[str, ...] = ("accepted",)) -> AsyncIterator[Platform]:
    """A platform at the broker on loopback `port`."""
    client = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5)
    async with client:
        await client.subscribe("pingan/v1/+/+/up/#", qos=1)
        made = Platform(client, says)
        running = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            while not running.done():
                # Again and again: in Python 3.11 aiomqtt's wait_for may swallow one.
                running.cancel()
                await asyncio.wait({running}, timeout=1)
            (ended,) = await asyncio.gather(running, return_exceptions=True)
    if isinstance(ended, aiomqtt.MqttError) and made.expected_end:
        # Looked at, so that asyncio does not report it as overlooked.
        client._disconnected.exception()
        return
    if ended is not None and not isinstance(ended, asyncio.CancelledError):
        raise ended
