"""What the gateway says about itself, and its age."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from edge_daemon.clock import Clock
from edge_daemon.config import Ways as WaysSettings
from edge_daemon.counters import Counters
from edge_daemon.heartbeat import Heartbeat
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways

from .core import StandInUplink
from .schemas import check


@contextlib.asynccontextmanager
async def beating(uplink: StandInUplink, every_s: float = 3600.0) -> AsyncIterator[Heartbeat]:
    clock = Clock()
    ways = Ways("gw-1", [Way("primary", uplink, 3, 5.0, clock)], WaysSettings(), clock, Counters())
    beat = Heartbeat("gw-1", every_s, ways, clock, Counters(), lambda: 3, list, list)
    running = asyncio.create_task(beat.run())
    try:
        yield beat
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_beats_by_itself_and_at_once_when_asked() -> None:
    uplink = StandInUplink()
    async with beating(uplink, 0.05):
        for message in await uplink.until(3, "heartbeat"):
            check("heartbeat", message)
            assert message["waiting"] == 3
    uplink = StandInUplink()
    async with beating(uplink) as beat:
        await uplink.until(1, "heartbeat")
        beat.now()
        await uplink.until(2, "heartbeat")
