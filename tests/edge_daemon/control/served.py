"""A control socket with stand-in asks, and raw guests at it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_daemon.clock import Clock
from edge_daemon.control.address import reachable
from edge_daemon.control.server import ControlServer
from edge_daemon.control.watching import Watching
from edge_daemon.counters import Counters
from tools.control import client

WITHIN_S = 20.0


class Served:
    """A server with one ask, `echo`, which gives back what it was asked, and one that breaks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counters = Counters()
        self.watching = Watching(Clock())
        self.server = ControlServer(path, self.watching, self.counters)

        async def echo(request: dict[str, Any]) -> dict[str, Any]:
            return {"echo": request}

        async def broken(request: dict[str, Any]) -> dict[str, Any]:
            raise KeyError(request["ask"])

        self.server.asks = {"echo": echo, "broken": broken}

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(client.ask, self.path, request)

    async def guest(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with reachable(self.path) as address:
            return await asyncio.open_unix_connection(address)

    async def raw(self, line: bytes) -> dict[str, Any]:
        """The reply to whatever is sent."""
        reader, writer = await self.guest()
        try:
            writer.write(line)
            async with asyncio.timeout(WITHIN_S):
                reply: dict[str, Any] = json.loads(await reader.readline())
        finally:
            writer.transport.abort()
        return reply


@contextlib.asynccontextmanager
async def served(path: Path) -> AsyncIterator[Served]:
    here = Served(path)
    await here.server.open()
    running = asyncio.create_task(here.server.run())
    await asyncio.sleep(0)
    try:
        yield here
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
