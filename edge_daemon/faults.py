"""The gateway's own events: what it has to say of itself and of what it watches over.

Owns which conditions hold, over restarts too: each is told once when it begins and once when it ends. They are rows of
the journal like a wearable's alarms, made by the journal file's own handle (journal/maker.py), and are kept, sent,
repeated and answered like them. Must not know who watches what: those call `report` and `condition`.
"""

from __future__ import annotations

import asyncio

from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm
from edge_daemon.journal import Journal
from edge_daemon.log import Log
from edge_daemon.storing import Storing

log = Log("faults")

LINK = "gateway"
_ABOUT_MOST = 64
_NOTE_MOST = 200


class Faults:
    """Called from the event loop; never blocks, never raises. The journal must be open."""

    def __init__(self, journal: Journal, storing: Storing, clock: Clock) -> None:
        self._journal = journal
        self._storing = storing
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def holds(self, kind: int, about: str) -> bool:
        """Whether a condition has begun and not ended."""
        return (kind, _plain(about, _ABOUT_MOST)) in self._journal.conditions

    def about(self, kind: int) -> list[str]:
        """Of which parts a condition holds."""
        return sorted(about for held, about in self._journal.conditions if held == kind)

    def said(self, kind: int, about: str, note: str) -> bool:
        """Whether this very event of the gateway's own is in the journal."""
        own = (alarm for alarm in self._journal.alarms.values() if alarm.of_gateway)
        return any((alarm.kind, alarm.about, alarm.note) == (kind, about, note) for alarm in own)

    def report(self, kind: int, about: str = "", note: str = "") -> Alarm:
        """Something happened. `kind`: of kinds.py, 0x80 up; `about`: which part; `note`: a word on it, in ASCII."""
        now_ms = self._clock.now_ms()
        maker, number = self._journal.next_own()
        alarm = Alarm(
            wearable=maker,
            number=number,
            kind=kind,
            detail=0,
            age_ms=0,
            age_resolution_ms=1,
            age_at_least=False,
            battery_percent=-1,
            link=LINK,
            rssi_dbm=None,
            boot_id=self._clock.boot_id,
            heard_ms=now_ms,
            heard_wall_ms=self._clock.wall_at(now_ms),
            raw=None,
            about=_plain(about, _ABOUT_MOST),
            note=_plain(note, _NOTE_MOST),
        )
        log.warning("fault", kind=alarm.meaning.name, about=alarm.about, note=alarm.note)
        task = asyncio.get_running_loop().create_task(self._storing.store(alarm, alarm.number))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return alarm

    def condition(self, kind: int, about: str, active: bool, note: str = "") -> None:
        """Something is wrong (`kind`) or right again (`kind` + 1). Told when it changes, however often it is said."""
        if self._change(kind, about, active):
            self.report(kind if active else kind + 1, about, note)

    def note(self, kind: int, about: str, *, holds: bool) -> None:
        """Remember what holds without telling it, for whoever tells it in another way."""
        self._change(kind, about, holds)

    def once(self, kind: int, about: str, active: bool, note: str = "") -> None:
        """As `condition`, for what has no end to be told: when it holds no more, it may be told anew."""
        if self._change(kind, about, active) and active:
            self.report(kind, about, note)

    def _change(self, kind: int, about: str, holds: bool) -> bool:
        """Remember whether a condition holds now. Returns whether that is new."""
        if holds == self.holds(kind, about):
            return False
        self._journal.set_condition((kind, _plain(about, _ABOUT_MOST)), holds=holds)
        return True

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("fault_unsaid", exc=task.exception())


def _plain(text: str, most: int) -> str:
    """What goes to the platform and into its pages: printable ASCII, of bounded length."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:most])
