"""Takes in what gateways say of themselves and their wearables' health. Owns its pace: never before events.

Must not know events. Telemetry may be lost: a heartbeat the store would not take is followed by another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from edge_daemon.counters import Counters
from edge_daemon.log import Log
from tools.desk.errors import NotUnderstood, StoreFailed
from tools.desk.reading.health import (
    GatewayBeat,
    GatewayStatus,
    WearableBeats,
    read_heartbeat,
    read_result,
    read_status,
    read_telemetry,
)
from tools.desk.reading.message import Fault, Message
from tools.desk.store import Store, faults, gateways
from tools.desk.store.store import Transaction

log = Log("watch")

_AT_ONCE = 100
_WAITING_MOST = 5000

_Said = GatewayBeat | GatewayStatus | WearableBeats | Fault


class Watch:
    """`take` is called for every message that is neither event nor stranger; it never blocks."""

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._waiting: deque[_Said] = deque(maxlen=_WAITING_MOST)
        self._wake = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None

    def take(self, message: Message) -> None:
        """Read a message and let it wait its turn. Results are for whoever sends commands; the desk sends none."""
        try:
            if message.kind == "result":
                self.faults(read_result(message))
                self._counters.add("results")
                return
            said, faults = _read(message)
        except NotUnderstood as error:
            self.faults([message.fault(str(error))])
            return
        self._waiting.append(said)
        self._wake.set()
        self.faults(faults)

    def faults(self, faults: list[Fault]) -> None:
        """Keep what was not of the contract, for a person to look at."""
        for fault in faults:
            self._counters.add("faults")
            log.warning("not_understood", topic=fault.topic, why=fault.why)
            self._waiting.append(fault)
            self._wake.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._wake.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            if not batch:
                self._wake.clear()
                continue
            try:
                await self._store.write(partial(_write_all, batch), len(batch))
            except StoreFailed:
                self._counters.add("store_failed")
            else:
                self.on_change()


def _read(message: Message) -> tuple[_Said, list[Fault]]:
    if message.kind == "heartbeat":
        return read_heartbeat(message)
    if message.kind == "status":
        return read_status(message)
    if message.kind == "telemetry":
        return read_telemetry(message)
    raise NotUnderstood("topic")


def _write_all(batch: list[_Said], transaction: Transaction) -> None:
    for said in batch:
        _write(transaction, said)
    faults.keep(transaction, [said for said in batch if isinstance(said, Fault)])


def _write(transaction: Transaction, said: _Said) -> None:
    if isinstance(said, GatewayBeat):
        gateways.beat(transaction, said)
    elif isinstance(said, GatewayStatus):
        gateways.status(transaction, said)
    elif isinstance(said, WearableBeats):
        gateways.wearables(transaction, said)
