"""Strangers' sealed frames: opened, stored, answered sealed. Guarantee: as for a home gateway: stored, then ACCEPTED.

Owns the way from a frame that no gateway could read to an incident, and the way back. A counter is spent in the
transaction that stores what its frame brought. The same frame through a second gateway is no replay for a minute: that
gateway is named too and gets an answer to pass on. A lost answer needs no retry: the wearable asks again.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from protocol import codes
from protocol.frame import FIELD_SIZE, FrameRefused, parse_head
from protocol.messages import Hello, NotUnderstood, pack_answer
from tools.desk import opened
from tools.desk.broker import BrokerConnection
from tools.desk.errors import BrokerDown, StoreFailed
from tools.desk.keys import KeyRing
from tools.desk.reading.health import WearableBeats
from tools.desk.reading.sealed import SealedFrame
from tools.desk.store import Store, events, gateways, windows

log = Log("strangers")

STAGES = {"accepted": codes.ACCEPTED, "answered": codes.ANSWERED, "closed": codes.CLOSED}
# The contract's expiry of both stranger topics: later a wearable has asked anew.
_EXPIRY_S = 60
_SAME_FRAME_MS = 60_000
_RECENT_KEPT = 4096
_QUEUE_MOST = 1000
# Open events told to a wearable that asks.
_TOLD_MOST = 16

_Told = list[tuple[int, int]]


@dataclass(slots=True)
class _Question:
    """A frame taken: who asked, under which counter, with what, and when we first had it."""

    handle: str
    counter: int
    frame_type: int
    body: bytes
    at_ms: int


@dataclass(slots=True)
class _Contact:
    """The last question of a wearable and the way it came: news may go back by it for a while."""

    counter: int
    sealed: SealedFrame
    at_ms: int


class Strangers:
    """`take` is called for each frame, from the event loop, and never blocks."""

    def __init__(self, ring: KeyRing, store: Store, broker: BrokerConnection, clock: Clock, counters: Counters) -> None:
        self._ring = ring
        self._store = store
        self._broker = broker
        self._clock = clock
        self._counters = counters
        self._queue: asyncio.Queue[SealedFrame] = asyncio.Queue(_QUEUE_MOST)
        self._recent: OrderedDict[bytes, _Question] = OrderedDict()
        self._contacts: dict[str, _Contact] = {}
        self.on_change: Callable[[], None] = lambda: None

    def take(self, frames: list[SealedFrame]) -> None:
        """Queue frames; more than can wait are dropped and counted: their wearables repeat."""
        for frame in frames:
            try:
                self._queue.put_nowait(frame)
            except asyncio.QueueFull:
                self._counters.add("strangers_dropped")

    async def run(self) -> None:
        """Open, store and answer for ever, in the order of arrival."""
        while True:
            sealed = await self._queue.get()
            try:
                question = await self._question(sealed)
                if question is not None:
                    await self._answer(question, sealed)
            except FrameRefused as refused:
                self._counters.add(f"strangers_refused_{refused.reason}")
            except StoreFailed:
                self._counters.add("store_failed")
            except BrokerDown as error:
                log.info("answer_unsent", gateway=sealed.gateway, why=str(error))

    async def news(self, changed: list[str], stage: str) -> None:
        """An operator did something: tell a wearable that asked a moment ago; any other hears on its next question."""
        now_ms = self._clock.now_ms()
        for event in changed:
            contact = self._contacts.get(event[:16])
            if contact is None or now_ms - contact.at_ms > _EXPIRY_S * 1000:
                continue
            try:
                told = [(STAGES[stage], int(event[17:], 16))]
                await self._send(event[:16], contact.counter, contact.sealed, told, news=True)
            except BrokerDown as error:
                log.info("news_unsent", event=event, why=str(error))

    async def _question(self, sealed: SealedFrame) -> _Question | None:
        """Whose frame it is, opened; None for one that nobody here can read. Raises FrameRefused."""
        now_ms = self._clock.now_ms()
        again = self._recent.get(sealed.frame)
        if again is not None and now_ms - again.at_ms <= _SAME_FRAME_MS:
            return again
        frame_type = parse_head(sealed.frame)
        found = self._ring.look_up(sealed.rolling_id)
        if found is None:
            found = await asyncio.to_thread(self._ring.search, sealed.rolling_id)
        if found is None:
            self._counters.add("strangers_unknown")
            return None
        handle, counter = found
        body = self._ring.open(handle, sealed.frame, counter)
        return _Question(handle, counter, frame_type, body, now_ms)

    async def _answer(self, question: _Question, sealed: SealedFrame) -> None:
        told = await self._stored(question, sealed)
        if told is None:
            self._counters.add("strangers_refused_repeat")
            return
        self._ring.taken(question.handle, question.counter)
        self._remember(question, sealed)
        self._counters.add("strangers_opened")
        self.on_change()
        await self._send(question.handle, question.counter, sealed, told)

    async def _stored(self, question: _Question, sealed: SealedFrame) -> _Told | None:
        """Store what a frame brings, and what to tell: (stage, number). None: its counter is spent."""
        async with self._store.write(revisions=4) as transaction:
            fresh = await windows.spend(transaction, question.handle, question.counter)
            if not fresh and sealed.frame not in self._recent:
                return None
            if question.frame_type == codes.EVENT:
                report = opened.report(question.handle, question.body, sealed)
                stages = await events.record(transaction, [report], self._clock.wall_ms())
                log.info("stranger_event", event=report.event, gateway=sealed.gateway)
                return [(STAGES[stages[report.event]], report.number)]
            try:
                if question.frame_type == codes.HEARTBEAT:
                    beat = opened.heartbeat(question.handle, question.body, sealed)
                    said = WearableBeats(sealed.area, sealed.gateway, sealed.received_ms, [beat])
                    await gateways.wearables(transaction, said)
                elif question.frame_type == codes.HELLO:
                    hello = Hello(question.body)
                    if hello.asks_state:
                        known = await windows.stages(transaction.connection, question.handle, hello.number, _TOLD_MOST)
                        unknown = [] if hello.number in dict(known) else [(codes.HEARD, hello.number)]
                        return [(STAGES[stage], number) for number, stage in known] + unknown
            except NotUnderstood as error:
                self._counters.add("strangers_not_understood")
                log.warning("not_understood", wearable=question.handle, why=str(error))
        return [(codes.HEARD, 0)]

    def _remember(self, question: _Question, sealed: SealedFrame) -> None:
        self._recent.setdefault(sealed.frame, question)
        if len(self._recent) > _RECENT_KEPT:
            self._recent.popitem(last=False)
        contact = self._contacts.get(question.handle)
        if contact is None or question.counter >= contact.counter:
            self._contacts[question.handle] = _Contact(question.counter, sealed, self._clock.now_ms())

    async def _send(self, handle: str, counter: int, sealed: SealedFrame, told: _Told, *, news: bool = False) -> None:
        rows = []
        for stage, number in told:
            body = pack_answer(stage, number, codes.REASON_NONE)
            frame = self._ring.seal(handle, codes.ANSWER, counter, os.urandom(FIELD_SIZE), body)
            rows.append({"rid": sealed.rolling_id.hex(), "frame": frame.hex()})
        payload = json.dumps({"v": 1, "frames": rows}, separators=(",", ":")).encode()
        topic = f"pingan/v1/{sealed.area}/{sealed.gateway}/down/stranger"
        correlation = None if news else sealed.correlation
        await self._broker.publish(topic, payload, correlation=correlation, expiry_s=_EXPIRY_S)
        self._counters.add("stranger_answers", len(rows))
