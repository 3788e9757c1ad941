"""Takes in what gateways say of themselves and their wearables' health. Owns its pace: never before events.

Must not know events. Telemetry may be lost: a heartbeat the store would not take is followed by another. After an
outage gateways send what they have kept, a million rows perhaps: of each wearable only the newest waits here, so that
neither memory nor the gateways' own heartbeats suffer from it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice

from edge_daemon.counters import Counters
from edge_daemon.log import Log
from tools.desk.errors import NotUnderstood, StoreFailed
from tools.desk.reading.health import (
    GatewayBeat,
    GatewayStatus,
    Sign,
    read_heartbeat,
    read_status,
    read_telemetry,
)
from tools.desk.reading.message import Fault, Message
from tools.desk.store import Store, faults, gateways
from tools.desk.store.store import Transaction

log = Log("watch")

_AT_ONCE = 100
_WAITING_MOST = 5000
# Telemetry that waits to be read; what is more is read at once.
_UNREAD_MOST_BYTES = 64 << 20
_READ_AT_ONCE = 20
# Wearables in one transaction: some milliseconds, which an alarm may have to wait for.
_SIGNS_AT_ONCE = 250
# Who invents wearables cannot fill the memory.
_SIGNS_MOST = 100_000

_Said = GatewayBeat | GatewayStatus | Fault
_Gateway = tuple[str, str]


class Watch:
    """`take` is called for every message that is neither event nor stranger; it never blocks."""

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._waiting: deque[_Said] = deque(maxlen=_WAITING_MOST)
        self._unread: deque[Message] = deque()
        self._unread_bytes = 0
        self._signs: dict[str, Sign] = {}
        # By which brokers a gateway is there, and when it last beat on each.
        self._there: dict[_Gateway, dict[int, int]] = {}
        self._wake = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        # A gateway came.
        self.on_came: Callable[[str, str], None] = lambda area, gateway: None

    def take(self, message: Message) -> None:
        """Read a message and let it wait its turn.

        A message of a hundred rows takes a millisecond to read, and alarms may stand behind a thousand of them.
        """
        if message.kind == "telemetry" and self._unread_bytes < _UNREAD_MOST_BYTES:
            self._unread.append(message)
            self._unread_bytes += len(message.payload)
            self._wake.set()
        else:
            self._take(message)

    def _take(self, message: Message) -> None:
        try:
            self.faults(self._read(message))
        except NotUnderstood as error:
            self.faults([message.fault(str(error))])

    def heard(self, signs: Iterable[Sign]) -> None:
        """Wearables were heard, by whatever they said."""
        for sign in signs:
            old = self._signs.get(sign.wearable)
            if old is None and len(self._signs) >= _SIGNS_MOST:
                self._counters.add("signs_dropped")
                continue
            self._signs[sign.wearable] = sign if old is None else gateways.newer(old, sign)
        self._wake.set()

    def faults(self, faults: list[Fault]) -> None:
        """Keep what was not of the contract, for a person to look at."""
        for fault in faults:
            self._counters.add("faults")
            log.warning("not_understood", topic=fault.topic, why=fault.why)
            self._add(fault)

    @property
    def idle(self) -> bool:
        """Whether everything that was taken is in the store."""
        return not (self._wake.is_set() or self._waiting or self._unread or self._signs)

    async def run(self) -> None:
        """Write for ever, gateways before wearables."""
        while True:
            await self._wake.wait()
            for _ in range(min(len(self._unread), _READ_AT_ONCE)):
                message = self._unread.popleft()
                self._unread_bytes -= len(message.payload)
                self._take(message)
                await asyncio.sleep(0)
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            signs = [self._signs.pop(name) for name in list(islice(self._signs, _SIGNS_AT_ONCE))]
            if not batch and not signs and not self._unread:
                self._wake.clear()
                continue
            try:
                await self._store.write(partial(_write, batch, signs), len(batch))
            except StoreFailed:
                self._counters.add("store_failed")
            else:
                self.on_change()

    def _add(self, said: _Said) -> None:
        self._waiting.append(said)
        self._wake.set()

    def _read(self, message: Message) -> list[Fault]:
        """Take what it says; what is wrong about it. Raises NotUnderstood."""
        if message.kind == "heartbeat":
            beat, faults = read_heartbeat(message)
            self._is_there(message)
            self._add(beat)
        elif message.kind == "status":
            status, faults = read_status(message)
            if status.state == "online" or self._is_gone(message):
                self._add(status)
            if status.state == "online":
                self.on_came(message.area, message.gateway)
        elif message.kind == "telemetry":
            signs, faults = read_telemetry(message)
            self._counters.add("telemetry_rows", len(signs))
            self.heard(signs)
        else:
            raise NotUnderstood("topic")
        return faults

    def _is_there(self, message: Message) -> None:
        self._there.setdefault((message.area, message.gateway), {})[message.broker] = message.received_ms

    def _is_gone(self, message: Message) -> bool:
        """A will: whether the gateway is away by it, for it may be here by another broker."""
        there = self._there.get((message.area, message.gateway), {})
        there.pop(message.broker, None)
        return all(message.received_ms - at_ms > gateways.LOST_AFTER_MS for at_ms in there.values())


def _write(batch: list[_Said], signs: list[Sign], transaction: Transaction) -> None:
    for said in batch:
        if isinstance(said, GatewayBeat):
            gateways.beat(transaction, said)
        elif isinstance(said, GatewayStatus):
            gateways.status(transaction, said)
    gateways.heard(transaction, signs)
    faults.keep(transaction, [said for said in batch if isinstance(said, Fault)])
