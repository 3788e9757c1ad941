"""What the gateway says about itself and passes on about its wearables when nothing is wrong.

Owns the period of the gateway's heartbeat and the newest heartbeat of each wearable. Heartbeats go by every way that is
connected, for the platform's answers to them prove each; telemetry goes by one. Both may expire and be lost; alarms
never pass here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import edge_daemon
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.heard import Heard
from edge_daemon.log import Log
from edge_daemon.uplinks import payload
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways
from protocol.messages import Heartbeat as WearableBeat

log = Log("heartbeat")

_TELEMETRY_EXPIRY_S = 3600


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
        self._newest: dict[str, tuple[WearableBeat, Heard]] = {}
        self._wake = asyncio.Event()

    def now(self) -> None:
        """Beat at once: a connection came up, or somebody asked."""
        self._wake.set()

    def wearable(self, handle: str, beat: WearableBeat, heard: Heard) -> None:
        """A wearable's heartbeat; the newest of each goes out with the next beat, at once when connected."""
        self._counters.add("wearable_heartbeats")
        self._newest[handle] = (beat, heard)
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
        await asyncio.gather(*(self._beat_by(way, beat) for way in connected), self._tell_wearables())

    async def _beat_by(self, way: Way, beat: bytes) -> None:
        try:
            await way.beat(beat)
        except UplinkDown as error:
            log.info("heartbeat_unsent", way=way.name, why=str(error))

    async def _tell_wearables(self) -> None:
        newest, self._newest = self._newest, {}
        if not newest:
            return
        # Their ages are of now: what waited for a connection must not look fresh.
        now_ms = self._clock.now_ms()
        rows = [payload.wearable_heartbeat(handle, *row, now_ms) for handle, row in newest.items()]
        data = payload.telemetry(self._gateway, rows)
        try:
            await self._ways.choose().uplink.publish("telemetry", data, expiry_s=_TELEMETRY_EXPIRY_S)
        except UplinkDown as error:
            self._newest = {**newest, **self._newest}
            log.info("telemetry_unsent", why=str(error))
