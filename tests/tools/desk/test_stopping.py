from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_daemon.clock import Clock
from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import settings_for
from tools.desk.broker import BrokerConnection

WITHIN_S = 20.0


@pytest.mark.parametrize("where", ["connecting", "subscribing"])
async def test_it_stops_though_a_library_swallowed_the_cancellation(
    where: str, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asyncio.wait_for does in Python 3.11, when what it waits for comes at the same moment."""
    begun = asyncio.Event()

    class Client:
        messages: AsyncIterator[None]

        async def subscribe(self, *_: object, **__: object) -> None:
            if where == "subscribing":
                await swallow()

    async def swallow() -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(WITHIN_S)

    async def nothing() -> AsyncIterator[None]:
        await asyncio.sleep(3600)
        yield None

    @contextlib.asynccontextmanager
    async def client() -> AsyncIterator[Client]:
        if where == "connecting":
            await swallow()
        made = Client()
        made.messages = nothing()
        yield made

    connection = BrokerConnection(settings_for(broker, tmp_path), 0, "desk", Clock())
    monkeypatch.setattr(connection, "_new_client", client)
    running = asyncio.create_task(connection.run())
    await begun.wait()
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=WITHIN_S)
    assert done, "it goes on"
    assert running.cancelled()


@pytest.mark.parametrize("turns", range(6))
async def test_who_publishes_stops_though_the_puback_comes_at_the_same_moment(
    turns: int, broker: Broker, tmp_path: Path
) -> None:
    connected = asyncio.Event()
    connection = BrokerConnection(settings_for(broker, tmp_path), 0, "desk", Clock())
    connection.on_connected = connected.set
    running = asyncio.create_task(connection.run())
    async with asyncio.timeout(WITHIN_S):
        await connected.wait()
    client = connection._client
    assert client is not None
    publishing = asyncio.create_task(connection.publish("pingan/v1/jianghai/gw-1/down/answer", b"{}"))
    async with asyncio.timeout(WITHIN_S):
        while not client._pending_publishes:
            await asyncio.sleep(0)
        (confirmed,) = client._pending_publishes.values()
        while not confirmed.is_set():
            await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0)
    asked_to_stop = publishing.cancel()
    await asyncio.wait({publishing}, timeout=WITHIN_S)
    assert publishing.cancelled() is asked_to_stop
    running.cancel()
    await asyncio.wait({running}, timeout=WITHIN_S)
    assert running.cancelled()
