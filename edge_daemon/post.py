"""What the platform says, and what is said to it beside alarms: strangers' frames, results, telemetry.

Owns who takes which down message, and the sending of what may be lost. Must not know MQTT or which way is taken.
Guarantee: no bytes from the broker do harm; what cannot be read is counted and left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.admission import Unknown
from edge_daemon.clock import Clock
from edge_daemon.commands import Commands
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.forwarder import Forwarder
from edge_daemon.log import Log
from edge_daemon.strangers import Strangers
from edge_daemon.uplinks import answers, payload
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways

log = Log("post")

_STRANGER_EXPIRY_S = 60
_RESULT_EXPIRY_S = 3600
_TELEMETRY_EXPIRY_S = 3600
# As long as it takes until the next try (trails/trails.py); what is kept goes again.
_TRAIL_EXPIRY_S = 3600
_CARE_EXPIRY_S = 3600
# Results and strangers' frames that the broker has not confirmed: one that asks and confirms nothing must not fill us.
_PUBLISHING_MOST = 1000


class Post:
    """`from_platform` is called for each down message, the others by who has something to say."""

    def __init__(
        self,
        gateway: str,
        ways: Ways,
        forwarder: Forwarder,
        strangers: Strangers,
        commands: Commands,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._gateway = gateway
        self._ways = ways
        self._forwarder = forwarder
        self._strangers = strangers
        self._commands = commands
        self._clock = clock
        self._counters = counters
        self.on_trails_taken: Callable[[list[tuple[str, int]]], None] = lambda taken: None
        self.on_care: Callable[[bytes], None] = lambda data: None
        self._publishing: set[asyncio.Task[None]] = set()

    def from_platform(self, way: Way, kind: str, data: bytes) -> None:
        """A down message, to whom it is for."""
        try:
            if kind == "answer":
                self._answers(way, data)
            elif kind == "stranger":
                self._strangers_answers(data)
            elif kind == "command":
                self._commands.take(answers.read_command(data))
            elif kind == "trail":
                self.on_trails_taken(answers.read_taken(data))
            elif kind == "care":
                self.on_care(data)
        except answers.NotUnderstood as error:
            self._counters.add("platform_not_understood")
            log.warning("platform_not_understood", kind=kind, why=str(error), size=len(data))

    def _answers(self, way: Way, data: bytes) -> None:
        for answer in answers.read_answers(data):
            if not self._forwarder.answered(answer, way):
                self._counters.add("answers_to_nothing")

    def _strangers_answers(self, data: bytes) -> None:
        for found in answers.read_strangers(data):
            if not self._strangers.answer(found.rolling_id, found.frame):
                self._counters.add("answers_to_nothing")

    def pass_on(self, unknown: Unknown) -> None:
        """A stranger's sealed frame."""
        now_ms = self._clock.now_ms()
        data = payload.stranger(self._gateway, unknown.rolling_id, unknown.heard, now_ms)
        self._publish("stranger", data, "stranger", unknown.rolling_id, _STRANGER_EXPIRY_S)

    def report(self, command: str, outcome: str, reason: str | None) -> None:
        """What became of a command."""
        data = payload.result(self._gateway, command, outcome, reason)
        self._publish("result", data, None, b"", _RESULT_EXPIRY_S)

    async def telemetry(self, data: bytes) -> None:
        """A message of telemetry. Raises UplinkDown: it is kept, and comes again."""
        await self._ways.choose().uplink.publish("telemetry", data, expiry_s=_TELEMETRY_EXPIRY_S)

    async def trails(self, data: bytes) -> None:
        """A message of sealed positions. Raises UplinkDown: they are kept, and go again."""
        await self._ways.choose().uplink.publish("trail", data, expiry_s=_TRAIL_EXPIRY_S)

    def care(self, data: bytes) -> None:
        """What became of care plans."""
        self._publish("care", data, None, b"", _CARE_EXPIRY_S)

    def _publish(self, kind: str, data: bytes, answer: str | None, correlation: bytes, expiry_s: int) -> None:
        """Send what may be lost: a stranger asks again, an unanswered command is sent again."""
        if len(self._publishing) >= _PUBLISHING_MOST:
            self._counters.add(f"{kind}_unsent")
            return

        async def publish() -> None:
            try:
                uplink = self._ways.choose().uplink
                await uplink.publish(kind, data, answer=answer, correlation=correlation, expiry_s=expiry_s)
            except UplinkDown:
                self._counters.add(f"{kind}_unsent")

        task = asyncio.create_task(publish())
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)
