"""The desk's MQTT 5 connection. Guarantee: `publish` returned means the broker has it, nothing more.

Owns connecting for ever, the subscription, and the session that the broker keeps while the desk is away. Must not know
what messages say. The client acknowledges a message to the broker as it takes it from the socket, before it is stored:
what dies with the process is sent again by its gateway, which waits for the platform's own answer and for nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_daemon import tls
from edge_daemon.clock import Clock
from edge_daemon.log import Log
from tools.desk import settings as config
from tools.desk.errors import BrokerDown
from tools.desk.reading.message import Message, topic

log = Log("broker")

# The broker keeps the subscription and what came for it this long while the desk is away.
_SESSION_EXPIRY_S = 7 * 86400
_PUBACK_WITHIN_S = 10.0
_RECONNECT_FIRST_S = 0.2
_RECONNECT_MOST_S = 10.0
_IN_FLIGHT = 500
_KEEPALIVE_S = 30


class BrokerConnection:
    """One broker, by place in the settings. `on_message` is called for up messages, `on_connected` when it is in."""

    def __init__(self, settings: config.DeskSettings, place: int, desk_id: str, clock: Clock) -> None:
        self.host, self.port = settings.brokers[place]
        self._place = place
        self._settings = settings
        self._clock = clock
        self._tls = tls.Tls(settings) if settings.tls else None
        self._password = tls.Password(settings.password_file)
        self._identifier = "-".join(part for part in ("pingan-desk", desk_id, settings.name) if part)
        if place:
            # Two brokers may be two nodes of one cluster, where one client id is one session.
            self._identifier += f".{place + 1}"
        self._client: aiomqtt.Client | None = None
        self.foreign = 0
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_connected: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in and the subscription stands."""
        return self._client is not None

    async def publish(
        self, to: str, payload: bytes, *, correlation: bytes | None = None, expiry_s: int | None = None
    ) -> None:
        """Publish at QoS 1, not retained, and wait for the broker. Raises BrokerDown."""
        client = self._client
        if client is None:
            raise BrokerDown("not connected")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.PayloadFormatIndicator = 1
        if correlation is not None:
            properties.CorrelationData = correlation
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        try:
            await client.publish(to, payload, qos=1, properties=properties, timeout=_PUBACK_WITHIN_S)
        except aiomqtt.MqttError as error:
            raise BrokerDown(str(error)) from error
        # Whoever publishes is cancelled as the PUBACK comes: a desk that is stopped just then would never end.
        _heed_cancellation()

    async def run(self) -> None:
        """Stay connected for ever; wait longer between attempts, up to ten seconds, with jitter."""
        wait_s = _RECONNECT_FIRST_S
        while True:
            try:
                async with self._new_client() as client:
                    _heed_cancellation()
                    await self._subscribe(client)
                    _heed_cancellation()
                    wait_s = _RECONNECT_FIRST_S
                    await self._receive(client)
            except (aiomqtt.MqttError, OSError) as error:
                log.warning("broker_failed", host=self.host, port=self.port, why=str(error), again_in_s=wait_s)
            finally:
                self._client = None
            _heed_cancellation()
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, _RECONNECT_MOST_S)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        settings = self._settings
        subscription = f"pingan/v1/{settings.area}/+/up/#"
        if settings.share:
            subscription = f"$share/{settings.share}/{subscription}"
        await client.subscribe(subscription, qos=1)
        self._client = client
        log.info("broker_connected", host=self.host, port=self.port, subscribed=subscription)
        self.on_connected()

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            where = topic(message.topic.value)
            if where is None:
                self.foreign += 1
                continue
            payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
            properties = message.properties
            self.on_message(
                Message(
                    *where,
                    message.topic.value,
                    payload,
                    self._clock.wall_ms(),
                    getattr(properties, "ResponseTopic", None),
                    getattr(properties, "CorrelationData", None),
                    self._place,
                    getattr(properties, "MessageExpiryInterval", None),
                )
            )

    def _new_client(self) -> aiomqtt.Client:
        settings = self._settings
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.SessionExpiryInterval = _SESSION_EXPIRY_S
        client = aiomqtt.Client(
            self.host,
            self.port,
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            username=settings.username or None,
            password=self._password.now(),
            clean_start=False,
            keepalive=_KEEPALIVE_S,
            properties=connect,
            tls_context=self._tls.context() if self._tls is not None else None,
            max_inflight_messages=_IN_FLIGHT,
            # Nagle and delayed ACK together turn an answer of half a millisecond into 44 ms.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            logger=logging.getLogger("aiomqtt"),
        )
        # A warning per publish beyond this: what waits is counted by us, and a flood needs no log line each.
        client.pending_calls_threshold = 1 << 20
        return client


def _heed_cancellation() -> None:
    """The library's wait_for swallows, in Python 3.11, a cancellation that comes together with what was waited for."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
