"""The forwarder. Guarantee: every alarm reaches the platform at least once, urgent first; retry never ends.

Owns retry and the deadline of each answer. Must not know MQTT's packets, which way out is taken (uplinks/ways.py), or
how answers reach a wearable. An alarm leaves the forwarder only by the platform's own word. What a PUBACK says is not
asked, nor what became of an SMS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.ages import Ages
from edge_daemon.asking import Asking
from edge_daemon.backlog import Backlog
from edge_daemon.config import Forwarder as Settings
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.heard import FINAL_STAGES, Alarm
from edge_daemon.journal import Journal
from edge_daemon.log import Log
from edge_daemon.out_queue import OutQueue, delay_ms, together
from edge_daemon.uplinks import payload
from edge_daemon.uplinks.answers import PlatformAnswer
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways
from protocol import codes

log = Log("forwarder")

# No backlog goes while the broker has so many messages to confirm: they stand in the socket before a fresh emergency,
# and four of twenty events are 32 KB. What the platform has to answer is bounded beside it, by backlog.py.
_UNCONFIRMED_MOST = 4
# However soon a busy platform wants it again: not in a tight circle.
_BUSY_LEAST_S = 1.0


class Forwarder:
    """Sends what waits, retries what is not answered, and takes the platform's word. `on_news` is told of changes.

    `on_stranded` is told, again and again, of alarms that the brokers do not get accepted: at each miss where no way
    carries, and when `no_answer_s` are over. `on_overdue` when `overdue`, the emergencies of the latter kind, changes.
    """

    def __init__(
        self,
        gateway: str,
        settings: Settings,
        journal: Journal,
        ways: Ways,
        ages: Ages,
        counters: Counters,
        no_answer_s: float = 60.0,
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._journal = journal
        self._ways = ways
        self._ages = ages
        self._clock = ages.clock
        self._counters = counters
        self._no_answer_s = no_answer_s
        self._queue = OutQueue()
        self._asking = Asking(self._queue, ages)
        self._waiting: dict[tuple[str, int], Alarm] = {}
        self._under_way: dict[tuple[str, int], Alarm] = {}
        # By which way each was sent last, until it is answered.
        self._sent_by: dict[tuple[str, int], Way] = {}
        self.overdue: set[tuple[str, int]] = set()
        self._wake = asyncio.Event()
        self._backlog = Backlog(self._wake.set)
        # How often the loop has turned: the watchdog looks whether it still does.
        self.turns = 0
        self._sending: dict[asyncio.Task[None], Way] = {}
        self.on_news: Callable[[Alarm], None] = lambda alarm: None
        self.on_stranded: Callable[[Alarm], None] = lambda alarm: None
        self.on_overdue: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        """Alarms that the platform has not accepted: a counter, never a query."""
        return len(self._waiting)

    def start(self) -> None:
        """Take up what the journal holds from before."""
        for alarm in self._journal.open_alarms():
            if alarm.waiting:
                self._wait_for(alarm)
                self._queue.retry(alarm, self._clock.now_ms())
        self._wake.set()

    def add(self, alarm: Alarm) -> bool:
        """A new alarm. One that could not be stored (stage HEARD) is sent from memory all the same.

        Returns False for one that it has or has had: nothing is sent for it then.
        """
        if not alarm.waiting or alarm.key in self._waiting:
            return False
        self._wait_for(alarm)
        self._queue.add(alarm)
        self._wake.set()
        return True

    def _wait_for(self, alarm: Alarm) -> None:
        self._waiting[alarm.key] = alarm
        asyncio.get_running_loop().call_later(self._no_answer_s, self._overdue, alarm)

    def connected(self) -> None:
        """A way is open: send what waits, and ask the state of what the platform had not closed."""
        now_ms = self._clock.now_ms()
        for alarm in self._under_way.values():
            self._queue.retry(alarm, now_ms)
        for alarm in self._journal.open_alarms():
            self._asking.now(alarm)
        self._queue.hurry()
        self._wake.set()

    def disconnected(self, way: Way) -> None:
        """A way is lost: nobody will confirm what is being sent. The deadlines of the answers still stand."""
        for task, sent_by in self._sending.items():
            if sent_by is way:
                task.cancel()
        self._backlog.lost(way)

    def wake(self) -> None:
        """Have the loop turn, though nothing may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Send for ever: as soon as something is due and there is room under way."""
        while True:
            self.turns += 1
            alarms = self._take()
            if alarms:
                for way, part in self._ways.by_way(alarms):
                    self._send(part, way)
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(self._idle_s()):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def answered(self, answer: PlatformAnswer, way: Way | None = None) -> bool:
        """The platform's word on one event, by whichever way it came; False when it is none of ours."""
        self._backlog.answered((answer.wearable, answer.number))
        alarm = self._journal.alarms.get((answer.wearable, answer.number))
        if alarm is not None and self._sent_by.get(alarm.key) is way and way is not None:
            # There and back by this way: it carries. News, or what waited in a session, proves nothing of today.
            del self._sent_by[alarm.key]
            way.answered("event")
        if alarm is None or alarm.stage in FINAL_STAGES:
            return alarm is not None
        if answer.stage == codes.BUSY:
            self._busy(alarm, answer)
            return True
        # What has been accepted can't be refused any more: the wearer was told, and somebody may be on the way.
        if answer.stage <= alarm.stage or (answer.stage == codes.REFUSED and not alarm.waiting):
            if self._under_way.pop(alarm.key, None) is not None:  # asked after: nothing new is an answer, and no miss
                self._asking.later(alarm)
            return True
        alarm.stage, alarm.reason, alarm.path_lost, alarm.busy = answer.stage, answer.reason, False, False
        self._waiting.pop(alarm.key, None)
        self._under_way.pop(alarm.key, None)
        self._sent_by.pop(alarm.key, None)
        self._counters.add(f"platform_{_NAMES[answer.stage]}")
        log.info("event_" + _NAMES[answer.stage], event=alarm.event, reason=answer.reason)
        self._journal.advance(alarm)
        self._asking.later(alarm)
        self.on_news(alarm)
        if alarm.key in self.overdue:
            self.overdue.discard(alarm.key)
            self.on_overdue()
        return True

    def _busy(self, alarm: Alarm, answer: PlatformAnswer) -> None:
        """The platform cannot now: retry on its terms, and the wearer sees that it is not accepted."""
        if not alarm.waiting:
            return
        self._counters.add("platform_busy")
        log.warning("event_busy", event=alarm.event, retry_after_s=answer.retry_after_s)
        wait_ms = delay_ms(max(alarm.tries, 1), self._settings)
        if answer.retry_after_s is not None:
            wait_ms = int(max(answer.retry_after_s, _BUSY_LEAST_S) * 1000)
        # It has answered: this try is no miss.
        self._under_way.pop(alarm.key, None)
        self._retry(alarm, self._clock.now_ms() + wait_ms)
        self._wake.set()
        alarm.path_lost = False
        if not alarm.busy:
            alarm.busy = True
            self.on_news(alarm)

    @property
    def _has_room(self) -> bool:
        """Whether some of the backlog may go. A fresh emergency asks nobody."""
        return len(self._sending) < _UNCONFIRMED_MOST and self._backlog.has_room

    def _take(self) -> list[Alarm]:
        """The next message's alarms. Those that were closed meanwhile need no message."""
        while self._queue.has_fresh or self._has_room:
            taken = self._queue.take(self._clock.now_ms(), self._settings.batch)
            alarms = [alarm for alarm in taken if alarm.stage not in FINAL_STAGES]
            if alarms or not taken:
                return alarms
        return []

    def _idle_s(self) -> float | None:
        """How long there is nothing to do unless something happens; where there is room again, we are woken."""
        due_ms = self._queue.next_due_ms()
        if due_ms is None or not self._has_room:
            return None
        return max(due_ms - self._clock.now_ms(), 1) / 1000

    def _send(self, alarms: list[Alarm], way: Way) -> None:
        """One message: out, and after its deadline whatever it did not get accepted is put back to be sent again.

        The deadline is set here, before anything that can fail or be cancelled: an alarm taken from the queue must
        come back to it.
        """
        sent = []
        for alarm in alarms:
            alarm.tries += 1
            sent.append((alarm, alarm.tries))
            self._under_way[alarm.key] = alarm
            self._sent_by[alarm.key] = way
            log.debug("event_sent", event=alarm.event, tries=alarm.tries, way=way.name)
        number, now_ms = self._backlog.sent(alarms, way), self._clock.now_ms()
        asyncio.get_running_loop().call_later(self._settings.answer_within_s, self._deadline, sent, way, now_ms, number)
        task = asyncio.create_task(self._publish(alarms, way))
        self._sending[task] = way
        task.add_done_callback(self._published)

    async def _publish(self, alarms: list[Alarm], way: Way) -> None:
        data = payload.events(self._gateway, alarms, self._ages)
        try:
            await way.uplink.publish("event", data, answer="answer", correlation=alarms[0].event.encode())
        except UplinkDown as error:
            self._counters.add("publish_failed")
            log.debug("publish_failed", why=str(error), events=len(alarms))

    def _published(self, task: asyncio.Task[None]) -> None:
        self._sending.pop(task, None)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("send_failed", exc=task.exception())

    def _deadline(self, sent: list[tuple[Alarm, int]], way: Way, sent_ms: int, number: int) -> None:
        """Answers were due now. What was answered is not under way; what was sent again has a later deadline."""
        self._backlog.over(number)
        now_ms = self._clock.now_ms()
        missed = [alarm for alarm, tries in sent if alarm.tries == tries and alarm.key in self._under_way]
        if missed:
            # First: whatever it was sent by may be left now, and the other way be taken for all that waits.
            self._ways.missed(way, sent_ms)
        for alarm in missed:
            del self._under_way[alarm.key]
            if alarm.waiting:
                self._missed(alarm, now_ms)
            else:
                self._asking.later(alarm)
        self._wake.set()

    def _missed(self, alarm: Alarm, now_ms: int) -> None:
        alarm.misses += 1
        alarm.busy = False
        self._counters.add("answers_missed")
        wait_ms = delay_ms(alarm.tries, self._settings) - int(self._settings.answer_within_s * 1000)
        self._retry(alarm, now_ms + max(wait_ms, 0))
        # After three missed answers, or after one where there is no broker to answer.
        if not self._ways.connected or alarm.misses >= self._settings.no_path_after_misses:
            self._tell_no_path(alarm)
        if self._ways.exhausted:
            self.on_stranded(alarm)

    def _tell_no_path(self, alarm: Alarm) -> None:
        if not alarm.path_lost:
            alarm.path_lost = True
            log.warning("no_path", event=alarm.event, misses=alarm.misses)
            self.on_news(alarm)

    def _overdue(self, alarm: Alarm) -> None:
        """However the ways come and go, so that no try ever gets to its deadline: this one has waited too long."""
        if not alarm.waiting:
            return
        if not alarm.busy:
            self._tell_no_path(alarm)
        if alarm.meaning.event_class == "emergency":
            self.overdue.add(alarm.key)
            log.warning("no_answer", event=alarm.event, after_s=self._no_answer_s)
            self.on_overdue()
        self.on_stranded(alarm)

    def _retry(self, alarm: Alarm, due_ms: int) -> None:
        """Where others wait, too, retries of about the same time share a message; one alone waits for nobody."""
        self._queue.retry(alarm, together(due_ms, self._settings) if len(self._waiting) > 1 else due_ms)


_NAMES = {codes.ACCEPTED: "accepted", codes.ANSWERED: "answered", codes.CLOSED: "closed", codes.REFUSED: "refused"}
