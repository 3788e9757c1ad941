"""The bare MQTT round trip: what a publish costs to come back through the broker, with nobody thinking in between.

Owns the echoing end (a process of its own, as a platform is) and the client that asks it; client library and socket
options are those of the gateway. `python -m tools.bench.echo HOST PORT` is the echoing end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_ASK = "bench/ask"
_BACK = "bench/back"
_READY_WITHIN_S = 20.0
_NODELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
# A press as the gateway sends it is about this large.
_SIZE = 620


def _client(host: str, port: int, name: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        host,
        port,
        identifier=name,
        protocol=aiomqtt.ProtocolVersion.V5,
        socket_options=_NODELAY,
        max_inflight_messages=200,
    )


async def _serve(host: str, port: int) -> None:
    async with _client(host, port, "bench-echo") as client:
        client.pending_calls_threshold = 10_000
        await client.subscribe(_ASK, qos=1)
        print("ready", flush=True)
        async for message in client.messages:
            topic = str(getattr(message.properties, "ResponseTopic", _BACK))
            await client.publish(topic, message.payload, qos=1)


class Echo:
    """The asking end."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._client.pending_calls_threshold = 10_000
        self._back: asyncio.Queue[None] = asyncio.Queue()

    async def listen(self) -> None:
        """Count what comes back, until cancelled."""
        async for _ in self._client.messages:
            self._back.put_nowait(None)

    async def ask(self) -> None:
        """One message there and back."""
        await self._publish()
        await self._back.get()

    async def drain(self, count: int, under_way: int) -> float:
        """`count` messages there and back with so many under way at once; returns messages per second."""
        room = asyncio.Semaphore(under_way)

        async def send() -> None:
            for _ in range(count):
                await room.acquire()
                sending.create_task(self._publish())

        start = time.perf_counter()
        async with asyncio.TaskGroup() as sending:
            sending.create_task(send())
            for _ in range(count):
                await self._back.get()
                room.release()
        return count / (time.perf_counter() - start)

    async def _publish(self) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = _BACK
        await self._client.publish(_ASK, bytes(_SIZE), qos=1, properties=properties)


@contextlib.asynccontextmanager
async def running(broker: tuple[str, int]) -> AsyncIterator[Echo]:
    """An Echo whose far end answers, until the block is left."""
    arguments = ["-m", "tools.bench.echo", broker[0], str(broker[1])]
    far = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        assert far.stdout is not None  # noqa: S101 # asked for above
        await asyncio.wait_for(far.stdout.readline(), _READY_WITHIN_S)
        async with _client(*broker, "bench-ask") as client:
            await client.subscribe(_BACK, qos=1)
            echo = Echo(client)
            listening = asyncio.create_task(echo.listen())
            yield echo
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    finally:
        far.kill()
        await far.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
