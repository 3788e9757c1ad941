"""A gateway as the contract describes it, for tests of the desk: real MQTT, every message held to its schema."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from typing import Any, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hil_tests.broker.mosquitto import Broker
from protocol import kinds
from tests.edge_daemon.schemas import check

WEARABLE = "1d4f35debd828018"
_SCHEMA_DOWN = {"stranger": "stranger_answer", "trail": "trail_taken"}
_SCHEMA_UP = {"care": "care_state"}
WITHIN_S = 20.0


def event(number: int = 12, wearable: str = WEARABLE, **over: Any) -> dict[str, Any]:
    """An event of the contract: an SOS by a press, unless told otherwise (`class_` for class)."""
    made = {
        "event": f"{wearable}-{number:06x}",
        "source": "wearable",
        "wearable": wearable,
        "number": number,
        "kind": "sos",
        "class": over.pop("class_", "emergency"),
        "detail": "press",
        "age_ms": 1200,
        "age_quality": "exact",
        "heard_age_ms": 20,
        "heard_at": "2026-11-24T03:59:59.980Z",
        "heard_at_clock": "unsynced",
        "late": False,
        "battery_percent": 78,
        "link": "ble",
        "rssi_dbm": -60,
        "stored": True,
        "scaip": {"dty": "0003", "stc": "0010"},
        "contact_id": "101",
        "restore": False,
        "test": False,
        "refers_to": None,
        "raw": None,
        "about": None,
        "note": None,
    }
    return {**made, **over}


JOURNAL = "0a1b2c3d4e5f6071"


def own(kind: str, number: int, about: str | None = None, journal: str = JOURNAL, **over: Any) -> dict[str, Any]:
    """An event of the gateway's own, just now, with the class and codes of its kind."""
    meaning = next(row for row in kinds.BY_CODE.values() if row.name == kind)
    made = event(number, journal, kind=kind, source="gateway", class_=meaning.event_class) | {"wearable": None}
    made |= {"detail": "0", "age_ms": 0, "link": "gateway", "rssi_dbm": None, "battery_percent": None, "about": about}
    made |= {"scaip": {"dty": meaning.dty, "stc": meaning.stc}, "contact_id": meaning.contact_id}
    return made | {"restore": meaning.restore, "test": meaning.test, **over}


def up_event(gateway: str, *events: dict[str, Any], **over: Any) -> dict[str, Any]:
    """An up/event message; its wall clock is not believed, unless told otherwise."""
    made = {"v": 1, "gateway": gateway, "sent_at": "2026-11-24T04:00:00.000Z", "clock": "unsynced"}
    return {**made, "events": list(events), **over}


class Gateway:
    """`async with Gateway(broker) as gateway`. What comes down is checked against its schema and queued."""

    def __init__(self, broker: Broker, name: str = "gw-1", area: str = "jianghai") -> None:
        self.name = name
        self.area = area
        self.root = f"pingan/v1/{area}/{name}"
        self.received: asyncio.Queue[tuple[str, dict[str, Any], bytes | None]] = asyncio.Queue()
        self.life_signs: asyncio.Queue[tuple[aiomqtt.Message, bytes | None]] = asyncio.Queue()
        self._numbers = itertools.count()
        self._client = aiomqtt.Client(
            broker.host,
            broker.port,
            protocol=aiomqtt.ProtocolVersion.V5,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        await self._client.subscribe(f"{self.root}/down/#", qos=1)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._client.__aexit__(None, None, None)

    async def _read(self) -> None:
        async for message in self._client.messages:
            kind = message.topic.value.rpartition("/")[2]
            assert isinstance(message.payload, bytes)
            assert message.qos == 1
            assert not message.retain
            said = json.loads(message.payload)
            check(_SCHEMA_DOWN.get(kind, kind), said)
            correlation = getattr(message.properties, "CorrelationData", None)
            if kind == "alive":
                self.life_signs.put_nowait((message, correlation))
                continue
            self.received.put_nowait((kind, said, correlation))

    async def publish(
        self, kind: str, payload: bytes, response: str | None = None, correlation: bytes | None = None
    ) -> None:
        """Any bytes on up/`kind`."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if response is not None:
            properties.ResponseTopic = response
        if correlation is not None:
            properties.CorrelationData = correlation
        await self._client.publish(f"{self.root}/up/{kind}", payload, qos=1, properties=properties)

    async def say(self, kind: str, message: dict[str, Any]) -> None:
        """A message of the contract."""
        check(_SCHEMA_UP.get(kind, kind), message)
        await self.publish(kind, json.dumps(message).encode())

    async def send(self, *events: dict[str, Any], **over: Any) -> bytes:
        """An up/event message; returns its correlation data."""
        message = up_event(self.name, *events, **over)
        check("event", message)
        correlation = f"{self.name}-{next(self._numbers)}".encode()
        await self.publish("event", json.dumps(message).encode(), f"{self.root}/down/answer", correlation)
        return correlation

    async def next_answer(self) -> tuple[list[tuple[str, str]], bytes | None]:
        """The next down/answer: [(event, answer)] and its correlation data."""
        async with asyncio.timeout(WITHIN_S):
            kind, said, correlation = await self.received.get()
        assert kind == "answer"
        return [(row["event"], row["answer"]) for row in said["answers"]], correlation

    async def next(self, wanted: str) -> dict[str, Any]:
        """The next message down, which must be of this kind."""
        async with asyncio.timeout(WITHIN_S):
            kind, said, _ = await self.received.get()
        assert kind == wanted, (kind, said)
        return said

    async def ask(self, *events: dict[str, Any], **over: Any) -> list[tuple[str, str]]:
        """Send and get the answer to it."""
        correlation = await self.send(*events, **over)
        answers, answered = await self.next_answer()
        assert answered == correlation
        return answers
