"""A platform that stores honestly and answers as badly as it is told to: late, twice, wrong, in the wrong order, never.

Owns the store (by identity, in memory), the mood, and the record of every word it has said. Knows the contract and
nothing of the daemon. It finds its broker again by itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import jsonschema
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_SCHEMAS = Path(__file__).resolve().parents[2] / "protocol" / "platform" / "schema"
_AGAIN_S = 0.1
_CONNECT_WITHIN_S = 3.0
_OPERATOR_S = 0.15
_ROWS_KEPT = 3
_SILLY_WAITS = ("0", "0.001", "1.5", "-5", "601", "1e999", "true", '"soon"', "[]", "null", "9" * 400)
_GARBAGE = (
    b"",
    b"null",
    b"{",
    b'{"v":1,"answers":{}}',
    b'{"v":2,"answers":[]}',
    b"\x00" * 100,
    b"[" * 5000,
    b"\xff\xfe{",
)


@dataclass(frozen=True)
class Row:
    """An event as a message brought it: when that came by time.monotonic(), and what the message said of the time."""

    came_s: float
    sent_at: str
    clock: str
    event: dict[str, Any]


class FicklePlatform:
    """`mood` "" is an honest one; others: silent, deaf, nodding, late, wrong, twice, disorder, busy, taken_back.

    A deaf one answers and stores nothing, a silent one stores; a nodding one is deaf and answers life signs.
    `beats`: heartbeats so far, `beat` the last one.
    `deaf_to`: a handle whose events it takes for never come. `rids`: strangers' questions so far.
    `rows`: the last few that came of each event, in whatever mood.
    `events`: identity -> state, each stored once; `came`: how often each came. `said`: identity -> every word that was
    published about it, in order, noted before it left. `violations`: what came with events and is not of the contract.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self.mood = ""
        self.deaf_to = ""
        self.rids: list[str] = []
        self.events: dict[str, str] = {}
        self.came: dict[str, int] = {}
        self.said: dict[str, list[str]] = {}
        self.results: dict[str, str] = {}
        self.violations: list[str] = []
        self.beats = 0
        self.beat: dict[str, Any] = {}
        self.rows: dict[str, deque[Row]] = {}
        self._port = port
        self._chance = chance
        self._schema = jsonschema.Draft202012Validator(json.loads((_SCHEMAS / "event.json").read_text()))
        self._client: aiomqtt.Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Serve for ever, through every death of the broker."""
        try:
            while True:
                try:
                    await self._serve()
                except (aiomqtt.MqttError, OSError):
                    await asyncio.sleep(_AGAIN_S)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, true: Callable[[], bool], within_s: float) -> None:
        """Wait until something holds; looked at after every message. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def publish(self, topic: str, data: bytes, *, correlation: bytes | None = None, **more: Any) -> None:
        """Say any bytes; what there is no broker for is lost."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        client = self._client
        try:
            if client is not None:
                await client.publish(topic, data, **{"qos": 1, "properties": properties, "timeout": 5.0, **more})
        except (aiomqtt.MqttError, ValueError):
            pass

    async def take_up(self, down: str, names: list[str]) -> None:
        """Store events that came while it stored nothing, and say so to the gateway whose down topics are at `down`."""
        for name in names:
            self._store(self.rows[name][-1].event)
        await self._accept(f"{down}/answer", names, None, "")

    async def _serve(self) -> None:
        client = aiomqtt.Client("127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5, timeout=_CONNECT_WITHIN_S)
        client.pending_calls_threshold = 1 << 20
        async with client:
            await client.subscribe("pingan/v1/+/+/up/#", qos=1)
            self._client = client
            try:
                async for message in client.messages:
                    self._take(message)
                    self._changed.set()
            finally:
                self._client = None

    def _take(self, message: aiomqtt.Message) -> None:
        gateway, _, kind = message.topic.value.rpartition("/up/")
        if kind == "heartbeat":
            self.beats += 1
            self.beat = json.loads(bytes(message.payload))
            self._start(self._alive(gateway, message))
        if kind not in ("event", "result", "stranger"):
            return
        try:
            data = json.loads(bytes(message.payload))
            if kind == "event":
                self._schema.validate(data)
        except (ValueError, jsonschema.ValidationError) as error:
            self.violations.append(f"{message.topic}: {str(error)[:300]}")
            return
        if kind == "result":
            self.results[data["command"]] = data["result"]
        elif kind == "stranger":
            self.rids += [row["rid"] for row in data["frames"]]
        else:
            self._events(f"{gateway}/down/answer", data, message)

    def _events(self, topic: str, data: dict[str, Any], message: aiomqtt.Message) -> None:
        rows = data["events"]
        for row in rows:
            kept = self.rows.setdefault(row["event"], deque(maxlen=_ROWS_KEPT))
            kept.append(Row(time.monotonic(), data["sent_at"], data["clock"], row))
            self.came[row["event"]] = self.came.get(row["event"], 0) + 1
        heard = [row for row in rows if row["event"][:16] != self.deaf_to]
        correlation = getattr(message.properties, "CorrelationData", None)
        if heard:
            self._start(self._answer(topic, heard, correlation, self.mood))

    async def _alive(self, gateway: str, message: aiomqtt.Message) -> None:
        """A life sign for a life sign, unless it plays dead."""
        correlation = getattr(message.properties, "CorrelationData", None)
        if correlation is not None and self.mood not in ("deaf", "silent"):
            name = gateway.rpartition("/")[2]
            data = json.dumps({"v": 1, "gateway": name}).encode()
            await self.publish(f"{gateway}/down/alive", data, correlation=correlation)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _store(self, event: dict[str, Any]) -> str:
        identity = event["event"]
        return self.events.setdefault(identity, "accepted")

    async def _answer(self, topic: str, rows: list[dict[str, Any]], correlation: bytes | None, mood: str) -> None:
        names = [row["event"] for row in rows]
        if mood == "busy":
            await self._busy(topic, [name for name in names if name not in self.events], correlation)
        if mood in ("deaf", "busy", "nodding"):
            return
        for row in rows:
            self._store(row)
        if mood == "wrong":
            await self._nonsense(topic, correlation)
        elif mood == "disorder":
            await self._backwards(topic, names, correlation)
        elif mood != "silent":
            await self._accept(topic, names, correlation, mood)

    async def _accept(self, topic: str, names: list[str], correlation: bytes | None, mood: str) -> None:
        if mood == "late":
            await asyncio.sleep(self._chance.uniform(0.5, 4.0))
        for _ in range(self._chance.randrange(2, 4) if mood == "twice" else 1):
            await self._present(topic, names, correlation)
        if mood == "taken_back":
            for word in self._chance.sample(["refused", "busy", "refused"], 3):
                await self._say(topic, names, word, correlation)
        await self._operator(topic, names)

    async def _backwards(self, topic: str, names: list[str], correlation: bytes | None) -> None:
        """The end first, and what comes before it after it."""
        for name in names:
            self.events[name] = "closed"
        await self._say(topic, names, "closed", correlation)
        for word in self._chance.sample(["accepted", "answered"], 2):
            await self._say(topic, names, word, correlation)

    async def _present(self, topic: str, names: list[str], correlation: bytes | None) -> None:
        for word in ("accepted", "answered", "closed"):
            found = [name for name in names if self.events[name] == word]
            if found:
                await self._say(topic, found, word, correlation)

    async def _operator(self, topic: str, names: list[str]) -> None:
        """Take each, then close it; told once, as news."""
        for word, before in (("answered", "accepted"), ("closed", "answered")):
            await asyncio.sleep(self._chance.uniform(0, _OPERATOR_S))
            moved = [name for name in names if self.events[name] == before]
            for name in moved:
                self.events[name] = word
            if moved:
                await self._say(topic, moved, word, None)

    async def _say(self, topic: str, names: list[str], word: str, correlation: bytes | None) -> None:
        for name in names:
            self.said.setdefault(name, []).append(word)
        rows = [{"event": name, "answer": word} for name in names]
        await self.publish(topic, json.dumps({"v": 1, "answers": rows}).encode(), correlation=correlation)

    async def _busy(self, topic: str, names: list[str], correlation: bytes | None) -> None:
        for name in names:
            self.said.setdefault(name, []).append("busy")
            wait = self._chance.choice(_SILLY_WAITS)
            data = f'{{"v":1,"answers":[{{"event":"{name}","answer":"busy","retry_after_s":{wait}}}]}}'
            await self.publish(topic, data.encode(), correlation=correlation)

    async def _nonsense(self, topic: str, correlation: bytes | None) -> None:
        """For events there are not, and for nothing at all."""
        stray = [f"{self._chance.getrandbits(64):016x}-{self._chance.getrandbits(24):06x}" for _ in range(3)]
        rows = [{"event": name, "answer": self._chance.choice(["accepted", "closed", "refused"])} for name in stray]
        await self.publish(topic, json.dumps({"v": 1, "answers": rows}).encode(), correlation=correlation)
        await self.publish(topic, self._chance.choice(_GARBAGE), correlation=correlation)
