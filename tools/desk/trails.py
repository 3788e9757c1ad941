"""Takes in sealed positions and says that they are here. Guarantee: taken is said after the commit, never else.

Owns their pace: behind events, in a queue of its own; what finds no room is dropped, counted, and sent again by its
gateway. A box that is not genuine is kept as a fault and named as taken: it will never be any other. Where the desk has
no key, it is stored unread. Must not know how a position is coded, nor what a page shows.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from edge_daemon.clock import iso
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from protocol import box
from tools.desk import positions
from tools.desk.brokers import Brokers
from tools.desk.errors import BrokerDown, NotUnderstood, StoreFailed
from tools.desk.keys import KeyRing
from tools.desk.reading.message import Fault, Message
from tools.desk.reading.trails import SealedTrail, read_trails
from tools.desk.store import Store, trails
from tools.desk.store.trails import Kept

log = Log("trails")

_WAITING_MOST = 1000
# The contract's expiry of down/trail.
_EXPIRY_S = 3600
NOT_GENUINE = "box: not genuine"


class Trails:
    """`take` is called for each up/trail message, from the event loop, and never blocks. `ring`: None without keys."""

    def __init__(self, ring: KeyRing | None, store: Store, brokers: Brokers, counters: Counters) -> None:
        self._ring = ring
        self._store = store
        self._brokers = brokers
        self._counters = counters
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        self.on_faults: Callable[[list[Fault]], None] = lambda faults: None

    def take(self, message: Message) -> None:
        """Let a message wait its turn."""
        if len(self._waiting) >= _WAITING_MOST:
            self._counters.add("trails_dropped")
            return
        self._waiting.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Store and answer for ever."""
        while True:
            await self._wake.wait()
            if not self._waiting:
                self._wake.clear()
                continue
            await self._one(self._waiting.popleft())

    async def _one(self, message: Message) -> None:
        try:
            sealed, faults = read_trails(message)
        except NotUnderstood as error:
            self.on_faults([message.fault(str(error))])
            return
        kept: list[Kept] = []
        for each in sealed:
            # Fifty of them are some milliseconds, in which an alarm may come.
            await asyncio.sleep(0)
            if (one := self.opened(each)) is not None:
                kept.append(one)
            else:
                faults.append(message.fault(NOT_GENUINE, each.box))
        self.on_faults(faults)
        try:
            await self._store.write(lambda transaction: trails.keep(transaction, kept), trails.revisions_for(kept))
        except StoreFailed:
            self._counters.add("store_failed")
            return
        self._counters.add("trails", len(kept))
        if any(each.place is not None for each in kept):
            self.on_change()
        await self._answer(message, sealed)

    def opened(self, trail: SealedTrail) -> Kept | None:
        """What is to be stored of a box; None: it is not genuine."""
        ring = self._ring
        if ring is None or not ring.opens(trail.wearable, box.TRAIL):
            return Kept(trail, None)
        content = ring.open_box(trail.wearable, box.TRAIL, trail.box)
        if content is None:
            return None
        return Kept(trail, positions.newest(content) if trail.number else None)

    async def _answer(self, message: Message, sealed: list[SealedTrail]) -> None:
        if not sealed:
            return
        rows = [{"wearable": each.wearable, "sequence": each.sequence} for each in sealed]
        payload = json.dumps({"v": 1, "taken": rows}, separators=(",", ":")).encode()
        topic = f"pingan/v1/{message.area}/{message.gateway}/down/trail"
        try:
            await self._brokers.answer(message.broker, topic, payload, None, _EXPIRY_S)
        except BrokerDown as error:
            # It sends them again, and is answered then.
            log.info("taken_unsent", gateway=message.gateway, why=str(error))

    async def listed(self, wearable: str) -> list[dict[str, Any]]:
        """The boxes of a wearable that are kept, the newest first, opened where the desk can. Raises StoreFailed."""
        log.info("trail_read", wearable=wearable)
        return [self._view(trail) for trail in await self._store.read(lambda c: trails.listed(c, wearable))]

    def _view(self, trail: SealedTrail) -> dict[str, Any]:
        ring, content = self._ring, None
        if ring is not None and ring.opens(trail.wearable, box.TRAIL):
            content = ring.open_box(trail.wearable, box.TRAIL, trail.box)
        return {
            **{name: getattr(trail, name) for name in ("sequence", "number", "area", "gateway")},
            "received_at": iso(trail.received_ms),
            "positions": None if content is None else [positions.view(place) for place in positions.places(content)],
        }
