"""Care that starts before the press: check-ins, presence, trails, the time. Owns how these parts hang together.

Must not know what any of them does. pipeline.py makes this once, and runs `loops` beside its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_daemon.ages import Ages
from edge_daemon.care.care import Care
from edge_daemon.commands import Commands
from edge_daemon.config import Config
from edge_daemon.counters import Counters
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.forwarder import Forwarder
from edge_daemon.heard import Alarm, Heard
from edge_daemon.intake import Intake
from edge_daemon.journal import Journal
from edge_daemon.post import Post
from edge_daemon.presence.presence import Presence
from edge_daemon.replies import Replies
from edge_daemon.supervision.impaired import Impaired
from edge_daemon.supervision.wearables import WearableWatch
from edge_daemon.telemetry import Telemetry
from edge_daemon.time_teller import TimeTeller
from edge_daemon.trails.trails import Trails
from edge_daemon.uplinks.exits import Loop
from edge_daemon.uplinks.ways import Ways
from protocol import kinds
from protocol.messages import Heartbeat


class ActiveCare:
    """`wire` tells it what comes from wearables and from the platform."""

    def __init__(
        self,
        config: Config,
        post: Post,
        ways: Ways,
        forwarder: Forwarder,
        commands: Commands,
        replies: Replies,
        faults: Faults,
        telemetry: Telemetry,
        journal: Journal,
        enrolled: Enrolled,
        ages: Ages,
        counters: Counters,
    ) -> None:
        gateway, state = config.gateway.id, Path(config.gateway.state_dir)
        self._telemetry = telemetry
        self._post = post
        self._commands = commands
        self._faults = faults
        self._trails = Trails(
            gateway,
            state / "trails.sqlite3",
            post.trails,
            lambda: ways.connected,
            lambda: forwarder.waiting,
            replies,
            ages,
            counters,
        )
        self._care = Care(gateway, state, enrolled, commands, faults, ages.clock, counters)
        self._care.alarms = journal.alarms.values
        self._presence = Presence(
            state,
            enrolled,
            faults,
            ages,
            self._care.plan,
            self._care.believed_ms,
            # Which ports there are is known once links exist.
            lambda: any(True for _ in replies.serial_ports()),
        )
        self._time = TimeTeller(commands, self._care.believed_ms, self._care.offset_minutes)

    @property
    def loops(self) -> dict[str, Loop]:
        """What is to run."""
        return {"care": self._care, "presence": self._presence, "trails": self._trails}

    def wire(self, intake: Intake, watch: WearableWatch, impaired: Impaired) -> None:
        """Who is told of what. Before all others supervision is: `watch` of each genuine frame, `impaired` of beats."""

        def heartbeat(handle: str, beat: Heartbeat, heard: Heard) -> None:
            impaired.heartbeat(handle, beat)
            self._telemetry.wearable(handle, beat, heard)
            self._care.heartbeat(handle, beat)
            self._time.heartbeat(handle, beat)

        def genuine(handle: str, link: str) -> None:
            watch.heard(handle)
            self._presence.heard(handle, link)
            self._care.heard(handle)

        intake.on_genuine = genuine
        intake.on_heartbeat = heartbeat
        intake.on_trail = self._trails.heard
        self._post.on_trails_taken = self._trails.taken
        self._post.on_care = self._care.take
        self._care.report = self._post.care
        self._commands.look = self._care.look
        self._trails.on_damaged = self._damaged

    def committing(self, told: Callable[[Alarm, bool], None]) -> Callable[[Alarm, bool], None]:
        """Who is told what became of each commit: `told`, and those here who look at wearables' events."""

        def committed(alarm: Alarm, stored: bool) -> None:
            told(alarm, stored)
            if not alarm.of_gateway:
                self._presence.event(alarm)
                self._care.event(alarm)

        return committed

    def connected(self) -> None:
        """There is a way to the platform (again)."""
        self._trails.hurry()
        self._care.tell()

    def _damaged(self, file: str, aside: str) -> None:
        self._faults.report(kinds.STORE_DAMAGED, file, f"set aside as {aside}")
