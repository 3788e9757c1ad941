"""Who is here, by what this gateway hears: residents who leave and return (home.py), workers who visit (visits.py).

Owns the look at the time and at the ears, and the file (kept.py). A gateway that was deaf, jammed, off or asleep says
of nobody that they have left: their silence begins anew when it can hear again. Must not know links or what is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from edge_daemon.ages import Ages
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.heard import Alarm
from edge_daemon.log import Log
from edge_daemon.presence import kept
from edge_daemon.presence.home import Believed, Home, Plans
from edge_daemon.presence.silences import Silences
from edge_daemon.presence.visits import Visits
from protocol import kinds

log = Log("presence")

_LOOK_EVERY_S = 0.5
_WRITE_WITHIN_S = 1.0
_FILE = "presence.json"
_RADIO = (kinds.RADIO_DEAF, kinds.RADIO_JAMMED)


class Presence:
    """Called from the event loop; never blocks, never raises. `plan`: of a wearable, None where there is none (yet).

    `believed_ms`: the time by which people are away. `serial_open`: whether any serial line hears now. The journal must
    be open before anything is heard.
    """

    def __init__(
        self,
        state_dir: Path,
        enrolled: Enrolled,
        faults: Faults,
        ages: Ages,
        plan: Plans,
        believed_ms: Believed = lambda: None,
        serial_open: Callable[[], bool] = lambda: False,
    ) -> None:
        self._file = state_dir / _FILE
        self._clock = ages.clock
        self._faults = faults
        self._serial_open = serial_open
        self._kept = kept.load(self._file)
        self._unwritten = self._failing = False
        self._writing: asyncio.Task[None] | None = None
        self._silences = Silences(self._clock.now_ms())
        self._home = Home(enrolled, faults, plan, believed_ms, self._kept, self._changed)
        self._visits = Visits(enrolled, faults, ages, plan, self._kept, self._changed)

    def heard(self, handle: str, link: str) -> None:
        """A genuine frame of a wearable, by a link of this name (ble, serial)."""
        self._silences.heard(handle, link, self._clock.now_ms())
        if self._visits.is_badge(handle):
            self._visits.heard(handle)
        else:
            self._home.heard(handle)

    def event(self, alarm: Alarm) -> None:
        """A new event, anybody's."""
        if self._visits.is_badge(alarm.wearable):
            self._visits.event(alarm)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await self.write()
            await asyncio.sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """See who has been silent for too long."""
        now_ms = self._clock.now_ms()
        self._silences.look({*self._home.watched(), *self._visits.badges()}, self._deaf(), now_ms)

        def silent_ms(handle: str) -> int:
            return self._silences.silent_ms(handle, now_ms)

        self._home.look(silent_ms)
        self._visits.look(silent_ms)

    def _deaf(self) -> set[str]:
        """The links whose ears do not hear: the radio where it says so; serial where a line was lost and none is left.

        Of sources of power, too, it is told that they are lost; those are no devices' paths.
        """
        deaf = {"ble" for kind in _RADIO if self._faults.about(kind)}
        lost = any(about.startswith("/") for about in self._faults.about(kinds.LINK_LOST))
        return deaf | {"serial"} if lost and not self._serial_open() else deaf

    async def write(self) -> None:
        """Have what has changed on disk; no longer than a while. What the disk refuses is tried again when called next.

        A disk that hangs holds one thread, and nobody up.
        """
        if self._writing is not None and not self._writing.done():
            return
        if self._unwritten:
            self._unwritten = False
            self._writing = asyncio.create_task(self._save(self._kept.packed()))
            await asyncio.wait({self._writing}, timeout=_WRITE_WITHIN_S)

    async def _save(self, data: bytes) -> None:
        try:
            await asyncio.to_thread(kept.save, self._file, data)
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.warning("presence_not_written", file=str(self._file), why=error.strerror)
            self._unwritten = self._failing = True

    def _changed(self) -> None:
        self._unwritten = True
