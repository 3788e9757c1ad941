"""From a frame as heard to an alarm on disk and a true answer. Owns that straight way, and nothing of radio or MQTT.

Guarantee: STORED is told after the commit (storing.py); each genuine question gets the present state; what is genuine
and cannot be read is kept raw and raised, never dropped.
"""

from __future__ import annotations

import asyncio
from binascii import crc32
from collections.abc import Callable, Coroutine

from edge_daemon.admission import Admission, Admitted, Unknown
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands
from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm, Heard
from edge_daemon.journal import Journal
from edge_daemon.log import Log
from edge_daemon.replies import Replies
from edge_daemon.storing import Storing
from edge_daemon.strangers import Strangers
from edge_daemon.wide_search import WideSearch
from protocol import codes, kinds
from protocol.messages import Event, Heartbeat, Hello, NotUnderstood, Result
from protocol.watchful import Trail

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
        storing: Storing,
        replies: Replies,
        commands: Commands,
        strangers: Strangers,
        clock: Clock,
        counters: Counters,
        wide_searches_per_s: float,
    ) -> None:
        self._admission = admission
        self._journal = journal
        self._storing = storing
        self._replies = replies
        self._commands = commands
        self._strangers = strangers
        self._clock = clock
        self._counters = counters
        self._search = WideSearch(admission, clock, counters, wide_searches_per_s, self._take, self._stranger)
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_heartbeat: Callable[[str, Heartbeat, Heard], None] = lambda handle, beat, heard: None
        self.on_trail: Callable[[Admitted, Trail], None] = lambda admitted, trail: None
        self.on_genuine: Callable[[str, str], None] = lambda handle, link: None
        self.on_stranger: Callable[[Unknown], None] = lambda unknown: None
        self.on_revoked: Callable[[str, str], None] = lambda handle, what: None

    def heard(self, heard: Heard) -> None:
        """Take a frame from a link."""
        admitted = self._admission.admit(heard)
        if isinstance(admitted, Admitted):
            self._take(admitted)
        elif isinstance(admitted, Unknown):
            self._search.add(admitted)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._counters.add("intake_failed")
            log.error("intake_failed", exc=task.exception())

    def _stranger(self, unknown: Unknown) -> None:
        if self._strangers.may_pass(unknown, self._clock.now_ms()):
            self.on_stranger(unknown)

    def _take(self, admitted: Admitted) -> None:
        self._replies.heard_from(admitted)
        handle = admitted.wearable.handle
        if admitted.wearable.revoked:
            self._revoked(admitted)
            return
        if admitted.frame_type == codes.EVENT:
            # First of all: whatever goes wrong with those who want to know that it lives, the alarm is on its way.
            self._start(self._event(admitted))
            self.on_genuine(handle, admitted.heard.link)
            return
        self.on_genuine(handle, admitted.heard.link)
        self._journal.move_window(handle, admitted.counter)
        try:
            self._message(handle, admitted)
        except NotUnderstood as error:
            self._counters.add("not_understood")
            log.warning("not_understood", wearable=handle, type=admitted.frame_type, why=str(error))
        self._commands.heard_from(admitted)

    def _revoked(self, admitted: Admitted) -> None:
        """Recognised, and not served: no alarm, no life sign. Whoever holds it is told so, and a person is told of it.

        What was taken before it was revoked stays taken.
        """
        handle, what, number = admitted.wearable.handle, "life_sign", 0
        self._counters.add("refused_revoked")
        self._journal.move_window(handle, admitted.counter)
        if admitted.frame_type == codes.EVENT:
            alarm = self._alarm(admitted)
            what, number = alarm.meaning.name, alarm.number
        elif admitted.frame_type == codes.HELLO:
            number = _asked_for(admitted.body)
        known = self._journal.alarms.get((handle, number))
        if known is None and (number or admitted.frame_type == codes.EVENT):
            self._replies.refuse(admitted, number, codes.REASON_REVOKED)
        elif known is not None and known.stage != codes.HEARD:
            # One that is on its way to the disk since before it was revoked is told when it is there.
            self._replies.tell(admitted, known)
        self.on_revoked(handle, what)

    def _message(self, handle: str, admitted: Admitted) -> None:
        if admitted.frame_type == codes.HELLO:
            self._hello(admitted, Hello(admitted.body))
        elif admitted.frame_type == codes.HEARTBEAT:
            self.on_heartbeat(handle, Heartbeat(admitted.body), admitted.heard)
            self._replies.greet(admitted)
        elif admitted.frame_type == codes.RESULT:
            self._commands.result(handle, Result(admitted.body))
        elif admitted.frame_type == codes.TRAIL:
            self.on_trail(admitted, Trail(admitted.body))
        else:
            raise NotUnderstood("unknown frame type")

    def _hello(self, question: Admitted, hello: Hello) -> None:
        """Tell the state of the event asked for, and of all that are open. Unknown here: HEARD with its number."""
        if not hello.asks_state:
            self._replies.greet(question)
            return
        handle = question.wearable.handle
        asked = self._journal.alarms.get((handle, hello.number))
        for alarm in self._journal.open_of(handle)[-_TOLD_MOST:]:
            if alarm is not asked and alarm.stage != codes.HEARD:
                self._replies.tell(question, alarm)
        if asked is not None and asked.stage != codes.HEARD:
            self._replies.tell(question, asked)
        else:
            self._replies.greet(question, hello.number)

    async def _event(self, admitted: Admitted) -> None:
        alarm = self._alarm(admitted)
        known = self._journal.alarms.get(alarm.key)
        if known is not None:
            self._counters.add("events_again")
            alarm = known
        if alarm.stage == codes.HEARD:
            await self._storing.store(alarm, admitted.counter)
        else:
            self._journal.move_window(alarm.wearable, admitted.counter)
        if alarm.stage != codes.HEARD:
            self._replies.tell(admitted, alarm)
        self._commands.heard_from(admitted)

    def _alarm(self, admitted: Admitted) -> Alarm:
        """Read an event body; what cannot be read becomes an alarm that carries it raw."""
        handle, body, heard = admitted.wearable.handle, admitted.body, admitted.heard
        try:
            event = Event(body)
            raw = None if event.kind in kinds.ON_AIR else body
        except NotUnderstood:
            event, raw = Event(_readable(body)), body
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
            self._clock.wall_at(heard.at_ms),
            raw,
        )


def _asked_for(body: bytes) -> int:
    """The number of the event that a HELLO asks about; 0: none."""
    try:
        hello = Hello(body)
    except NotUnderstood:
        return 0
    return hello.number if hello.asks_state else 0


def _readable(body: bytes) -> bytes:
    """Seven bytes that can be read, from a body that cannot: cut TLVs go, missing bytes say unknown.

    A number that is missing is made of the body itself, so that its repeats stay one event.
    """
    if len(body) >= 4:
        return body[:7] + b"\xff\xff\xf0"[len(body) - 4 :]
    return bytes([0]) + (_UNNUMBERED | crc32(body) & 0xFFFFF).to_bytes(3, "big") + b"\xff\xff\xf0"
