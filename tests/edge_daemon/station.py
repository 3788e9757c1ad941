"""Both brokers and a modem by hand over a real journal and forwarder: for tests of ways, and who is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_daemon.ages import Ages
from edge_daemon.config import Forwarder as Ladder
from edge_daemon.config import Ways as Settings
from edge_daemon.faults import Faults
from edge_daemon.forwarder import Forwarder
from edge_daemon.journal import Journal
from edge_daemon.storing import Storing
from edge_daemon.uplinks.answers import PlatformAnswer
from edge_daemon.uplinks.last_resort import LastResort
from edge_daemon.uplinks.path_tests import PathTests
from edge_daemon.uplinks.path_watch import PathWatch
from protocol import codes

from .core import WITHIN_S
from .hand import Two
from .test_last_resort import Modem

DAY_S = 86_400


class Station(Two):
    """Both brokers and a modem by hand, with real journal, forwarder, tests and watch."""

    def __init__(self, path: Path, gateway: str = "gw-1") -> None:
        super().__init__(Settings())
        self.modem = Modem()
        self.journal = Journal(path / "journal.sqlite3", self.counters)
        self.ages = Ages(self.journal, self.clock)
        self.forwarder = Forwarder("gw-1", Ladder(), self.journal, self.ways, self.ages, self.counters)
        self.faults = Faults(self.journal, Storing(self.journal, self.forwarder, self.ages, self.counters), self.clock)
        self.resort = LastResort("gw-1", self.modem, self.ages, 600.0, self.counters)
        self.tests = PathTests(
            gateway, DAY_S, self.ways.all, self.resort, self.faults, self.journal, self.ages, self.counters
        )
        self.watch = PathWatch(self.ways, self.modem, self.tests, self.faults, self.settings, 60.0, self.clock)
        self.away: list[bool] = []
        self.watch.on_platform = self.away.append

    async def said(self) -> list[tuple[str, str]]:
        """Kinds and notes of the gateway's own events so far."""
        await asyncio.sleep(0.05)
        made = [alarm for alarm in self.journal.alarms.values() if alarm.of_gateway]
        return [(alarm.meaning.name, alarm.note) for alarm in sorted(made, key=lambda alarm: alarm.number)]

    async def accept(self, kind: int, by: str) -> None:
        """The platform accepts the newest event of a kind, by one of the ways, once it has been sent."""
        async with asyncio.timeout(WITHIN_S):
            while not any(a.kind == kind and a.waiting and a.tries for a in self.journal.alarms.values()):
                await asyncio.sleep(0.005)
        alarm = max((a for a in self.journal.alarms.values() if a.kind == kind), key=lambda a: a.number)
        answer = PlatformAnswer(alarm.wearable, alarm.number, codes.ACCEPTED, 0, None)
        assert self.forwarder.answered(answer, self.way[by])

    async def live(self, seconds: int, *alive: str) -> None:
        """Minutes go by, with a heartbeat each, answered by the ways that are named."""
        for _ in range(seconds // 60):
            self.clock.pass_s(60)
            if alive:
                await self.alive(*alive)
            self.watch.look()

    async def until_sent(self, by: str, kind: str) -> None:
        async with asyncio.timeout(WITHIN_S):
            while kind not in [row["kind"] for m in self.lines[by].messages() for row in m["events"]]:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def station(path: Path, **more: Any) -> AsyncIterator[Station]:
    made = Station(path, **more)
    await made.journal.open()
    tasks = [asyncio.create_task(part.run()) for part in (made.journal, made.forwarder, made.resort)]
    made.forwarder.start()
    try:
        yield made
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await made.journal.close()
