"""Whoever listens at the broker to all that one gateway says. Owns the record; judges nothing and says nothing.

Messages are kept as they came and read when all is over: to read them at once would slow down what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiomqtt

# What each row of an up/telemetry message has once.
_ROW = b'"uptime_s":'


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `at_s`: time.monotonic() when it came; `wall_ms`: the campaign's wall clock then."""

    kind: str
    at_s: float
    wall_ms: float
    data: bytes

    def read(self) -> dict[str, Any]:
        """What it says."""
        said: dict[str, Any] = json.loads(self.data)
        return said


class Spy:
    """`said`: every message in the order of the broker; `rows`: how many of telemetry that makes so far."""

    def __init__(self, wall_ms: Callable[[], float]) -> None:
        self.said: list[Said] = []
        self.rows = 0
        self._wall_ms = wall_ms
        self._changed = asyncio.Event()

    async def listen(self, client: aiomqtt.Client) -> None:
        """Keep what comes, for ever."""
        async for message in client.messages:
            kind = message.topic.value.rpartition("/")[2]
            data = bytes(message.payload)
            self.said.append(Said(kind, time.monotonic(), self._wall_ms(), data))
            if kind == "telemetry":
                self.rows += data.count(_ROW)
            self._changed.set()

    async def until(self, true: Callable[[], bool], within_s: float) -> bool:
        """Wait until something holds, looked at after each message; False when it does not in time."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


@contextlib.asynccontextmanager
async def spying(port: int, wall_ms: Callable[[], float]) -> AsyncIterator[Spy]:
    """A spy at the broker on loopback `port`; it hears whatever is published from when this is entered."""
    client = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5)
    client.pending_calls_threshold = 1 << 20
    async with client:
        await client.subscribe("pingan/v1/+/+/up/#", qos=1)
        made = Spy(wall_ms)
        listening = asyncio.create_task(made.listen(client))
        try:
            yield made
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
