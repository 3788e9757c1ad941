"""Strangers' sealed frames: opened, stored, answered sealed. Guarantee: as for a home gateway: stored, then ACCEPTED.

Owns the way from a frame that no gateway could read to an incident, and the way back. A counter is spent in the
transaction that stores what its frame brought; where that fails it is not, and a new event is told BUSY. The same frame
through a second gateway is no replay for a minute: that gateway is named too and gets an answer to pass on. A lost
answer needs no retry: the wearable asks again. Frames under ids that are not expected wait in search.py.
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
from protocol import box, codes
from protocol.frame import FIELD_SIZE, FrameRefused, parse_head
from protocol.messages import NotUnderstood
from protocol.watchful import Trail
from tools.desk import questions
from tools.desk.brokers import Brokers
from tools.desk.errors import BrokerDown, StoreFailed
from tools.desk.keys import KeyRing
from tools.desk.questions import STAGES, Question, Told
from tools.desk.reading.sealed import SealedFrame
from tools.desk.reading.trails import SealedTrail, is_trail
from tools.desk.search import Search
from tools.desk.store import Store, windows
from tools.desk.store.store import Transaction
from tools.desk.store.trails import Kept

log = Log("strangers")

# The contract's expiry of both stranger topics: later a wearable has asked anew.
_EXPIRY_S = 60
_SAME_FRAME_MS = 60_000
_RECENT_KEPT = 4096
_QUEUE_MOST = 1000

_Whose = tuple[str, int]


@dataclass(slots=True)
class _Contact:
    """The last question of a wearable and the way it came: news may go back by it for a while."""

    counter: int
    sealed: SealedFrame
    at_ms: int


class Strangers:
    """`take` is called for each frame, from the event loop, and never blocks."""

    def __init__(self, ring: KeyRing, store: Store, brokers: Brokers, clock: Clock, counters: Counters) -> None:
        self._ring = ring
        self._store = store
        self._brokers = brokers
        self._clock = clock
        self._counters = counters
        self._queue: asyncio.Queue[tuple[SealedFrame, _Whose | None]] = asyncio.Queue(_QUEUE_MOST)
        self._recent: OrderedDict[bytes, Question] = OrderedDict()
        self._contacts: dict[str, _Contact] = {}
        # Two, so that a wearable that is known waits for no search through the whole life of one that is not.
        self._unheard = Search(ring.search_unheard, self._add, self._unknown, counters)
        self._ahead = Search(ring.search, self._add, self._unheard.add, counters)
        self.on_change: Callable[[], None] = lambda: None
        # What is to be stored of a box of positions: trails.py.
        self.opened: Callable[[SealedTrail], Kept | None] = lambda trail: Kept(trail, None)

    def take(self, frames: list[SealedFrame]) -> None:
        """Queue frames; more than can wait are dropped and counted: their wearables repeat."""
        for frame in frames:
            self._add(frame, None)

    def _add(self, sealed: SealedFrame, whose: _Whose | None) -> None:
        try:
            self._queue.put_nowait((sealed, whose))
        except asyncio.QueueFull:
            self._counters.add("strangers_dropped")

    def _unknown(self, _sealed: SealedFrame) -> None:
        self._counters.add("strangers_unknown")

    async def run(self) -> None:
        """Open, store and answer for ever, in the order of arrival; search meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._answer_all(), name="strangers")
            tasks.create_task(self._ahead.run(), name="strangers ahead")
            tasks.create_task(self._unheard.run(), name="strangers unheard")

    async def _answer_all(self) -> None:
        while True:
            sealed, whose = await self._queue.get()
            try:
                question = self._question(sealed, whose)
                if question is None:
                    self._ahead.add(sealed)
                else:
                    await self._answer(question, sealed)
            except FrameRefused as refused:
                self._counters.add(f"strangers_refused_{refused.reason}")
            except StoreFailed:
                # Not even looking worked: no answer is better than an untrue one.
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
                told = [questions.answer(STAGES[stage], int(event[17:], 16))]
                await self._send(event[:16], contact.counter, contact.sealed, told, news=True)
            except BrokerDown as error:
                log.info("news_unsent", event=event, why=str(error))

    def _question(self, sealed: SealedFrame, whose: _Whose | None) -> Question | None:
        """A frame opened; None: whose it is must be searched for. Raises FrameRefused."""
        now_ms = self._clock.now_ms()
        again = self._recent.get(sealed.frame)
        if again is not None and now_ms - again.at_ms <= _SAME_FRAME_MS:
            return again
        frame_type = parse_head(sealed.frame)
        found = self._ring.look_up(sealed.rolling_id) or whose
        if found is None:
            return None
        handle, counter = found
        body = self._ring.open(handle, sealed.frame, counter)
        trail = self._trail(handle, body, sealed) if frame_type == codes.TRAIL else None
        return Question(handle, counter, frame_type, body, now_ms, trail)

    def _trail(self, handle: str, body: bytes, sealed: SealedFrame) -> tuple[SealedTrail, Kept | None] | None:
        """The box that a TRAIL frame brings; None: it has none."""
        try:
            said = Trail(body)
        except NotUnderstood:
            return None
        if not is_trail(said.box):
            return None
        heard_ms = sealed.received_ms - sealed.heard_age_ms
        where = sealed.area, sealed.gateway, heard_ms, sealed.received_ms
        trail = SealedTrail(handle, said.number, box.sequence(said.box), said.box, *where)
        return trail, self.opened(trail)

    async def _answer(self, question: Question, sealed: SealedFrame) -> None:
        try:
            told = await self._stored(question, sealed)
        except StoreFailed:
            self._counters.add("store_failed")
            told = await self._store.read(lambda connection: questions.look(connection, question, sealed))
            await self._send(question.handle, question.counter, sealed, told)
            return
        if told is None:
            self._counters.add("strangers_refused_repeat")
            return
        self._ring.taken(question.handle, question.counter)
        self._remember(question, sealed)
        self._counters.add("strangers_opened")
        self.on_change()
        await self._send(question.handle, question.counter, sealed, told)

    async def _stored(self, question: Question, sealed: SealedFrame) -> Told | None:
        """Store what a frame brings; what to tell. None: its counter is spent. Raises StoreFailed: nothing is."""
        again = sealed.frame in self._recent
        now_ms = self._clock.wall_ms()

        def work(transaction: Transaction) -> Told | None:
            fresh = windows.spend(transaction, question.handle, question.counter)
            return questions.store(transaction, question, sealed, now_ms) if fresh or again else None

        return await self._store.write(work, questions.REVISIONS)

    def _remember(self, question: Question, sealed: SealedFrame) -> None:
        self._recent.setdefault(sealed.frame, question)
        if len(self._recent) > _RECENT_KEPT:
            self._recent.popitem(last=False)
        contact = self._contacts.get(question.handle)
        if contact is None or question.counter >= contact.counter:
            self._contacts[question.handle] = _Contact(question.counter, sealed, self._clock.now_ms())

    async def _send(self, handle: str, counter: int, sealed: SealedFrame, told: Told, *, news: bool = False) -> None:
        if not told:
            return
        rows = []
        for frame_type, body in told:
            frame = self._ring.seal(handle, frame_type, counter, os.urandom(FIELD_SIZE), body)
            rows.append({"rid": sealed.rolling_id.hex(), "frame": frame.hex()})
        payload = json.dumps({"v": 1, "frames": rows}, separators=(",", ":")).encode()
        topic = f"pingan/v1/{sealed.area}/{sealed.gateway}/down/stranger"
        correlation = None if news else sealed.correlation
        await self._brokers.answer(sealed.broker, topic, payload, correlation, _EXPIRY_S)
        self._counters.add("stranger_answers", len(rows))
