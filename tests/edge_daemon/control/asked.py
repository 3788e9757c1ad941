"""Asking a gateway process by its control socket, each reply and line held against its schema."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.edge_daemon.home import Home
from tools.control import client

from .schemas import check

WITHIN_S = 20.0


def socket_of(gateway: Home) -> Path:
    return gateway.directory / "state" / "control.sock"


async def ask(gateway: Home, request: dict[str, Any]) -> dict[str, Any]:
    return await asyncio.to_thread(client.ask, socket_of(gateway), request)


async def status(gateway: Home) -> dict[str, Any]:
    found: dict[str, Any] = check("status", await ask(gateway, {"ask": "status"}))
    return found


class Seen:
    """What a watcher has been told so far."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._changed = asyncio.Event()

    async def read(self, path: Path) -> None:
        async with contextlib.aclosing(client.watch(path)) as lines:
            async for line in lines:
                self.lines.append(line if line == {"saw": "begun"} else check("saw", line))
                self._changed.set()

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN_S):
            while not (found := [line for line in self.lines if wanted(line)]):
                self._changed.clear()
                await self._changed.wait()
        return found[0]


@contextlib.asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Seen]:
    seen = Seen()
    reading = asyncio.create_task(seen.read(path))
    try:
        await seen.until(lambda line: line["saw"] == "begun")
        yield seen
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
