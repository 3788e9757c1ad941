"""Active care: plans from the platform, kept and lived by here, with or without a network. Start reading at README.md.

Owns the wearers' cases, and the turn in which all of care happens: judge the time, ask what fell due, keep what has
changed, then tell. Guarantee: what is told is on disk first, or the disk has failed; so each outcome is told once, over
kill and power cut. Must not know MQTT, links or the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from edge_daemon.care import signs
from edge_daemon.care.case import Case
from edge_daemon.care.cases import Cases
from edge_daemon.care.guard import Guard
from edge_daemon.care.kept import Kept
from edge_daemon.care.local_time import Anchor, LocalTime
from edge_daemon.care.plan import Plan
from edge_daemon.care.schedule import local
from edge_daemon.care.shelf import Content, Shelf
from edge_daemon.care.telling import Telling
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands, Told
from edge_daemon.counters import Counters
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.heard import Alarm
from edge_daemon.log import Log
from protocol import kinds
from protocol.messages import Heartbeat

log = Log("care")

# Nothing sleeps through to when something is due: clocks step, and machines sleep.
_LOOK_EVERY_S = 0.5
# A turn that comes so late was held up by more than load: the machine slept.
_SLEPT_MS = 60_000
_MINUTE_MS = 60_000
_KEPT_EVERY_MS = 600_000
# Of a platform gone mad.
_MESSAGES_MOST = 100
_SIGNS_MOST = 10_000
_TIME, _TELLING = "time", "telling"
_NO_TIME: dict[str, Any] = {"boot": "", "offset": None, "seen": None, "looked": None}


class Care:
    """`report` publishes an up/care message. `alarms`: what the journal holds, for what was stored and not heard of."""

    def __init__(
        self,
        gateway: str,
        state_dir: Path,
        enrolled: Enrolled,
        commands: Commands,
        faults: Faults,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._enrolled = enrolled
        self._faults = faults
        self._clock = clock
        self._counters = counters
        self._guard = Guard(counters)
        self._shelf = Shelf(Kept(state_dir / "care.json"), counters, self._damaged)
        self._time = LocalTime(clock, Anchor())
        self._telling = Telling(gateway, faults)
        self._cases = Cases(enrolled, commands, self._telling, self._touched, clock, counters)
        self._inbox: list[Callable[[], None]] = []
        self._messages = 0
        # The last events that were taken for what they say.
        self._signs: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._looked_ms: int | None = None
        self._turned_ms = self._awake_ms = clock.now_ms()
        self._changed = False
        self._kept_ms = 0
        self._wake = asyncio.Event()
        self.alarms: Callable[[], Iterable[Alarm]] = lambda: ()

    @property
    def report(self) -> Callable[[bytes], None]:
        """Publishes an up/care message."""
        return self._telling.report

    @report.setter
    def report(self, publish: Callable[[bytes], None]) -> None:
        self._telling.report = publish

    # ---- what comes: taken up by the next turn, so that no fault of ours is in an alarm's way ----

    def take(self, data: bytes) -> None:
        """A down/care message. What becomes of it is reported when it is kept."""
        if self._messages >= _MESSAGES_MOST:
            self._counters.add("care_unheard")
            return
        self._messages += 1
        self._put(lambda: self._cases.read(data, self._time.wall_ms()))

    def look(self, command: str, handle: str, seconds: int, told: Told) -> None:
        """An operator calls a wearer to look at the watch; `told` hears, once, that it was shown, or why not."""
        self._put(lambda: self._call(command, handle, seconds, told))

    def heard(self, handle: str) -> None:
        """Any genuine frame of a wearable."""
        case = self._cases.get(handle)
        if case is not None:
            case.still.heard(self._clock.now_ms())

    def heartbeat(self, handle: str, beat: Heartbeat) -> None:
        """What a wearable says of itself."""
        self._put(lambda: self._beat(handle, beat))

    def event(self, alarm: Alarm) -> None:
        """A wearable's event, newly stored."""
        self._put(lambda: self._sign(alarm))

    def _put(self, what: Callable[[], None]) -> None:
        self._inbox.append(what)
        self._wake.set()

    def _call(self, command: str, handle: str, seconds: int, told: Told) -> None:
        if handle not in self._enrolled:
            told("refused", "unknown_wearable", b"")
            return
        case, wall_ms = self._cases.of(handle), self._time.wall_ms() or self._clock.wall_at(self._clock.now_ms())
        now = datetime.fromtimestamp(wall_ms / 1000, case.plan.zone if case.plan is not None else UTC)
        case.checkins.look(command, seconds, now.date().isoformat(), now.strftime("%H:%M"), told)

    def _beat(self, handle: str, beat: Heartbeat) -> None:
        if handle not in self._enrolled:
            return
        case = self._cases.of(handle)
        case.still.heartbeat(beat)
        if case.settings.heartbeat(beat.settings):
            self._touched()
            if case.holds:
                self._telling.reply(case.reply())

    def _sign(self, alarm: Alarm) -> None:
        """An event that is stored twice, or was there at the start, answers one question, not two."""
        case = self._cases.get(alarm.wearable)
        if case is not None and alarm.key not in self._signs:
            self._signs[alarm.key] = None
            if len(self._signs) > _SIGNS_MOST:
                self._signs.popitem(last=False)
            signs.take(case, alarm, self._clock, self._time.offset_ms)

    # ---- what is asked ----

    def plan(self, handle: str) -> Plan | None:
        """The plan in force for a wearable that is served; None: there is none."""
        case = self._cases.get(handle)
        return case.plan if case is not None else None

    def believed_ms(self) -> int | None:
        """Milliseconds since 1970 by which care acts; None: nothing is believed."""
        return self._time.wall_ms()

    def offset_minutes(self, handle: str) -> int | None:
        """How far a wearer's local time is ahead of UTC now; None: no plan says where they live, or nobody the time."""
        plan, wall_ms = self.plan(handle), self._time.wall_ms()
        if plan is None or wall_ms is None:
            return None
        ahead = local(plan, wall_ms).utcoffset()
        return None if ahead is None else int(ahead.total_seconds()) // 60

    def tell(self) -> None:
        """There is a way to the platform (again): say all that is kept, for a report that found none is lost."""
        for case in self._cases.served():
            if case.holds:
                self._telling.reply(case.reply())
        self._wake.set()

    # ---- the turn ----

    async def run(self) -> None:
        """Care for ever."""
        await self._begin()
        while True:
            with self._guard:
                self._turn()
            with self._guard:
                await self._keep_and_tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()
            self._wake.clear()

    def _turn(self) -> None:
        now_ms = self._clock.now_ms()
        known = self._time.offset_ms is not None
        stepped = False
        with self._guard:
            stepped = self._time.look() and known
        if now_ms - self._turned_ms >= _SLEPT_MS:
            self._awake_ms = now_ms
            for case in self._cases:
                self._guard.run(case.checkins.slept)
        self._turned_ms = now_ms
        inbox, self._inbox, self._messages = self._inbox, [], 0
        for what in inbox:
            self._guard.run(what)
        with self._guard:
            self._fall_due(now_ms, stepped=stepped)
        for case in self._cases.served():
            self._guard.run(case.checkins.turn)
            self._guard.run(self._judge_stillness, case, now_ms)
        with self._guard:
            for handle in self._cases.leave_others():
                self._faults.note(kinds.INACTIVE, handle, holds=False)

    def _fall_due(self, now_ms: int, *, stepped: bool) -> None:
        """Time of day has gone on, or was set: have asked what fell due. A clock set back brings nothing back."""
        wall_ms = self._time.wall_ms()
        if wall_ms is None:
            return
        after_ms, self._looked_ms = self._looked_ms, wall_ms
        if after_ms is None or wall_ms // _MINUTE_MS <= after_ms // _MINUTE_MS:
            return
        # Before our start, or while the machine slept, nobody could ask; else only the clock did not say so in time.
        unasked = "gateway_off" if not stepped and self._awake_ms > now_ms - (wall_ms - after_ms) else "clock"
        for case in self._cases.served():
            self._guard.run(case.fall_due, after_ms, wall_ms, unasked)

    def _judge_stillness(self, case: Case, now_ms: int) -> None:
        told = self._faults.holds(kinds.INACTIVE, case.handle)
        inactive = case.inactive(now_ms, self._time.wall_ms(), told=told)
        if case.plan is not None and case.plan.inactivity is not None:
            self._faults.condition(kinds.INACTIVE, case.handle, inactive, case.still.note())
        elif told:
            # Nobody has seen the wearer: there is just nobody any more who watches.
            self._faults.note(kinds.INACTIVE, case.handle, holds=False)

    # ---- what is kept ----

    def _touched(self) -> None:
        """There is something to keep."""
        self._changed = True

    def _damaged(self, note: str) -> None:
        self._faults.report(kinds.STORE_DAMAGED, "care", note)
        self._touched()

    def _content(self) -> Content:
        anchor = self._time.anchor()
        time = {"boot": anchor.boot_id, "offset": anchor.offset_ms, "seen": anchor.seen_ms, "looked": self._looked_ms}
        return {_TIME: time, _TELLING: self._telling.row(), **self._cases.rows(anchor.offset_ms)}

    async def _keep_and_tell(self) -> None:
        """What is told is on disk first; an event is told without, where the disk fails."""
        now_ms = self._clock.now_ms()
        if self._changed or any(case.grown for case in self._cases) or self._aged(now_ms):
            self._changed, self._kept_ms = False, now_ms
            if not await self._shelf.keep(self._content):
                self._changed = True
        if self._telling.tell_events(unkept=self._shelf.in_trouble):
            self._touched()
        if not self._changed:
            self._telling.reply_all()

    def _aged(self, now_ms: int) -> bool:
        """Whether what was kept of the time is old, and somebody lives by it."""
        return now_ms - self._kept_ms >= _KEPT_EVERY_MS and any(case.holds for case in self._cases)

    async def _begin(self) -> None:
        """Go on where a run before this one ended; what is not understood of its file is set aside with all of it."""
        with self._guard:
            self._resume(await self._shelf.read())
            if self._guard.failed:
                await self._shelf.set_aside()

    def _resume(self, content: Content) -> None:
        """Take up what was kept, then what came meanwhile."""
        self._guard.run(self._resume_time, content.pop(_TIME, _NO_TIME))
        self._guard.run(self._telling.resume, content.pop(_TELLING, {"events": []}))
        for handle, row in content.items():
            self._guard.run(self._cases.resume, handle, row, self._time.offset_ms)
        # Before whatever has come meanwhile: what the journal holds came first.
        stored = [alarm for alarm in self.alarms() if self._cases.get(alarm.wearable) is not None]
        self._inbox = [partial(self._sign, alarm) for alarm in stored] + self._inbox

    def _resume_time(self, row: dict[str, Any]) -> None:
        """Raises KeyError, TypeError: nothing was taken up."""
        numbers = [row[name] for name in ("offset", "seen", "looked")]
        if any(type(number) is not int for number in numbers if number is not None):
            raise TypeError("no whole number")
        self._time = LocalTime(self._clock, Anchor(row["boot"], *numbers[:2]))
        self._time.look()
        self._looked_ms = numbers[2]
