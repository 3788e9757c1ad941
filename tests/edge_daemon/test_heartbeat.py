"""What the gateway says about itself, and its age."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from edge_daemon.clock import Clock
from edge_daemon.config import Ways as WaysSettings
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.heartbeat import Heartbeat
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways
from protocol.messages import Heartbeat as WearableBeat
from protocol.messages import pack_heartbeat

from .core import StandInUplink
from .schemas import check
from .wearer import Recorder

BEAT = WearableBeat(pack_heartbeat(60, 3900, 80, 20_000, (0, 1, 0), 1, 0, 0))
HANDLE = "00112233445566aa"


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


def _heard(ago_ms: int) -> Heard:
    return Heard(b"", "ble", -60, Clock().now_ms() - ago_ms, Recorder())


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


async def test_the_newest_word_of_each_wearable_goes_once_and_at_once() -> None:
    uplink = StandInUplink()
    async with beating(uplink) as beat:
        await uplink.until(1, "heartbeat")
        beat.wearable(HANDLE, BEAT, _heard(0))
        (message,) = await uplink.until(1, "telemetry")
        check("telemetry", message)
        beat.now()
        await uplink.until(3, "heartbeat")
        assert len(uplink.messages("telemetry")) == 1


async def test_what_waited_for_a_connection_tells_its_age_of_now() -> None:
    uplink = StandInUplink()
    uplink.connected = False
    async with beating(uplink) as beat:
        beat.wearable(HANDLE, BEAT, _heard(3_000_000))
        beat.wearable(HANDLE, BEAT, _heard(2_000_000))
        await asyncio.sleep(0)
        uplink.connected = True
        beat.now()
        (message,) = await uplink.until(1, "telemetry")
        (row,) = message["wearables"]
        assert 2_000_000 <= row["heard_age_ms"] < 2_060_000
