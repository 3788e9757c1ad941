"""The gateway, from the antenna to the platform and back. Start reading here.

    links/ --Heard--> admission --Admitted--> intake --> journal (commit) --> forwarder --> uplinks/ways
      ^   may lose,    who, fresh,     |        durable       at least once,       broker has it
      |   repeat       once            v                      urgent first             |
      +---- sealed answers --------- replies <---------------- on_news <------- platform's own answer

Every part is made once, here, and handed to those that need it. Each part's guarantee stands in its own first lines.
This module owns the wiring and the life of the tasks; it holds no state of its own.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import edge_daemon
from edge_daemon import registry
from edge_daemon.active_care import ActiveCare
from edge_daemon.admission import Admission
from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands
from edge_daemon.config import Config
from edge_daemon.control.control import Control
from edge_daemon.control.enrolment import Enrolment
from edge_daemon.control.status import Status
from edge_daemon.control.test_mode import Testing
from edge_daemon.counters import Counters
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.following import follow
from edge_daemon.forwarder import Forwarder
from edge_daemon.heard import Alarm
from edge_daemon.heartbeat import Heartbeat
from edge_daemon.intake import Intake
from edge_daemon.journal import Journal
from edge_daemon.journal.room import Room
from edge_daemon.links.ble_link import BleLink
from edge_daemon.links.serial_link import SerialLink
from edge_daemon.log import Log
from edge_daemon.post import Post
from edge_daemon.replies import Replies
from edge_daemon.security import Security
from edge_daemon.storing import Storing
from edge_daemon.strangers import Strangers
from edge_daemon.supervision.impaired import Impaired
from edge_daemon.supervision.watches import Watches
from edge_daemon.telemetry import Telemetry
from edge_daemon.telemetry.segments import Segments
from edge_daemon.uplinks.exits import Exits, Loop
from edge_daemon.uplinks.path_watch import PathWatch
from edge_daemon.watchdog import Moves, Notifier, Turning, Watchdog, Writing
from protocol import kinds

log = Log("pipeline")

_TIDY_EVERY_S = 60
_PURGE_EVERY_MS = 86_400_000


class Pipeline:
    """One running gateway. `run` returns only when it is cancelled or a part fails for good."""

    def __init__(self, config: Config) -> None:
        self._config = config
        keys = Path(config.wearables.key_file)
        self._enrolled = Enrolled(registry.load(keys).values())
        self._clock = Clock()
        self._counters = Counters()
        state = Path(config.gateway.state_dir)
        segments = Segments(state / "telemetry", config.supervision.telemetry_most_mb << 20)
        self._room = Room(state, segments.evict)
        self._journal = Journal(state / "journal.sqlite3", self._counters, self._room.make)
        self._exits = Exits(config, self._clock, self._counters)
        self._ways = self._exits.ways
        self._ages = Ages(self._journal, self._clock)
        settings, no_answer_s = config.forwarder, config.ways.no_answer_s
        self._forwarder = Forwarder(
            config.gateway.id, settings, self._journal, self._ways, self._ages, self._counters, no_answer_s
        )
        self._storing = Storing(self._journal, self._forwarder, self._ages, self._counters)
        self._faults = Faults(self._journal, self._storing, self._clock)
        self._control = Control(config, self._clock, self._counters)
        self._control.add("wearables", Enrolment(keys, self._enrolled, self._control.watching).answer)
        self._replies = Replies(self._counters)
        self._commands = Commands(self._enrolled, self._replies, self._clock, self._counters)
        self._testing = Testing(self._commands, self._enrolled.all, self._control.watching, self._clock)
        self._control.add_test(self._testing)
        self._strangers = Strangers(config.forwarder.strangers_per_s, config.forwarder.strangers_burst, self._counters)
        self._post = Post(
            config.gateway.id, self._ways, self._forwarder, self._strangers, self._commands, self._clock, self._counters
        )
        self._telemetry = Telemetry(
            config.gateway.id,
            segments,
            self._post.telemetry,
            lambda: self._ways.connected,
            lambda: self._forwarder.waiting,
            self._ages,
            self._counters,
        )
        parts = self._post, self._ways, self._forwarder, self._commands, self._replies, self._faults, self._telemetry
        self._care = ActiveCare(config, *parts, self._journal, self._enrolled, self._ages, self._counters)

    @property
    def counters(self) -> Counters:
        """What has been counted since this gateway was made."""
        return self._counters

    async def run(self) -> None:
        """Open the journal, then let every part do its work until cancelled. Raises Refusal when it can't start."""
        await self._journal.open()
        try:
            await self._run()
        finally:
            await self._journal.close()

    async def _run(self) -> None:
        admission = self._new_admission()
        intake = self._new_intake(admission)
        modem = self._config.sms.port if self._config.sms.enabled else ""
        serial = SerialLink(self._config.serial, intake.heard, self._clock, self._counters, modem)
        ble = self._new_ble(intake) if self._config.ble.enabled else None
        links: list[SerialLink | BleLink] = [serial, ble] if ble is not None else [serial]
        paths = self._exits.watch(self._forwarder, self._faults, self._journal, self._ages)
        beat = Heartbeat(
            self._config.gateway.id,
            self._config.forwarder.heartbeat_s,
            self._ways,
            self._clock,
            self._counters,
            lambda: self._forwarder.waiting,
            lambda: [state for link in links for state in link.states()],
            paths.states,
        )
        self._wire(intake, beat)
        watches = self._new_watches(serial)
        impaired = Impaired(self._enrolled, self._faults)
        self._care.wire(intake, watches.wearables, impaired)
        follow(
            self._enrolled,
            admission,
            self._journal.windows,
            self._replies,
            self._commands,
            watches.wearables,
            impaired,
            self._control.forget,
            ble.expect if ble is not None else lambda expects: None,
        )
        self._control.add_status(self._status(links, paths, watches), paths)
        await self._control.open()
        self._replies.serial_ports = serial.open_ports
        self._forwarder.start()
        impaired.release()
        if self._journal.boots:
            self._faults.report(kinds.RESTARTED, note=edge_daemon.__version__)
        try:
            await self._serve({**self._exits.loops, "heartbeat": beat, **watches.all, **self._care.loops}, links)
        finally:
            if ble is not None:
                await ble.close()

    async def _serve(self, loops: dict[str, Loop], links: list[SerialLink | BleLink]) -> None:
        """All that runs, until one of it ends or we are cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._journal.run(), name="journal")
            tasks.create_task(self._forwarder.run(), name="forwarder")
            tasks.create_task(self._commands.run(), name="commands")
            tasks.create_task(self._tidy(), name="tidy")
            for link in links:
                tasks.create_task(link.run(), name=type(link).__name__)
            tasks.create_task(self._telemetry.run(), name="telemetry")
            tasks.create_task(self._control.run(), name="control")
            for name, loop in loops.items():
                tasks.create_task(loop.run(), name=name)
            tasks.create_task(self._watchdog().run(), name="watchdog")
            log.info("gateway_ready", gateway=self._config.gateway.id, wearables=len(self._enrolled))

    def _new_watches(self, serial: SerialLink) -> Watches:
        return Watches(
            self._config.supervision,
            self._enrolled.expected,
            serial.states,
            self._exits.tls(),
            self._room,
            self._journal,
            self._faults,
            self._clock,
        )

    def _status(self, links: list[SerialLink | BleLink], paths: PathWatch, watches: Watches) -> Status:
        return Status(
            self._config,
            self._enrolled.all,
            self._control.sightings,
            self._testing.left_s,
            lambda: self._forwarder.waiting,
            lambda: [state for link in links for state in link.states()],
            paths,
            watches.power,
            watches.certificates,
            self._room,
            self._journal,
            self._ages,
            self._counters,
        )

    def _watchdog(self) -> Watchdog:
        """What must move. That every task lives is the task group's to hold: where one ends, all do."""

        def status() -> str:
            broker = "connected" if self._ways.connected else "away"
            return f"wearables={len(self._enrolled)} waiting={self._forwarder.waiting} broker={broker}"

        parts: dict[str, Moves] = {
            "forwarder": Turning(lambda: self._forwarder.turns, self._forwarder.wake),
            "journal": Writing(lambda: self._journal.writing_since_s, Path(self._config.gateway.state_dir)),
        }
        return Watchdog(Notifier(), parts, status)

    def _new_ble(self, intake: Intake) -> BleLink:
        history = Path(self._config.gateway.state_dir) / "ble_history.json"
        expects = bool(self._enrolled.expected)
        ble = BleLink(self._config.ble, intake.heard, self._clock, self._counters, expects=expects, history=history)
        ble.on_deaf(lambda active, note: self._faults.condition(kinds.RADIO_DEAF, ble.name, active, note))
        ble.on_jammed(lambda active, note: self._faults.condition(kinds.RADIO_JAMMED, ble.name, active, note))
        return ble

    def _new_admission(self) -> Admission:
        settings, everybody = self._config.wearables, self._enrolled.all()
        self._replies.resume(everybody, self._journal.windows)
        admission = Admission(everybody, self._journal.windows, settings.window, settings.wide_window, self._counters)
        admission.on_admitted = self._control.heard
        return admission

    def _new_intake(self, admission: Admission) -> Intake:
        security = Security(self._faults, admission, self._journal.windows, self._clock, self._counters)
        admission.on_taken, admission.on_spent = security.taken, security.spent
        intake = Intake(
            admission,
            self._journal,
            self._storing,
            self._replies,
            self._commands,
            self._strangers,
            self._clock,
            self._counters,
            self._config.wearables.wide_searches_per_s,
        )
        intake.on_revoked = security.revoked
        return intake

    def _wire(self, intake: Intake, beat: Heartbeat) -> None:
        """Who is told of what."""

        def news(alarm: Alarm) -> None:
            self._replies.tell_if_there(alarm)
            self._control.news(alarm)

        self._forwarder.on_news = news
        self._storing.on_commit = self._care.committing(self._control.committed)
        self._ways.on_message = self._post.from_platform
        self._journal.on_loaded = self._forwarder.start
        intake.on_stranger = self._post.pass_on
        self._commands.beat = beat.now
        self._commands.report = self._post.report

        def opened() -> None:
            self._forwarder.connected()
            self._telemetry.hurry()
            self._care.connected()

        self._ways.on_open = opened
        self._ways.on_closed = self._forwarder.disconnected
        self._ways.on_beat = beat.now

    async def _tidy(self) -> None:
        """Once a day, and after a start, forget what the platform has long had; remember what time it is."""
        keep_ms = self._config.forwarder.keep_closed_days * 86_400_000
        next_purge_ms = 0
        while True:
            self._ages.note()
            await asyncio.sleep(_TIDY_EVERY_S)
            if self._clock.now_ms() >= next_purge_ms:
                next_purge_ms = self._clock.now_ms() + _PURGE_EVERY_MS
                purged = self._journal.purge(lambda alarm: self._ages.heard_ago(alarm)[0] > keep_ms)
                log.info("purged", alarms=purged)
