"""The connection to a real broker, and what may happen to it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from edge_daemon import config
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.uplinks import mqtt, payload
from hil_tests.broker.mosquitto import Broker

from .platform_end import ROOT, platform
from .proxy import proxy

WITHIN_S = 30.0
GATEWAY = config.Gateway(id="gw-1", area="area-1")


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


class Line:
    """An uplink and what it has said."""

    def __init__(self, port: int, **settings: object) -> None:
        self.counters = Counters()
        defaults = {"host": "127.0.0.1", "port": port, "tls": False, "reconnect_most_s": 1.0}
        self.uplink = mqtt.MqttUplink(GATEWAY, config.Platform(**{**defaults, **settings}), self.counters)  # type: ignore[arg-type]
        self.connects = 0
        self.disconnects = 0
        self.heard: list[tuple[str, bytes]] = []
        self._changed = asyncio.Event()
        self.uplink.on_connected = self._connected
        self.uplink.on_disconnected = self._disconnected
        self.uplink.on_message = self._message

    async def _connected(self) -> None:
        self.connects += 1
        self._changed.set()

    def _disconnected(self) -> None:
        self.disconnects += 1
        self._changed.set()

    def _message(self, kind: str, data: bytes, _correlation: bytes) -> None:
        self.heard.append((kind, data))
        self._changed.set()

    async def until(self, what: str, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while (len(self.heard) if what == "heard" else getattr(self, what)) < count:
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def line(port: int, **settings: object) -> AsyncIterator[Line]:
    made = Line(port, **settings)
    running = asyncio.create_task(made.uplink.run())
    try:
        yield made
        assert not running.done(), "the uplink ends only when it is stopped"
    finally:
        while not running.done():
            # Again and again: in Python 3.11 aiomqtt's wait_for may swallow one.
            running.cancel()
            await asyncio.wait({running}, timeout=2)
        if not running.cancelled():
            await running


async def test_an_event_goes_up_with_its_response_topic_and_the_answer_comes_down(broker: Broker) -> None:
    async with platform(broker.port, says=()) as there, line(broker.port) as here:
        await here.until("connects", 1)
        await here.uplink.publish("result", payload.result("gw-1", "c", "done", None), expiry_s=60)
        await here.uplink.publish("status", payload.status("gw-1", "online", "x"), answer="answer", correlation=b"e")
        await there.until("result")
        (_, _, message), *_ = [row for row in there.messages if row[0] == "result"]
        assert message.properties is not None
        assert message.properties.json()["MessageExpiryInterval"] in (59, 60)  # type: ignore[no-untyped-call]
        assert message.qos == 1
        assert not message.retain
        await there.until("status", 2)
        asked = next(m for _, data, m in there.messages if data.get("reason") == "x")
        assert asked.properties is not None
        properties = asked.properties.json()  # type: ignore[no-untyped-call]
        assert properties["ResponseTopic"] == f"{ROOT}/down/answer"
        assert bytes.fromhex(properties["CorrelationData"]) == b"e"
        for kind in ("answer", "stranger", "command"):
            await there.say(kind, b"\xff any bytes")
        await here.until("heard", 3)
        assert sorted(here.heard) == [(kind, b"\xff any bytes") for kind in ("answer", "command", "stranger")]


async def test_what_came_while_the_gateway_was_away_is_delivered_when_it_is_back(broker: Broker) -> None:
    async with platform(broker.port) as there:
        async with line(broker.port) as here:
            await here.until("connects", 1)
        await there.say("answer", b"while you were away")
        async with line(broker.port) as here:
            await here.until("heard", 1)
            assert here.heard == [("answer", b"while you were away")]


async def test_a_broker_that_is_absent_at_start_is_found_when_it_comes() -> None:
    broker = Broker()
    try:
        async with line(broker.port) as here:
            with pytest.raises(UplinkDown):
                await here.uplink.publish("event", b"{}")
            assert not here.uplink.connected
            broker.start()
            await here.until("connects", 1)
            assert here.uplink.connected
    finally:
        broker.close()


async def test_a_killed_broker_is_noticed_and_found_again(broker: Broker) -> None:
    async with line(broker.port) as here:
        await here.until("connects", 1)
        broker.kill()
        await here.until("disconnects", 1)
        with pytest.raises(UplinkDown):
            await here.uplink.publish("event", b"{}")
        broker.start()
        await here.until("connects", 2)
        await here.uplink.publish("status", payload.status("gw-1", "online", "again"))


async def test_the_will_tells_a_death_and_a_goodbye_tells_a_stop(broker: Broker) -> None:
    async with platform(broker.port) as there:
        async with proxy(broker.port) as between, line(between.port) as here:
            await here.until("connects", 1)
            await there.until("status", 1)
            between.cut()
            await there.until("status", 3)
            said = [(row["state"], row["reason"]) for row in there.of("status")]
            assert sorted(said) == [("offline", "lost"), ("online", "connected"), ("online", "connected")]
            await here.until("connects", 2)
        async with line(broker.port) as here:
            await here.until("connects", 1)
            count = len(there.of("status"))
        async with asyncio.timeout(WITHIN_S):
            while not any(row["reason"] == "stopped" for row in await there.until("status", count)):
                count += 1


async def test_a_connection_that_carries_nothing_any_more_is_left(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_PUBACK_WITHIN_S", 0.5)
    async with proxy(broker.port) as between, line(between.port) as here:
        await here.until("connects", 1)
        between.silent = True
        with pytest.raises(UplinkDown):
            await here.uplink.publish("result", b"{}")
        await here.until("disconnects", 1)
        between.cut()
        between.silent = False
        await here.until("connects", 2)
        await here.uplink.publish("result", b'{"v":1,"command":"c","result":"done","reason":null}')


async def test_two_gateways_under_one_name_do_not_throw_each_other_out_for_ever_faster(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_CONNACK_WITHIN_S", 0.5)
    async with line(broker.port) as one, line(broker.port) as other:
        await one.until("connects", 1)
        await other.until("connects", 1)
        await asyncio.sleep(4)
        # 0.25 to 0.5 s, then twice that, then at most 1 s: never more than this, nor silence.
        assert 3 <= one.connects + other.connects <= 20


async def test_somebody_with_something_to_send_does_not_wait_out_the_pause() -> None:
    broker = Broker()
    try:
        async with line(broker.port, reconnect_most_s=300.0) as here:
            async with asyncio.timeout(WITHIN_S):
                # The pause before this attempt is 8 s at least.
                while here.counters.snapshot().get("uplink_failed", 0) < 6:
                    await asyncio.sleep(0.05)
                    with contextlib.suppress(UplinkDown):
                        await here.uplink.publish("event", b"{}")
            broker.start()
            with pytest.raises(UplinkDown):
                await here.uplink.publish("event", b"{}")
            async with asyncio.timeout(4):
                await here.until("connects", 1)
    finally:
        broker.close()


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def stranger_at_the_port(behave: Behaviour) -> AsyncIterator[int]:
    """A server that is no broker. Yields its port; leaves no connection open."""
    serving: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with contextlib.suppress(OSError):
                await behave(reader, writer)
        finally:
            serving.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x03\x00\x87\x00", b"\xff" * 100])
async def test_whatever_answers_instead_of_a_broker_is_tried_again(
    reply: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_CONNACK_WITHIN_S", 0.5)
    came = 0

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        await reader.read(100)
        writer.write(reply)

    async with stranger_at_the_port(rude) as port, line(port) as here:
        async with asyncio.timeout(WITHIN_S):
            while came < 2:
                await asyncio.sleep(0.02)
        assert here.connects == 0


async def test_a_broker_that_breaks_off_after_letting_us_in_does_not_end_us() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    came = 0

    async def fickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        await reader.read(1000)
        writer.write(b"\x20\x03\x00\x00\x00")
        for mid in range(1, 1 + chance.randrange(4)):
            await reader.read(1000)
            writer.write(b"\x90\x04" + struct.pack(">H", mid) + b"\x00\x01")

    async with stranger_at_the_port(fickle) as port, line(port):
        async with asyncio.timeout(WITHIN_S):
            while came < 5:
                await asyncio.sleep(0.02)


async def test_nagle_is_off_and_dead_links_are_given_up(broker: Broker) -> None:
    async with line(broker.port) as here:
        await here.until("connects", 1)
        assert here.uplink._client is not None
        sock = here.uplink._client._client.socket()
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
