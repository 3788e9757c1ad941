"""What the gateway says about itself and passes on about its wearables when nothing is wrong.

Owns the period of the gateway's heartbeat and the newest heartbeat of each wearable. Telemetry may expire and be
lost; alarms never pass here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import edge_daemon
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.heard import Heard
from edge_daemon.log import Log
from edge_daemon.uplinks import payload
from edge_daemon.uplinks.mqtt import MqttUplink
from protocol.messages import Heartbeat as WearableBeat

log = Log("heartbeat")

# The platform calls a gateway lost after three minutes; an older heartbeat must not make it look alive.
_BEAT_EXPIRY_S = 180
_TELEMETRY_EXPIRY_S = 3600


class Heartbeat:
    """Beats every `every_s`; `waiting` and `links` are asked at each beat."""

    def __init__(
        self,
        gateway: str,
        every_s: float,
        uplink: MqttUplink,
        clock: Clock,
        counters: Counters,
        waiting: Callable[[], int],
        links: Callable[[], list[dict[str, str]]],
    ) -> None:
        self._gateway = gateway
        self._every_s = every_s
        self._uplink = uplink
        self._clock = clock
        self._counters = counters
        self._waiting = waiting
        self._links = links
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
        if not self._uplink.connected:
            return
        uptime_s = (self._clock.now_ms() - self._started_ms) // 1000
        counters = self._counters.snapshot()
        beat = payload.heartbeat(
            self._gateway, uptime_s, edge_daemon.__version__, self._waiting(), counters, self._links()
        )
        newest, self._newest = self._newest, {}
        try:
            await self._uplink.publish("heartbeat", beat, expiry_s=_BEAT_EXPIRY_S)
            if newest:
                # Their ages are of now: what waited for a connection must not look fresh.
                now_ms = self._clock.now_ms()
                rows = [payload.wearable_heartbeat(handle, *row, now_ms) for handle, row in newest.items()]
                data = payload.telemetry(self._gateway, rows)
                await self._uplink.publish("telemetry", data, expiry_s=_TELEMETRY_EXPIRY_S)
        except UplinkDown as error:
            self._newest = {**newest, **self._newest}
            log.info("heartbeat_unsent", why=str(error))
