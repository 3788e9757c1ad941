"""A platform from protocol/platform/ alone: stores, then answers; tells news; opens strangers' frames; commands.

Owns a store (SQLite, synchronous = FULL) and one MQTT connection. Every message up is held against its schema; what
is not of the contract is kept in `violations`, which a test wants empty.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import weakref
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import jsonschema
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hil_tests.independent import wire

_CONTRACT = Path(__file__).resolve().parents[2] / "protocol" / "platform" / "schema"
_STATES = ("accepted", "answered", "closed")
# Strangers: counters looked through beyond the last one seen.
_SEARCH = 2000
_CONNECT_WITHIN_S = 10.0
_STOP_WITHIN_S = 1.0

_TABLES = """
CREATE TABLE events (event TEXT PRIMARY KEY, state TEXT NOT NULL, first TEXT NOT NULL);
CREATE TABLE reporters (event TEXT, gateway TEXT, PRIMARY KEY (event, gateway));
"""


class Platform:
    """Use `async with platform.connected(host, port):`; the store lives as long as the object's directory."""

    def __init__(self, directory: Path, roots: tuple[bytes, ...] = ()) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.violations: list[str] = []
        self.received: list[tuple[str, dict[str, Any]]] = []
        # What to say in place of "accepted": test cases put answer rows here, by event identity.
        self.instead: dict[str, dict[str, Any]] = {}
        # Closed with the object: a test may look into it after the connection has gone.
        self._db = sqlite3.connect(directory / "platform.sqlite3")
        weakref.finalize(self, self._db.close)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_TABLES)
        self._roots = [wire.Keys.of(root) for root in roots]
        self._seen = {keys.handle: -1 for keys in self._roots}
        self._schemas = {path.stem: json.loads(path.read_text()) for path in _CONTRACT.glob("*.json")}
        self._client: aiomqtt.Client | None = None
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def connected(self, host: str, port: int) -> Any:
        """Connect, subscribe, serve in the background; ends with the block."""
        async with aiomqtt.Client(host, port, protocol=aiomqtt.ProtocolVersion.V5, timeout=_CONNECT_WITHIN_S) as client:
            await client.subscribe("pingan/v1/+/+/up/#", qos=1)
            self._client = client
            serving = asyncio.create_task(self._serve(client))
            try:
                yield self
            finally:
                # Again if need be: aiomqtt publishes with wait_for, which may swallow a cancellation in Python 3.11.
                while not serving.done():
                    serving.cancel()
                    await asyncio.wait({serving}, timeout=_STOP_WITHIN_S)
                await asyncio.gather(serving, return_exceptions=True)
                self._client = None

    async def until(self, true: Callable[[], bool], within_s: float = 20.0) -> None:
        """Wait until something holds; looked at after every message. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def events(self) -> dict[str, str]:
        """Every event of a wearable, once, and its state."""
        rows = self._db.execute("SELECT event, state, first FROM events")
        return {event: state for event, state, first in rows if json.loads(first).get("source") != "gateway"}

    def _state(self, event: str) -> str | None:
        row = self._db.execute("SELECT state FROM events WHERE event = ?", (event,)).fetchone()
        return None if row is None else str(row[0])

    def first(self, event: str) -> dict[str, Any]:
        """An event as it came first."""
        ((text,),) = self._db.execute("SELECT first FROM events WHERE event = ?", (event,))
        row: dict[str, Any] = json.loads(text)
        return row

    def reporters(self, event: str) -> set[str]:
        """The gateways that reported an event, as topic beginnings."""
        return {gateway for (gateway,) in self._db.execute("SELECT gateway FROM reporters WHERE event = ?", (event,))}

    def rows(self, kind: str, name: str) -> list[dict[str, Any]]:
        """Rows of the list `name` in all up/`kind` messages so far."""
        return [row for topic, message in self.received if topic.endswith(f"/up/{kind}") for row in message[name]]

    def results(self, command: str) -> list[tuple[str, str | None]]:
        """What came back for a command."""
        messages = [message for topic, message in self.received if topic.endswith("/up/result")]
        return [(m["result"], m["reason"]) for m in messages if m["command"] == command]

    async def tell_news(self, event: str, state: str) -> None:
        """An operator took or closed it: to every gateway that reported it."""
        with self._db:
            self._db.execute("UPDATE events SET state = ? WHERE event = ?", (state, event))
        for gateway in self.reporters(event):
            await self._publish(f"{gateway}/down/answer", {"v": 1, "answers": [{"event": event, "answer": state}]})

    async def command(self, gateway: str, **command: Any) -> None:
        """Ask something; `gateway` is a topic's beginning."""
        await self._publish(f"{gateway}/down/command", {"v": 1, **command})

    async def _serve(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = message.topic.value
            kind = topic.rpartition("/")[2]
            data = self._read(topic, kind, message)
            if data is not None:
                self.received.append((topic, data))
                if kind == "event":
                    await self._events(topic, data, message)
                elif kind == "stranger":
                    await self._strangers(topic, data, message)
                elif kind == "heartbeat":
                    alive = {"v": 1, "gateway": topic.split("/")[3]}
                    await self._answer(topic.replace("/up/heartbeat", "/down/alive"), alive, message)
            self._changed.set()

    def _read(self, topic: str, kind: str, message: aiomqtt.Message) -> dict[str, Any] | None:
        try:
            data: dict[str, Any] = json.loads(bytes(message.payload))
            jsonschema.Draft202012Validator(self._schemas[kind]).validate(data)
        except (ValueError, KeyError, jsonschema.ValidationError) as error:
            self.violations.append(f"{topic}: {error}")
            return None
        if data.get("gateway", topic.split("/")[3]) != topic.split("/")[3] or message.retain or message.qos != 1:
            self.violations.append(f"{topic}: gateway, retain or QoS")
        return data

    async def _events(self, topic: str, data: dict[str, Any], message: aiomqtt.Message) -> None:
        gateway = topic.rpartition("/up/")[0]
        answers = [self._store(gateway, event) for event in data["events"]]
        await self._answer(f"{gateway}/down/answer", {"v": 1, "answers": answers}, message)

    def _store(self, gateway: str, event: dict[str, Any]) -> dict[str, Any]:
        """Commit, then say so; a repeat gets its present state."""
        identity = event["event"]
        if identity in self.instead:
            return {"event": identity, **self.instead[identity]}
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO events VALUES (?, 'accepted', ?)", (identity, json.dumps(event)))
            self._db.execute("INSERT OR IGNORE INTO reporters VALUES (?, ?)", (identity, gateway))
        return {"event": identity, "answer": self._state(identity)}

    async def _strangers(self, topic: str, data: dict[str, Any], message: aiomqtt.Message) -> None:
        gateway = topic.rpartition("/up/")[0]
        for row in data["frames"]:
            answer = self._open(gateway, bytes.fromhex(row["rid"]), bytes.fromhex(row["frame"]), row)
            if answer is not None:
                frames = [{"rid": row["rid"], "frame": answer.hex()}]
                await self._answer(f"{gateway}/down/stranger", {"v": 1, "frames": frames}, message)

    def _open(self, gateway: str, rolling_id: bytes, frame: bytes, row: dict[str, Any]) -> bytes | None:
        """Section 7: whose is it, under which counter, what does it say; and the sealed answer."""
        for keys in self._roots:
            first = self._seen[keys.handle] + 1
            counter = next((c for c in range(first, first + _SEARCH) if keys.rolling_id(c) == rolling_id), None)
            body = None if counter is None else wire.open_up(keys, frame, counter)
            if counter is None or body is None:
                continue
            self._seen[keys.handle] = counter
            number = int.from_bytes(body[1:4], "big")
            identity = f"{keys.handle.hex()}-{number:06x}"
            if frame[0] & 15 == wire.EVENT:
                self._store(gateway, {"event": identity, "kind": body[0], "link": row["link"]})
            state = self._state(identity)
            stage = 0 if state is None else 2 + _STATES.index(state)
            return wire.seal_down(keys, wire.ANSWER, counter, bytes([stage]) + body[1:4] + b"\x00")
        return None

    async def _answer(self, topic: str, data: dict[str, Any], message: aiomqtt.Message) -> None:
        asked = message.properties
        if getattr(asked, "ResponseTopic", None) != topic:
            self.violations.append(f"{message.topic}: response topic is not {topic}")
        await self._publish(topic, data, getattr(asked, "CorrelationData", None))

    async def _publish(self, topic: str, data: dict[str, Any], correlation: bytes | None = None) -> None:
        assert self._client is not None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        if topic.endswith(("/down/stranger", "/down/alive")):
            properties.MessageExpiryInterval = 60
        await self._client.publish(topic, json.dumps(data).encode(), qos=1, properties=properties)
