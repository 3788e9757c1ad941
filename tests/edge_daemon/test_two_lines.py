"""Two connections to the platform at once: by which line, as whom, and what proves each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from edge_daemon import config
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.uplinks import mqtt, payload
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways
from hil_tests.broker.mosquitto import Broker

from .platform_end import ROOT, platform
from .test_uplink import GATEWAY, WITHIN_S, line, stranger_at_the_port


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


async def test_a_line_is_chosen_by_the_address_that_is_connected_from() -> None:
    came: list[str] = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername")[0])
        await reader.read(100)

    async with stranger_at_the_port(look) as port, line(port, bind_address="127.0.0.77"):
        async with asyncio.timeout(WITHIN_S):
            while not came:
                await asyncio.sleep(0.02)
    assert set(came) == {"127.0.0.77"}


async def test_an_address_that_is_not_there_now_is_tried_again(broker: Broker) -> None:
    # TEST-NET-1 (RFC 5737): no machine has it. A modem that is not up looks the same.
    async with line(broker.port, bind_address="192.0.2.1") as here:
        async with asyncio.timeout(WITHIN_S):
            while here.counters.snapshot().get("uplink_failed", 0) < 2:
                await asyncio.sleep(0.02)
        assert here.connects == 0


async def test_a_heartbeat_has_its_life_sign_and_two_ways_to_one_cluster_are_two_sessions(broker: Broker) -> None:
    """Both ways to one and the same broker, as to two nodes of a cluster: neither throws the other out."""
    counters, clock = Counters(), Clock()
    platform_settings = config.Platform(host="127.0.0.1", port=broker.port, tls=False, reconnect_most_s=1.0)
    uplinks = {name: mqtt.MqttUplink(GATEWAY, platform_settings, counters, name) for name in ("primary", "backup")}
    both = [Way(name, uplink, 3, 5.0, clock) for name, uplink in uplinks.items()]
    Ways("gw-1", both, config.Ways(), clock, counters)
    async with platform(broker.port) as there:
        running = [asyncio.create_task(uplink.run()) for uplink in uplinks.values()]
        try:
            async with asyncio.timeout(WITHIN_S):
                while not all(way.connected for way in both):
                    await asyncio.sleep(0.02)
                beat = payload.heartbeat("gw-1", 1, "1", 0, {}, [], [])
                for way in both:
                    await way.beat(beat)
                while not all(way.healthy for way in both):
                    await asyncio.sleep(0.02)
            (_, _, message) = next(row for row in there.messages if row[0] == "heartbeat")
            assert message.properties is not None
            said = message.properties.json()  # type: ignore[no-untyped-call]
            assert said["ResponseTopic"] == f"{ROOT}/down/alive"
            assert said["MessageExpiryInterval"] in (179, 180)
            await asyncio.sleep(1.0)
            assert counters.snapshot().get("uplink_failed", 0) == 0
        finally:
            for task in running:
                while not task.done():
                    task.cancel()
                    await asyncio.wait({task}, timeout=1)
