"""The gateway's beat: what comes while one is under way goes with the next."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, cast

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.heartbeat import Heartbeat
from edge_daemon.uplinks.mqtt import MqttUplink
from protocol import messages
from tests.edge_daemon.wearer import Recorder


class SlowUplink:
    """Connected; each publish waits until it is let through."""

    connected = True

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        self.sent: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    async def publish(self, kind: str, data: bytes, **_: object) -> None:
        self.asked.set()
        await self.let.wait()
        self.sent.put_nowait((kind, json.loads(data)))


async def test_a_wearables_heartbeat_that_comes_during_a_beat_goes_out_at_once() -> None:
    uplink, clock = SlowUplink(), Clock()
    beat = Heartbeat("gw-1", 60.0, cast("MqttUplink", uplink), clock, Counters(), lambda: 0, list)
    running = asyncio.create_task(beat.run())
    try:
        async with asyncio.timeout(10):
            await uplink.asked.wait()
            body = messages.pack_heartbeat(5, 2950, 78, 41000, (1, 0, 0), 1, 0, 0)
            heard = Heard(b"", "serial", None, clock.now_ms(), Recorder())
            beat.wearable("1d4f35debd828018", messages.Heartbeat(body), heard)
            uplink.let.set()
            while (message := await uplink.sent.get())[0] != "telemetry":
                assert message[0] == "heartbeat"
            assert [row["wearable"] for row in message[1]["wearables"]] == ["1d4f35debd828018"]
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
