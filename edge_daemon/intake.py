"""From a frame as heard to an alarm on disk and a true answer. Owns that straight way, and nothing of radio or MQTT.

Guarantee: STORED is told after the commit; each genuine question gets the present state; what is genuine and cannot
be read is kept raw and raised, never dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.admission import Admission, Admitted, Unknown
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands
from edge_daemon.counters import Counters
from edge_daemon.errors import StoreFailed
from edge_daemon.forwarder import Forwarder
from edge_daemon.heard import Alarm, Heard
from edge_daemon.journal import Journal
from edge_daemon.log import Log
from edge_daemon.replies import Replies
from edge_daemon.strangers import Strangers
from protocol import codes, kinds
from protocol.messages import Event, Heartbeat, Hello, NotUnderstood, Result

log = Log("intake")

# Open alarms told to a wearable that asks: more than a wearer can have made since it was last in range.
_TOLD_MOST = 16
# A genuine event whose number cannot be read still needs an identity: this range is never counted up to.
_UNNUMBERED = 0xF00000


class Intake:
    """`heard` is called by every link, from the event loop, and never blocks."""

    def __init__(
        self,
        admission: Admission,
        journal: Journal,
        forwarder: Forwarder,
        replies: Replies,
        commands: Commands,
        strangers: Strangers,
        clock: Clock,
        counters: Counters,
        wide_searches_per_s: float,
    ) -> None:
        self._admission = admission
        self._journal = journal
        self._forwarder = forwarder
        self._replies = replies
        self._commands = commands
        self._strangers = strangers
        self._clock = clock
        self._counters = counters
        self._search_every_ms = int(1000 / wide_searches_per_s)
        self._next_search_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_heartbeat: Callable[[str, Heartbeat, Heard], None] = lambda handle, beat, heard: None
        self.on_stranger: Callable[[Unknown], None] = lambda unknown: None

    def heard(self, heard: Heard) -> None:
        """Take a frame from a link."""
        admitted = self._admission.admit(heard)
        if isinstance(admitted, Admitted):
            self._take(admitted)
        elif isinstance(admitted, Unknown):
            self._start(self._unknown(admitted))

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._counters.add("intake_failed")
            log.error("intake_failed", exc=task.exception())

    async def _unknown(self, unknown: Unknown) -> None:
        """Ours but far ahead? Else a stranger's. The search is limited: noise must not keep the processor busy."""
        now_ms = self._clock.now_ms()
        if now_ms >= self._next_search_ms:
            self._next_search_ms = now_ms + self._search_every_ms
            self._counters.add("wide_searches")
            found = await asyncio.to_thread(self._admission.find_far, unknown.rolling_id)
            if found is not None:
                admitted = self._admission.admit_far(*found, unknown)
                if admitted is not None:
                    log.info("found_far_ahead", wearable=admitted.wearable.handle, counter=admitted.counter)
                    self._take(admitted)
                return
        if self._strangers.may_pass(unknown, now_ms):
            self.on_stranger(unknown)

    def _take(self, admitted: Admitted) -> None:
        self._replies.heard_from(admitted)
        handle = admitted.wearable.handle
        if admitted.frame_type == codes.EVENT:
            self._start(self._event(admitted))
            return
        self._journal.move_window(handle, admitted.counter)
        try:
            self._message(handle, admitted)
        except NotUnderstood as error:
            self._counters.add("not_understood")
            log.warning("not_understood", wearable=handle, type=admitted.frame_type, why=str(error))
        self._commands.heard_from(handle, self._clock.now_ms())

    def _message(self, handle: str, admitted: Admitted) -> None:
        if admitted.frame_type == codes.HELLO:
            self._hello(handle, Hello(admitted.body))
        elif admitted.frame_type == codes.HEARTBEAT:
            self.on_heartbeat(handle, Heartbeat(admitted.body), admitted.heard)
            self._replies.greet(handle)
        elif admitted.frame_type == codes.RESULT:
            self._commands.result(handle, Result(admitted.body))
        else:
            raise NotUnderstood("unknown frame type")

    def _hello(self, handle: str, hello: Hello) -> None:
        """Tell the state of the event asked for, and of all that are open. Unknown here: HEARD with its number."""
        asked = self._journal.alarms.get((handle, hello.number)) if hello.asks_state else None
        told = [alarm for alarm in self._journal.open_alarms() if alarm.wearable == handle and alarm is not asked]
        for alarm in told[-_TOLD_MOST:] if hello.asks_state else []:
            if alarm.stage != codes.HEARD:
                self._replies.tell(alarm)
        if asked is not None and asked.stage != codes.HEARD:
            self._replies.tell(asked)
        else:
            self._replies.greet(handle, hello.number if hello.asks_state else 0)

    async def _event(self, admitted: Admitted) -> None:
        alarm = self._alarm(admitted)
        known = self._journal.alarms.get((alarm.wearable, alarm.number))
        if known is not None:
            alarm = known
        if alarm.stage == codes.HEARD:
            if not await self._store(alarm, admitted.counter):
                return
        else:
            self._counters.add("events_again")
            self._journal.move_window(alarm.wearable, admitted.counter)
        self._replies.tell(alarm)
        self._commands.heard_from(alarm.wearable, self._clock.now_ms())

    async def _store(self, alarm: Alarm, counter: int) -> bool:
        """Commit, then forward. An alarm the disk would not take is forwarded from memory and not told STORED."""
        first = (alarm.wearable, alarm.number) not in self._journal.alarms
        try:
            await self._journal.store(alarm, counter)
        except StoreFailed:
            self._counters.add("events_unstored")
        if first:
            self._counters.add("events_stored" if alarm.stage != codes.HEARD else "events_from_memory")
            log.info("event_stored", event=alarm.event, kind=alarm.meaning.name, link=alarm.link, stage=alarm.stage)
            self._forwarder.add(alarm)
        return alarm.stage != codes.HEARD

    def _alarm(self, admitted: Admitted) -> Alarm:
        """Read an event body; what cannot be read becomes an alarm that carries it raw."""
        handle, body, heard = admitted.wearable.handle, admitted.body, admitted.heard
        try:
            event = Event(body)
            raw = None if event.kind in kinds.BY_CODE else body
        except NotUnderstood:
            event, raw = Event(_readable(body, admitted.counter)), body
        if raw is not None:
            self._counters.add("not_understood")
            log.error("event_not_understood", wearable=handle, number=event.number, size=len(body))
        return Alarm(
            handle,
            event.number,
            event.kind,
            event.detail,
            event.age_ms,
            event.age_resolution_ms,
            event.age_at_least,
            event.battery_percent,
            heard.link,
            heard.rssi_dbm,
            self._clock.boot_id,
            heard.at_ms,
            self._clock.wall_ms() - (self._clock.now_ms() - heard.at_ms),
            raw,
        )


def _readable(body: bytes, counter: int) -> bytes:
    """Seven bytes that can be read, from a body that cannot: cut TLVs go, missing bytes say unknown."""
    if len(body) >= 4:
        return body[:7] + b"\xff\xff\xf0"[len(body) - 4 :]
    return bytes([0]) + (_UNNUMBERED | counter & 0xFFFFF).to_bytes(3, "big") + b"\xff\xff\xf0"
