"""What the gateway says about itself when nothing is wrong.

Owns the period of the gateway's heartbeat. It goes by every way that is connected, for the platform's answers to it
prove each; it may expire and be lost. Alarms never pass here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import edge_daemon
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.log import Log
from edge_daemon.uplinks import payload
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways

log = Log("heartbeat")


class Heartbeat:
    """Beats every `every_s`; `waiting`, `links` and `paths` are asked at each beat."""

    def __init__(
        self,
        gateway: str,
        every_s: float,
        ways: Ways,
        clock: Clock,
        counters: Counters,
        waiting: Callable[[], int],
        links: Callable[[], list[dict[str, str]]],
        paths: Callable[[], list[dict[str, Any]]],
    ) -> None:
        self._gateway = gateway
        self._every_s = every_s
        self._ways = ways
        self._clock = clock
        self._counters = counters
        self._waiting = waiting
        self._links = links
        self._paths = paths
        self._started_ms = clock.now_ms()
        self._wake = asyncio.Event()

    def now(self) -> None:
        """Beat at once: a connection came up, or somebody asked."""
        self._wake.set()

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            # Before the beat: what comes while it is under way has missed it and needs the next one.
            self._wake.clear()
            await self._beat()
            try:
                async with asyncio.timeout(self._every_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _beat(self) -> None:
        connected = [way for way in self._ways.all if way.connected]
        if not connected:
            return
        uptime_s = (self._clock.now_ms() - self._started_ms) // 1000
        counters = self._counters.snapshot()
        beat = payload.heartbeat(
            self._gateway, uptime_s, edge_daemon.__version__, self._waiting(), counters, self._links(), self._paths()
        )
        # At the same time: one that carries nothing is not to hold up the other.
        await asyncio.gather(*(self._beat_by(way, beat) for way in connected))

    async def _beat_by(self, way: Way, beat: bytes) -> None:
        try:
            await way.beat(beat)
        except UplinkDown as error:
            log.info("heartbeat_unsent", way=way.name, why=str(error))
