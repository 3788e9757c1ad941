"""What wearers were promised, against what the platform has: the one judgement that campaigns with a house share.

A wearer who was shown PRESSED has been promised one incident, and to be told how it ended. Owns the presses, and the
comparison with the desk's own database, which no page's limits hide anything of. Must not know what was hurt.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter

from hil_tests.desk.process import DeskFailed
from hil_tests.faults.campaign import Outcome
from hil_tests.house import House
from hil_tests.wearable.errors import WearableFailed

# The truth only grows; NO_PATH, BUSY and HEARD stand beside it and may come and go.
_ORDER = ("STORED", "ACCEPTED", "ANSWERED", "CLOSED")
_LOOK_EVERY_S = 0.1
# The button's way through 23 processes on two shared processors.
_PRESSED_WITHIN_S = 30.0


class Promises:
    """Of all wearables of one house, from when this is made on."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.presses: Counter[str] = Counter()
        self._late: set[str] = set()

    async def press(self, name: str) -> int:
        """Hold this wearable's button until it is an SOS; return the event's number. Raises WearableFailed."""
        wearable = self._house.wearables[name]
        since = len(wearable.body.shown)
        self.presses[name] += 1
        await wearable.hold()
        return (await wearable.shown("PRESSED", since=since, within_s=_PRESSED_WITHIN_S)).number

    def event(self, name: str, number: int) -> str:
        """The identity of an event, as the platform has it."""
        return f"{self._house.wearables[name].handle}-{number:06x}"

    def open_at(self, name: str) -> int:
        """How many events this wearable has begun and not yet seen closed."""
        shown = self._house.wearables[name].body.shown
        closed = {one.number for one in shown if one.stage == "CLOSED"}
        return len({one.number for one in shown if one.stage == "PRESSED"} - closed)

    def promised(self) -> set[str]:
        """Every event whose wearer was shown PRESSED."""
        return {
            self.event(name, shown.number)
            for name, wearable in self._house.wearables.items()
            for shown in wearable.body.shown
            if shown.stage == "PRESSED"
        }

    async def until(self, events: set[str], stages: tuple[str, ...], within_s: float) -> set[str]:
        """Wait until all these events have one of these stages at the desk; return those that have not in time."""
        deadline_s = time.monotonic() + within_s
        missing = set(events)
        while missing:
            for event in sorted(missing):
                # The desk may be dead just now, and an incident may be on its way.
                with contextlib.suppress(DeskFailed):
                    if (await self._house.desk.get(f"/api/incidents/{event}"))["stage"] in stages:
                        missing.discard(event)
            if time.monotonic() > deadline_s:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
        return missing

    async def settle(self, outcome: Outcome, within_s: float) -> None:
        """While the house stands: wait for the end of all that was promised, and for its wearers to be told."""
        late = self._late = await self.until(self.promised(), ("closed",), within_s)
        outcome.lost += [f"{event}: PRESSED shown, no incident that is closed {within_s:g} s later" for event in late]
        await asyncio.gather(*(self._told(name, outcome, within_s) for name in self.presses))

    def compare(self, outcome: Outcome) -> None:
        """When the house has been left: what the databases have, against what the wearers were shown."""
        promised = self.promised()
        with contextlib.closing(sqlite3.connect(self._house.directory / "desk" / "desk.sqlite3")) as desk:
            known = {event for (event,) in desk.execute("SELECT event FROM incidents")}
        # A gateway raises events of its own, under a name of its own; they are not what is counted here.
        handles = tuple(wearable.handle for wearable in self._house.wearables.values())
        known = {event for event in known if event.startswith(handles)}
        outcome.lost += [f"{event}: PRESSED shown, no incident" for event in sorted(promised - known - self._late)]
        outcome.twice += [f"{event}: an incident that nobody pressed" for event in sorted(known - promised)]
        for name, presses in sorted(self.presses.items()):
            events = sum(event.startswith(self._house.wearables[name].handle) for event in promised)
            found = outcome.twice if events > presses else outcome.lost
            if events != presses:
                found.append(f"{name}: {events} events of {presses} presses")
            self._way(name, outcome)
        self._journals(outcome)

    def _way(self, name: str, outcome: Outcome) -> None:
        """No wearer was told less than was true before."""
        shown: dict[int, list[str]] = {}
        for one in self._house.wearables[name].body.shown:
            if one.stage in _ORDER:
                shown.setdefault(one.number, []).append(one.stage)
        for number, way in shown.items():
            if way != sorted(way, key=_ORDER.index):
                outcome.wrong.append(f"{self.event(name, number)}: shown {' '.join(way)}")

    async def _told(self, name: str, outcome: Outcome, within_s: float) -> None:
        """The newest event is what the wearer is shown the end of."""
        wearable = self._house.wearables[name]
        number = max(shown.number for shown in wearable.body.shown if shown.stage == "PRESSED")
        try:
            await wearable.shown("CLOSED", number, within_s=within_s)
        except WearableFailed as failed:
            outcome.wrong.append(f"{self.event(name, number)}: closed, and its wearer not told: {failed}"[:2000])

    def _journals(self, outcome: Outcome) -> None:
        """Each gateway's journal is sound."""
        for name in self._house.gateways:
            file = self._house.directory / name / "state" / "journal.sqlite3"
            with contextlib.closing(sqlite3.connect(file)) as journal:
                said = journal.execute("PRAGMA integrity_check").fetchall()
            if said != [("ok",)]:
                outcome.wrong.append(f"{name}: the journal is not sound: {said}")
