"""The middle of the gateway with a stand-in for its uplink: real admission, real journal on disk, real forwarder.

For tests that must decide when the platform answers. What runs over a real broker is in test_uplink.py and up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_daemon.admission import Admission, Unknown
from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands
from edge_daemon.config import Forwarder as ForwarderSettings
from edge_daemon.config import Supervision as SupervisionSettings
from edge_daemon.config import Ways as WaysSettings
from edge_daemon.config import Wearables as WearableSettings
from edge_daemon.counters import Counters
from edge_daemon.enrolled import Enrolled
from edge_daemon.errors import UplinkDown
from edge_daemon.faults import Faults
from edge_daemon.following import follow
from edge_daemon.forwarder import Forwarder
from edge_daemon.intake import Intake
from edge_daemon.journal import Journal, schema
from edge_daemon.registry import Wearable
from edge_daemon.replies import Replies
from edge_daemon.security import Security
from edge_daemon.storing import Storing
from edge_daemon.strangers import Strangers
from edge_daemon.supervision.impaired import Impaired
from edge_daemon.supervision.wearables import WearableWatch
from edge_daemon.uplinks import answers
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways
from protocol.messages import Answer

from .wearer import Recorder, Wearer

WITHIN_S = 20.0


class StandInUplink:
    """Keeps what is published. `connected` False: it raises as the real one does; `hold`: nothing is confirmed."""

    def __init__(self) -> None:
        self.connected = True
        self.on_message: Any = None
        self.on_connected: Any = None
        self.on_disconnected: Any = None
        self.confirming = asyncio.Event()
        self.confirming.set()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self._news = asyncio.Event()

    def want(self) -> None:
        """Nothing is waited for here."""

    async def publish(self, kind: str, data: bytes, **_: object) -> None:
        if not self.connected:
            raise UplinkDown("not connected")
        self.sent.append((kind, json.loads(data)))
        self._news.set()
        await self.confirming.wait()

    def messages(self, kind: str = "event") -> list[dict[str, Any]]:
        return [message for sent, message in self.sent if sent == kind]

    def events(self) -> list[list[str]]:
        """The event ids of each event message."""
        return [[row["event"] for row in message["events"]] for message in self.messages()]

    async def until(self, count: int, kind: str = "event") -> list[dict[str, Any]]:
        """Wait until so many messages of a kind have been published."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.messages(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return self.messages(kind)


class Core:
    """Everything between links and uplink, wired as the pipeline wires it."""

    def __init__(
        self, path: Path, wearers: list[Wearer], settings: ForwarderSettings | None = None, clock: Clock | None = None
    ) -> None:
        self.counters = Counters()
        self.clock = clock or Clock()
        self.uplink = StandInUplink()
        self.strangers_seen: list[Unknown] = []
        self.forgotten: list[str] = []
        self.expecting: list[bool] = []
        self.journal = Journal(path / "journal.sqlite3", self.counters)
        self.ages = Ages(self.journal, self.clock)
        self.replies = Replies(self.counters)
        self.settings = settings or ForwarderSettings()
        self.way = Way("primary", self.uplink, 3, self.settings.answer_within_s, self.clock)
        self.ways = Ways("gw-1", [self.way], WaysSettings(), self.clock, self.counters)
        self.forwarder = Forwarder(
            "gw-1",
            self.settings,
            self.journal,
            self.ways,
            self.ages,
            self.counters,
        )
        self.storing = Storing(self.journal, self.forwarder, self.ages, self.counters)
        self.faults = Faults(self.journal, self.storing, self.clock)
        self.forwarder.on_news = self.replies.tell_if_there
        self.ways.on_open, self.ways.on_closed = self.forwarder.connected, self.forwarder.disconnected
        self.wearables = [Wearable(w.handle, w.keys.up, w.keys.down, w.keys.id, w.revoked) for w in wearers]
        self.enrolled = Enrolled(self.wearables)
        self.commands = Commands(self.enrolled, self.replies, self.clock, self.counters)
        self._tasks: list[asyncio.Task[None]] = []
        self._writer: asyncio.Task[None] | None = None

    async def start(self, *, write: bool = True) -> None:
        """Open the journal and run. `write` False: the disk hangs until `write` is called."""
        await self.journal.open()
        self.replies.resume(self.wearables, self.journal.windows)
        told = WearableSettings()
        windows = self.journal.windows
        admission = Admission(self.wearables, windows, told.window, told.wide_window, self.counters)
        self.watch = WearableWatch(self.enrolled.expected, self.journal, self.faults, SupervisionSettings(), self.clock)
        self.impaired = Impaired(self.enrolled, self.faults)
        follow(
            self.enrolled,
            admission,
            windows,
            self.replies,
            self.commands,
            self.watch,
            self.impaired,
            self.forgotten.append,
            self.expecting.append,
        )
        strangers = Strangers(self.settings.strangers_per_s, self.settings.strangers_burst, self.counters)
        security = Security(self.faults, admission, self.journal.windows, self.clock, self.counters)
        admission.on_taken, admission.on_spent = security.taken, security.spent
        self.intake = Intake(
            admission,
            self.journal,
            self.storing,
            self.replies,
            self.commands,
            strangers,
            self.clock,
            self.counters,
            told.wide_searches_per_s,
        )
        self.intake.on_revoked = security.revoked
        self.intake.on_genuine = lambda handle, link: self.watch.heard(handle)
        self.intake.on_heartbeat = lambda handle, beat, heard: self.impaired.heartbeat(handle, beat)
        self.intake.on_stranger = self.strangers_seen.append
        self.forwarder.start()
        self._tasks += [asyncio.create_task(self.forwarder.run()), asyncio.create_task(self.commands.run())]
        if write:
            self.write()

    @contextlib.asynccontextmanager
    async def failing_disk(self) -> AsyncIterator[None]:
        """As long as it lasts no connection of SQLite, this one or a new one, can write."""
        assert self.journal._disk._db is not None
        await self.journal._disk._db.execute("PRAGMA query_only = ON")
        healthy, schema.PRAGMAS = schema.PRAGMAS, (*schema.PRAGMAS, "PRAGMA query_only = ON")
        try:
            yield
        finally:
            schema.PRAGMAS = healthy
            if self.journal._disk._db is not None:
                await self.journal._disk._db.execute("PRAGMA query_only = OFF")

    def write(self) -> None:
        self._writer = asyncio.create_task(self.journal.run())
        self._tasks.append(self._writer)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.journal.close()

    def hear(self, wearer: Wearer, frame: bytes, link: str = "serial") -> None:
        self.intake.heard(wearer.heard(frame, link, self.clock.now_ms()))

    def platform_says(self, event: str, answer: str, **more: object) -> list[bool]:
        data = json.dumps({"v": 1, "answers": [{"event": event, "answer": answer, **more}]}).encode()
        return [self.forwarder.answered(row) for row in answers.read_answers(data)]

    def count(self, name: str) -> int:
        return self.counters.snapshot().get(name, 0)


@contextlib.asynccontextmanager
async def core(
    path: Path,
    *wearers: Wearer,
    settings: ForwarderSettings | None = None,
    write: bool = True,
    clock: Clock | None = None,
) -> AsyncIterator[Core]:
    """A running core over `path`, stopped at the end."""
    made = Core(path, list(wearers), settings, clock)
    try:
        await made.start(write=write)
        yield made
    finally:
        await made.stop()


async def told(wearer: Wearer, count: int = 1, path: Recorder | None = None) -> list[tuple[int, int]]:
    """Wait for `count` answers on a path and return (stage, number) of all there are."""
    path = path or wearer.path
    async with asyncio.timeout(WITHIN_S):
        while len(path.sent) < count:
            path.news.clear()
            await path.news.wait()
    opened = [wearer.open(frame) for frame in path.sent]
    assert all(isinstance(answer, Answer) for answer in opened), "an answer that the wearable can't open"
    return [(answer.stage, answer.number) for answer in opened if isinstance(answer, Answer)]
