"""The hostile broker: the proxy does what it says, the accounts can fail, and bytes that are no MQTT do no harm."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Iterable
from pathlib import Path

import aiomqtt
import pytest

from edge_daemon import config
from edge_daemon.counters import Counters
from edge_daemon.uplinks import answers
from edge_daemon.uplinks.mqtt import MqttUplink
from hil_tests.broker import packets
from hil_tests.broker.hostile import HostileProxy, hostile
from hil_tests.broker.mosquitto import Broker
from hil_tests.faults.broker import HURTS, NOISE, press_through
from hil_tests.faults.campaign import Outcome
from hil_tests.faults.lane import Lane, lane

WITHIN_S = 40.0


class Echo:
    """A server that sends back what it gets."""

    def __init__(self) -> None:
        self.got = bytearray()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.got += data
                writer.write(data)
        except OSError:
            pass
        writer.close()


async def _through(proxy: HostileProxy, data: bytes, size: int, within_s: float = 1.0) -> bytes:
    """What comes back through the proxy: `size` bytes, or what there is of them in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    found = b""
    try:
        writer.write(data)
        async with asyncio.timeout(within_s):
            while len(found) < size and (piece := await reader.read(65536)):
                found += piece
    except (TimeoutError, OSError):
        pass
    writer.close()
    return found


async def test_the_proxy_carries_doubles_drops_cuts_and_swallows() -> None:
    one = packets.publish(b"t", b"x" * 300)
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, hostile(server.sockets[0].getsockname()[1], random.Random(1)) as proxy:
        assert await _through(proxy, one, len(one)) == one
        proxy.weather.edit = lambda up, packet: [packet, packets.again(packet, marked=True)] if up else [packet]
        assert await _through(proxy, one, 2 * len(one)) == one + bytes([one[0] | 8]) + one[1:]
        proxy.weather.edit = lambda up, packet: []
        assert await _through(proxy, one, 1, 0.3) == b""
        proxy.weather.edit = None
        proxy.weather.cut_after = 200
        assert len(await _through(proxy, one, len(one))) < 200
        proxy.weather.cut_after = None
        proxy.weather.swallow = True
        assert await _through(proxy, one, 1, 0.3) == b""
        proxy.weather.swallow = False
        proxy.weather.bytes_per_s = 400.0
        before = asyncio.get_running_loop().time()
        assert await _through(proxy, one, len(one), WITHIN_S) == one
        assert asyncio.get_running_loop().time() - before > 0.7
        proxy.shut()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", proxy.port)


def test_packets_are_cut_where_they_end_however_they_come() -> None:
    chance = random.Random(7)
    whole = [packets.publish(b"t", chance.randbytes(size)) for size in (0, 100, 127, 128, 20_000)]
    stream, found, cutter = b"".join(whole), list[bytes](), packets.Packets()
    while stream:
        size = chance.randrange(1, 4000)
        found += cutter.feed(stream[:size])
        stream = stream[size:]
    assert found == whole


def _cpu_s(lane: Lane) -> float:
    fields = Path(f"/proc/{lane.gateway.child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _sockets(lane: Lane) -> int:
    """How many sockets the daemon holds."""
    fds = Path(f"/proc/{lane.gateway.child.pid}/fd")
    held = 0
    for fd in fds.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            held += str(fd.readlink()).startswith("socket:")
    return held


async def _let_go(lane: Lane, noises: Iterable[bytes]) -> None:
    """The daemon is told bytes. A press gets through each time; it is left with no socket more, and idle."""
    sockets = _sockets(lane)
    for noise in noises:
        assert lane.proxy.invent(noise)
        lane.press()
        await lane.settled(WITHIN_S)
    async with asyncio.timeout(10):
        while _sockets(lane) > sockets:
            await asyncio.sleep(0.05)
    before_s = _cpu_s(lane)
    await asyncio.sleep(2)
    assert _cpu_s(lane) - before_s < 1


async def test_bytes_that_are_no_mqtt_are_left_with_their_connection(tmp_path: Path) -> None:
    async with lane(tmp_path / "lane", random.Random(1)) as made:
        await _let_go(made, filter(None, NOISE))
        outcome = Outcome()
        made.account(outcome, made.gateway.logs)
        assert (outcome.lost, outcome.twice, outcome.wrong) == ([], [], [])


async def test_what_is_too_large_or_a_neighbours_is_not_handed_on(tmp_path: Path) -> None:
    heard: list[bytes] = []
    ready = asyncio.Event()

    async def connected() -> None:
        ready.set()

    topic = "pingan/v1/area-1/gw-1/down/answer"
    with Broker(tmp_path / "broker") as broker:
        async with hostile(broker.port, random.Random(1)) as proxy, asyncio.timeout(WITHIN_S):
            platform = config.Platform(host="127.0.0.1", port=proxy.port, tls=False)
            uplink = MqttUplink(config.Gateway(id="gw-1", area="area-1"), platform, Counters())
            uplink.on_connected, uplink.on_message = connected, lambda kind, data, correlation: heard.append(data)
            running = asyncio.create_task(uplink.run())
            await ready.wait()
            proxy.invent(packets.publish(topic.replace("gw-1", "gw-2").encode(), b"a neighbour's", qos=0))
            proxy.invent(packets.publish(topic.replace("down", "up").encode(), b"of ours", qos=0))
            async with aiomqtt.Client("127.0.0.1", broker.port) as there:
                await there.publish(topic, b"x" * 300_000, qos=1)
                await there.publish(topic, b"y" * answers.SIZE_MAX, qos=1)
            while not heard:
                await asyncio.sleep(0.02)
            running.cancel()
            await asyncio.wait({running})
    assert [data[:20] for data in heard] == [b"y" * 20]


async def test_the_accounts_notice_what_is_lost_doubled_and_untrue(tmp_path: Path) -> None:
    async with lane(tmp_path / "lane", random.Random(1), wearables=1) as made:
        await press_through(made, HURTS["twice"])
        honest, forged = Outcome(), Outcome()
        made.account(honest, made.gateway.logs)
        assert (honest.lost, honest.twice, honest.wrong) == ([], [], [])
        (wearable,) = made.wearables
        first = wearable.identity(1)
        made.platform.events[wearable.identity(99)] = made.platform.events.pop(first)
        made.platform.mood = "deaf"
        unheard = made.press()
        made.platform.said.clear()
        wearable._show(made.pressed[unheard][1], "ACCEPTED", 0)
        made.gateway.logs.append({"log": "x", "level": "error"})
        made.account(forged, made.gateway.logs)
        assert f"{first} is not at the platform" in forged.lost
        assert [row for row in forged.lost if row.startswith(unheard)]
        assert len(forged.twice) == 1
        assert len(forged.wrong) == 2
