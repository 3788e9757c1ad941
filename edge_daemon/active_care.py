"""Care that starts before the press: trails and the time. Owns how these parts hang together.

Must not know what any of them does. pipeline.py makes this once, and runs `loops` beside its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_daemon.ages import Ages
from edge_daemon.commands import Commands
from edge_daemon.config import Config
from edge_daemon.counters import Counters
from edge_daemon.enrolled import Enrolled
from edge_daemon.faults import Faults
from edge_daemon.forwarder import Forwarder
from edge_daemon.heard import Heard
from edge_daemon.intake import Intake
from edge_daemon.post import Post
from edge_daemon.replies import Replies
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
        enrolled: Enrolled,  # noqa: ARG002  # care.py and presence.py will ask
        ages: Ages,
        counters: Counters,
    ) -> None:
        self._telemetry = telemetry
        self._post = post
        self._trails = Trails(
            config.gateway.id,
            Path(config.gateway.state_dir) / "trails.sqlite3",
            post.trails,
            lambda: ways.connected,
            lambda: forwarder.waiting,
            replies,
            ages,
            counters,
        )
        self._trails.on_damaged = lambda file, aside: _told(faults, file, aside)
        self._time = TimeTeller(commands, ages.clock, lambda handle: None)

    @property
    def loops(self) -> dict[str, Loop]:
        """What is to run."""
        return {"trails": self._trails}

    def wire(self, intake: Intake) -> None:
        """Who is told of what."""
        intake.on_heartbeat = self._heartbeat
        intake.on_trail = self._trails.heard
        self._post.on_trails_taken = self._trails.taken

    def genuine(self, watch: WearableWatch) -> Callable[[str, str], None]:
        """Who is told of each genuine frame, by wearable and link."""

        def heard(handle: str, link: str) -> None:  # noqa: ARG001  # presence.py will ask
            watch.heard(handle)

        return heard

    def connected(self) -> None:
        """There is a way to the platform (again)."""
        self._trails.hurry()

    def _heartbeat(self, handle: str, beat: Heartbeat, heard: Heard) -> None:
        self._telemetry.wearable(handle, beat, heard)
        self._time.heartbeat(handle, beat)


def _told(faults: Faults, file: str, aside: str) -> None:
    faults.report(kinds.STORE_DAMAGED, file, f"set aside as {aside}")
