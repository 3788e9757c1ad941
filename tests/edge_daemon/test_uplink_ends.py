"""What aiomqtt leaves of a connection is let go, whenever it ended."""

from __future__ import annotations

import asyncio
import gc
import socket

import aiomqtt

from edge_daemon.uplinks.client import Client, let_go


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


async def test_a_socket_that_is_closed_before_it_is_watched_leaves_no_trace() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    ours, theirs = socket.socketpair()
    client = Client("127.0.0.1")
    client._on_socket_register_write(client._client, None, ours)
    ours.close()
    theirs.close()
    await asyncio.sleep(0.05)
    assert told == []
