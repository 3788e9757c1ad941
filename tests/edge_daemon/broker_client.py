"""Whoever holds a certificate, at a guarded broker. Owns the connection, and what came by it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .certificates import Authority
from .guarded_broker import GuardedBroker

WITHIN_S = 30.0


class Client:
    """A client of the broker and all it has been sent, as (topic, payload)."""

    def __init__(self, inner: aiomqtt.Client) -> None:
        self.inner = inner
        self.got: list[tuple[str, bytes]] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.inner.messages:
            assert isinstance(message.payload, bytes)
            self.got.append((message.topic.value, message.payload))

    async def publish(self, topic: str, data: bytes = b"x") -> None:
        """Refused or not: mosquitto's PUBACK says it, paho passes it over."""
        await self.inner.publish(topic, data, qos=1)

    async def until(self, topic: str, data: bytes) -> None:
        async with asyncio.timeout(WITHIN_S):
            while (topic, data) not in self.got:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def client(
    broker: GuardedBroker,
    name: str,
    *,
    says: str | None = None,
    will: str = "",
    authority: Authority | None = None,
    port: int | None = None,
    keep: bool = False,
    within_s: float = WITHIN_S,
) -> AsyncIterator[Client]:
    """Whoever holds a certificate of this name. `says`: the client id it gives itself."""
    desk = name.startswith("desk.")
    authority = authority or (broker.desk_authority if desk else broker.gateway_authority)
    context = ssl.create_default_context(cafile=str(broker.broker_ca))
    context.load_cert_chain(*authority.issue(f"{name.encode().hex()}-held", common_name=name))
    connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    connect.SessionExpiryInterval = 3600 if keep else 0
    inner = aiomqtt.Client(
        "127.0.0.1",
        port or (broker.desks if desk else broker.gateways),
        identifier=says or name,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=context,
        timeout=within_s,
        clean_start=not keep,
        properties=connect,
        will=aiomqtt.Will(will, b"will", qos=1) if will else None,
    )
    async with inner:
        made = Client(inner)
        try:
            yield made
        finally:
            made.reading.cancel()
            await asyncio.gather(made.reading, return_exceptions=True)
