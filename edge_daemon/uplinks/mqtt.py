"""The MQTT 5 connection to the platform. Guarantee: `publish` returned means the broker has it, nothing more.

Owns the connection, its reconnecting, the will and the topics. Must not know events: whether the *platform* has
something is said by its own answer, never by the broker's PUBACK.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import socket
from collections.abc import Awaitable, Callable

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_daemon import tls
from edge_daemon.config import Gateway, Platform
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.log import Log
from edge_daemon.uplinks import answers, payload
from edge_daemon.uplinks.client import Client, let_go

log = Log("uplink")

# The broker keeps our subscription and what came for us this long while we are away.
_SESSION_EXPIRY_S = 7 * 86400
_PUBACK_WITHIN_S = 10.0
# aiomqtt does not notice a broker that breaks off before it has let us in; it waits for this long.
_CONNACK_WITHIN_S = 5.0
# The limits are our own, above: aiomqtt's are asyncio.wait_for, which in Python 3.11 swallows a cancellation that comes
# together with what was waited for, and the daemon would not stop.
_NO_LIMIT = math.inf
# A connection that carries nothing any more is given up after this long by the kernel; keepalive alone takes twice
# its period.
_TCP_UNANSWERED_MS = 10_000
# A connection that breaks sooner was none: two gateways under one name throw each other out as fast as they come.
_SETTLED_S = 10.0
_GOODBYE_WITHIN_S = 1.0
_WAIT_LEAST_S = 0.5
# paho's own limit of unacknowledged QoS 1 messages is 20; a drained backlog of batches keeps more under way.
_IN_FLIGHT = 200
# What a broker may send us at once (paho would take 256 MB), and ahead of our reading: what is lost is asked again.
_PACKET_MOST = answers.SIZE_MAX + 4096
_UNREAD_MOST = 1000
_DOWN = ("answer", "stranger", "command", "alive", "trail", "care")
# Two brokers may be two nodes of one cluster, where one client id is one session. No name has a full stop in it.
_AT = {"primary": "", "backup": ".backup"}

Receive = Callable[[str, bytes, bytes], None]
Connected = Callable[[], Awaitable[None]]


class MqttUplink:
    """One broker. `name`: primary or backup. `on_message(kind, payload, correlation)` is called for down messages."""

    def __init__(self, gateway: Gateway, platform: Platform, counters: Counters, name: str = "primary") -> None:
        self.name = name
        self._gateway = gateway
        self._platform = platform
        self._counters = counters
        self._root = f"pingan/v1/{gateway.area}/{gateway.id}"
        self.tls = tls.for_gateway(platform, platform.host, "platform" if name == "primary" else name)
        self._password = tls.Password(platform.password_file)
        self._client: aiomqtt.Client | None = None
        self._stalled = asyncio.Event()
        self._wanted = asyncio.Event()
        self.on_message: Receive = lambda kind, data, correlation: None
        self.on_connected: Connected = _nothing
        self.on_disconnected: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in and the connection has not been seen to break."""
        return self._client is not None

    def want(self) -> None:
        """Somebody waits: where there is no connection, the next attempt need not."""
        self._wanted.set()

    async def publish(
        self,
        kind: str,
        data: bytes,
        *,
        answer: str | None = None,
        correlation: bytes = b"",
        expiry_s: int | None = None,
    ) -> None:
        """Publish up/`kind` at QoS 1 and wait for the broker. Raises UplinkDown when that fails or takes too long.

        A broker that confirms nothing is left, and connected to anew.
        """
        client = self._client
        if client is None:
            self.want()
            raise UplinkDown("not connected")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if answer is not None:
            properties.ResponseTopic = f"{self._root}/down/{answer}"
            properties.CorrelationData = correlation
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        try:
            topic = f"{self._root}/up/{kind}"
            async with asyncio.timeout(_PUBACK_WITHIN_S):
                await client.publish(topic, data, qos=1, properties=properties, timeout=_NO_LIMIT)
        except (aiomqtt.MqttError, TimeoutError) as error:
            if client is self._client:
                self._stalled.set()
            raise UplinkDown(str(error) or "not confirmed in time") from error

    async def run(self) -> None:
        """Stay connected for ever; wait longer between attempts, up to the configured most, with jitter."""
        wait_s = _WAIT_LEAST_S
        loop = asyncio.get_running_loop()
        while True:
            started_s = loop.time()
            try:
                await self._connection(self._new_client())
            except (aiomqtt.MqttError, UplinkDown, OSError) as error:
                if loop.time() - started_s > _SETTLED_S:
                    wait_s = _WAIT_LEAST_S
                self._counters.add("uplink_failed")
                log.warning("uplink_failed", way=self.name, why=str(error), again_in_s=wait_s)
            finally:
                self._gone()
            await self._wait(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, self._platform.reconnect_most_s)

    async def _connection(self, client: aiomqtt.Client) -> None:
        """One connection, from its beginning to its end; nothing is left of it."""
        try:
            async with client:
                await self._serve(client)
        finally:
            let_go(client)

    async def _wait(self, wait_s: float) -> None:
        """Between two attempts: at least a little, then until the time is over or somebody has something to send."""
        least_s = min(wait_s, _WAIT_LEAST_S)
        await asyncio.sleep(least_s)
        try:
            async with asyncio.timeout(wait_s - least_s):
                await self._wanted.wait()
        except TimeoutError:
            pass
        self._wanted.clear()

    def _gone(self) -> None:
        if self._client is not None:
            self._client = None
            self.on_disconnected()

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Listen until the connection breaks (MqttError, UplinkDown) or we are stopped."""
        self._stalled.clear()
        # Reading begins at once: it is what notices that the connection breaks, also while we subscribe.
        parts = [asyncio.create_task(part) for part in (self._watch(), self._read(client), self._begin(client))]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_EXCEPTION)
            for part in done:
                part.result()
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            # Before the broker is bidden farewell, which may take its time: nothing more is to be sent this way.
            self._gone()

    async def _subscribe(self, client: aiomqtt.Client, kind: str) -> None:
        """Ask for down/`kind`. A broker that forbids it is told on, and what can be done without it is done."""
        try:
            async with asyncio.timeout(_PUBACK_WITHIN_S):
                codes = await client.subscribe(f"{self._root}/down/{kind}", qos=1, timeout=_NO_LIMIT)
        except TimeoutError as error:
            raise UplinkDown("no subscription in time") from error
        for code in codes:
            if getattr(code, "is_failure", False):
                self._counters.add("subscription_refused")
                log.error("subscription_refused", way=self.name, kind=kind, why=str(code))

    async def _watch(self) -> None:
        await self._stalled.wait()
        raise UplinkDown("the broker confirms nothing")

    async def _begin(self, client: aiomqtt.Client) -> None:
        """Subscribe, and only then have sent what waits, for its answers; say that we are there."""
        for kind in _DOWN:
            await self._subscribe(client, kind)
        self._client = client
        log.info("uplink_connected", way=self.name, host=self._platform.host, port=self._platform.port)
        await self.on_connected()
        try:
            await self.publish("status", payload.status(self._gateway.id, "online", "connected"))
        except UplinkDown as error:
            log.info("status_unsent", why=str(error))

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            root, _, kind = message.topic.value.rpartition("/")
            if root != f"{self._root}/down" or kind not in _DOWN:
                self._counters.add("topics_not_understood")
                continue
            data = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
            correlation = getattr(message.properties, "CorrelationData", b"")
            self.on_message(kind, data, correlation if isinstance(correlation, bytes) else b"")

    async def _say_goodbye(self) -> None:
        """We are stopped on purpose: the will is not sent then, so this is."""
        data = payload.status(self._gateway.id, "offline", "stopped")
        try:
            async with asyncio.timeout(_GOODBYE_WITHIN_S):
                await self.publish("status", data)
        except (UplinkDown, TimeoutError) as error:
            log.info("goodbye_unsent", why=str(error))

    def _new_client(self) -> aiomqtt.Client:
        platform = self._platform
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.SessionExpiryInterval = _SESSION_EXPIRY_S
        connect.MaximumPacketSize = _PACKET_MOST
        client = Client(
            platform.host,
            platform.port,
            identifier=f"pingan-{self._gateway.area}-{self._gateway.id}{_AT[self.name]}",
            protocol=aiomqtt.ProtocolVersion.V5,
            username=platform.username or None,
            password=self._password.now(),
            clean_start=False,
            keepalive=platform.keepalive_s,
            properties=connect,
            tls_context=self.tls.context() if self.tls is not None else None,
            timeout=_CONNACK_WITHIN_S,
            bind_address=platform.bind_address,
            will=aiomqtt.Will(f"{self._root}/up/status", payload.status(self._gateway.id, "offline", "lost"), qos=1),
            max_inflight_messages=_IN_FLIGHT,
            max_queued_incoming_messages=_UNREAD_MOST,
            # Nagle and delayed ACK together turn an answer of half a millisecond into 44 ms.
            socket_options=[
                (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
                (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_UNANSWERED_MS),
            ],
            logger=logging.getLogger("aiomqtt"),
        )
        # A warning per publish beyond this: what waits is counted by us, and a flood needs no log line each.
        client.pending_calls_threshold = 1 << 20
        return client


async def _nothing() -> None:
    """Where nobody has asked to be told of a connection."""
