"""What aiomqtt leaves of a connection is let go, whenever it ended."""

from __future__ import annotations

import asyncio
import gc

import aiomqtt

from edge_daemon.uplinks.mqtt import let_go


async def test_an_end_that_nobody_waited_for_leaves_no_trace() -> None:
    """As when paho raises over a packet while the connection is already being left."""
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    for way in ("_connected", "_disconnected"):
        client = aiomqtt.Client("127.0.0.1")
        getattr(client, way).set_exception(ValueError("a packet that cannot be"))
        let_go(client)
        del client
    gc.collect()
    assert told == []
