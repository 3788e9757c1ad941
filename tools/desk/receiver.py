"""From MQTT messages to stored incidents and true answers. Guarantee: accepted is said after the commit, never else.

Owns the three lanes (a fresh emergency overtakes every backlog, an old one all that is none), the grouping of messages
into transactions, and what is answered when the store fails (busy) or the lane is full (busy). Must not know HTTP,
tables or keys. An answer that gets lost needs no retry: its gateway asks again and is answered with the present stage.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from tools.desk import answers
from tools.desk.brokers import Brokers
from tools.desk.drill import Drill, DrillState
from tools.desk.errors import BrokerDown, StoreFailed
from tools.desk.reading.events import Events, read_events
from tools.desk.reading.message import Fault, Message
from tools.desk.report import Report
from tools.desk.store import Store, events, faults
from tools.desk.store.store import Transaction

log = Log("receiver")

# One transaction takes so many messages, and no more of them when these events are reached: a full backlog (50 events
# a message) then holds the writer, and a fresh emergency behind it, for some 10 ms.
_MESSAGES_AT_ONCE = 20
_EVENTS_AT_ONCE = 200
# A gateway sends a fresh emergency alone, in some 600 bytes. What is larger is a backlog, which takes a millisecond to
# read: it is not read before its turn.
_LARGE_BYTES = 4096
# Messages waiting, per lane. Beyond it the answer is busy: memory is bounded, and gateways come again.
_LANE_MOST = 5000
_ANSWERS_UNDER_WAY = 1000
_FAILURES_ALONE = 2


class Receiver:
    """`take` is called for each up/event message, from the event loop, and never blocks."""

    def __init__(self, store: Store, brokers: Brokers, clock: Clock, counters: Counters, drill: Drill) -> None:
        self._store = store
        self._brokers = brokers
        self._clock = clock
        self._counters = counters
        self._drill = drill
        self._unread: deque[Message] = deque()
        self._fresh: deque[Events] = deque()
        self._urgent: deque[Events] = deque()
        self._backlog: deque[Events] = deque()
        self._wake = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self.on_change: Callable[[], None] = lambda: None

    def take(self, message: Message) -> None:
        """Read a message and put it into its lane; a large one is read later."""
        self._counters.add("messages")
        if len(message.payload) > _LARGE_BYTES and len(self._unread) < _LANE_MOST:
            self._unread.append(message)
            self._wake.set()
        else:
            self._read(message)

    def _read(self, message: Message) -> None:
        read = read_events(message, clock_is_good=self._clock.synced())
        self._counters.add("reports", len(read.reports))
        if read.faults:
            self._counters.add("faults", len(read.faults))
            log.warning("not_understood", gateway=message.gateway, why=[fault.why for fault in read.faults[:5]])
        lane = self._fresh if read.fresh else self._urgent if read.urgent else self._backlog
        if len(lane) >= _LANE_MOST:
            self._counters.add("answered_busy")
            self._answer(message, [answers.busy(report.event, "too many at once") for report in read.reports])
            return
        lane.append(read)
        self._wake.set()

    async def run(self) -> None:
        """Store and answer for ever, the most urgent lane first."""
        while True:
            await self._wake.wait()
            await self._read_some()
            batch = self._batch()
            if not batch:
                self._wake.clear()
                continue
            while len(self._answering) >= _ANSWERS_UNDER_WAY:
                await asyncio.wait(self._answering, return_when=asyncio.FIRST_COMPLETED)
            drill = self._drill.now
            if drill.mode != "off":
                self._practise(drill, batch)
            else:
                await self._work(batch)

    async def _read_some(self) -> None:
        """Read what could wait, as long as nothing comes in between that cannot."""
        for _ in range(min(len(self._unread), _MESSAGES_AT_ONCE)):
            if self._fresh:
                return
            self._read(self._unread.popleft())
            await asyncio.sleep(0)

    def _batch(self) -> list[Events]:
        """What goes into the next transaction; empty when nothing waits."""
        lane = self._fresh or self._urgent or self._backlog
        batch: list[Events] = []
        events_in_it = 0
        while lane and len(batch) < _MESSAGES_AT_ONCE and events_in_it < _EVENTS_AT_ONCE:
            batch.append(lane.popleft())
            events_in_it += len(batch[-1].reports)
        return batch

    async def _work(self, batch: list[Events]) -> None:
        """One transaction for all; when it fails, one each, so that no message takes its neighbours with it."""
        if await self._store_and_answer(batch):
            return
        failures = 0
        for read in batch:
            # Twice in a row is the store, not the message: the rest is not kept waiting for the same answer.
            alone = failures < _FAILURES_ALONE and len(batch) > 1
            failures = 0 if alone and await self._store_and_answer([read]) else failures + 1
            if failures:
                self._answer(read.message, [answers.busy(report.event, "store") for report in read.reports])

    async def _store_and_answer(self, batch: list[Events]) -> bool:
        """False: the store failed, and nothing has been answered."""
        reports = [report for read in batch for report in read.reports]
        broken = [fault for read in batch for fault in read.faults]
        now_ms = self._clock.wall_ms()
        try:
            stages = await self._store.write(
                lambda transaction: _record(transaction, reports, broken, now_ms), events.revisions_for(reports)
            )
        except StoreFailed:
            self._counters.add("store_failed")
            return False
        for read in batch:
            rows = [answers.state(report.event, stages[report.event]) for report in read.reports]
            self._answer(read.message, rows)
        self.on_change()
        return True

    def _practise(self, drill: DrillState, batch: list[Events]) -> None:
        """What a drill answers is true: nothing of it has been stored."""
        for read in batch:
            said = [report.event for report in read.reports]
            self._counters.add(f"drill_{drill.mode}", len(said))
            if drill.mode == "busy":
                after_s = answers.BUSY_RETRY_AFTER_S if drill.retry_after_s is None else drill.retry_after_s
                self._answer(read.message, [answers.busy(event, "drill", after_s) for event in said])
            elif drill.mode == "refuse":
                self._answer(read.message, [answers.refused(event, drill.reason) for event in said])

    def _answer(self, message: Message, rows: list[answers.Answer]) -> None:
        if not rows:
            return
        task = asyncio.create_task(self._publish(message, rows))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _publish(self, message: Message, rows: list[answers.Answer]) -> None:
        # Never the response topic: any gateway could have the desk publish wherever the desk may.
        topic = answers.news_topic(message.area, message.gateway)
        try:
            await self._brokers.answer(message.broker, topic, answers.payload(rows), message.correlation)
        except BrokerDown as error:
            self._counters.add("answers_unsent")
            log.info("answer_unsent", gateway=message.gateway, why=str(error))
            return
        self._counters.add("answers", len(rows))


def _record(transaction: Transaction, reports: list[Report], broken: list[Fault], now_ms: int) -> dict[str, str]:
    """One transaction: the reports, and what could not be read."""
    stages = events.record(transaction, reports, now_ms)
    faults.keep(transaction, broken)
    return stages
