"""Care plans and settings on their way to gateways. Guarantee: what is kept is sent to each gateway, over restarts.

And again whenever one comes, for it may have lost what it had. Owns when it is sent, and what the desk may know of a
plan: for whom, whose centre, how long positions are kept. Must not know what else a plan says, nor what settings say:
those are the gateway's and the wearable's. Without keys boxes are kept and sent unread.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from edge_daemon.care.plan import BENEFICIARIES
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from protocol import box
from tools.desk.brokers import Brokers
from tools.desk.errors import BrokerDown, NotGenuine, NotUnderstood, StoreFailed
from tools.desk.keys import KeyRing
from tools.desk.reading import fields
from tools.desk.reading.care import Boxed, CareRow, CareState
from tools.desk.rounds import Down, Rounds
from tools.desk.store import Store, care, trails
from tools.desk.store.care import Due, Gateway, Known
from tools.desk.store.store import Transaction

log = Log("care")

_AT_ONCE = 50
_WAITING_MOST = 5000
_DAYS_MOST = 3650


class Care:
    """`put` what is to be lived by; `take` what gateways say; `came` and `there` when one is. `ring`: the keys."""

    def __init__(self, ring: KeyRing | None, store: Store, brokers: Brokers, clock: Clock, counters: Counters) -> None:
        self._ring = ring
        self._store = store
        self._brokers = brokers
        self._clock = clock
        self._counters = counters
        self._states: deque[CareState] = deque(maxlen=_WAITING_MOST)
        self._came: set[Gateway] = set()
        self._there: set[Gateway] = set()
        self._rounds = Rounds(self._batch, log, "care_unsent")

    async def put(self, row: CareRow) -> None:
        """Keep what is newer and send it. Raises NotGenuine, NotUnderstood, TooOld, StoreFailed."""
        known = self._known(row.wearable, row.plan)
        if row.settings is not None:
            self._open(row.wearable, box.SETTINGS, row.settings)
        await self._store.write(lambda transaction: care.put(transaction, row, known))
        log.info("care_kept", wearable=row.wearable)
        self._rounds.wake()

    def take(self, states: list[CareState]) -> None:
        """What a gateway says that it and wearables live by."""
        self._states.extend(states)
        self._rounds.wake()

    def came(self, area: str, gateway: str) -> None:
        """A gateway has connected."""
        self._came.add((area, gateway))
        self._rounds.wake()

    def there(self, area: str, gateway: str) -> None:
        """A gateway is there, and may have heard a wearable for the first time."""
        # Every minute by every gateway: with the next look, and no transaction of its own.
        self._there.add((area, gateway))

    def wake(self) -> None:
        """Look now: a broker is back."""
        self._rounds.wake()

    async def run(self) -> None:
        """Store what was said, and send what is due, for ever."""
        await self._rounds.run()

    async def _batch(self, down: Down) -> bool:
        await self._store_said()
        return await self._send(down)

    async def _store_said(self) -> None:
        states, came, there = list(self._states), self._came, self._there
        if not (states or came or there):
            return
        now_ms = self._clock.wall_ms()

        def work(transaction: Transaction) -> None:
            care.said(transaction, states)
            care.there(transaction, came, there, now_ms)

        # Who is there says so again; that somebody came is said once.
        self._states.clear()
        self._came, self._there = set(), set()
        try:
            await self._store.write(work)
        except StoreFailed:
            self._counters.add("store_failed")
            self._came |= came
            self._states.extendleft(reversed(states))
            raise

    async def _send(self, down: Down) -> bool:
        """Send the next of what is due; whether there was any."""
        if not self._brokers.connected:
            return False
        owed = await self._store.read(lambda connection: care.due(connection, _AT_ONCE, down))
        for each in owed:
            if (each.area, each.gateway) not in down:
                try:
                    await self._send_one(each)
                except BrokerDown as error:
                    down[each.area, each.gateway] = error
        return bool(owed)

    async def _send_one(self, due: Due) -> None:
        row = {"wearable": due.row.wearable, "plan": _said(due.row.plan), "settings": _said(due.row.settings)}
        payload = json.dumps({"v": 1, "rows": [row]}, separators=(",", ":")).encode()
        # Before: its answer may be here before the broker's.
        now_ms = self._clock.wall_ms()
        await self._brokers.tell(due.area, due.gateway, f"pingan/v1/{due.area}/{due.gateway}/down/care", payload)
        await self._store.write(lambda transaction: care.sent(transaction, due, now_ms))
        self._counters.add("care_sent")

    async def learn(self) -> None:
        """Look for whom plans are that came before their wearables' keys. Raises StoreFailed."""
        for wearable, plan in await self._store.read(care.unread):
            try:
                known = self._known(wearable, plan)
            except (NotGenuine, NotUnderstood) as error:
                log.warning("plan_unread", wearable=wearable, why=str(error))
                continue
            if known is not None:
                await self._store.write(
                    lambda transaction, whose=wearable, what=plan, said=known: care.learnt(  # type: ignore[misc]
                        transaction, whose, what, said
                    )
                )

    def _known(self, wearable: str, plan: Boxed | None) -> Known | None:
        content = None if plan is None else self._open(wearable, box.CARE, plan)
        if content is None:
            return None
        said = fields.message_v1(content)
        beneficiary = fields.one_of(said, "beneficiary", BENEFICIARIES)
        days = fields.whole(said, "retention_days", 0, _DAYS_MOST)
        most = trails.CHILD_RETENTION_DAYS if beneficiary == "child" else _DAYS_MOST
        return Known(beneficiary, fields.text(said, "centre", 64), min(days, most))

    def _open(self, wearable: str, purpose: int, part: Boxed) -> bytes | None:
        """What is in a box; None: there is no key here. Raises NotGenuine."""
        if self._ring is None or not self._ring.opens(wearable, purpose):
            return None
        content = self._ring.open_box(wearable, purpose, part.box)
        if content is None:
            raise NotGenuine("plan" if purpose == box.CARE else "settings")
        return content


def _said(part: Boxed | None) -> dict[str, Any] | None:
    return None if part is None else {"version": part.version, "box": part.box.hex()}
