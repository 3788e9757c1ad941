"""Commands from the platform. Owns their way: gateway commands done at once, wearable commands at its next question.

In memory only: a restart forgets what was queued, the platform sees no result and asks again. Must not know MQTT.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from edge_daemon.admission import Admitted
from edge_daemon.counters import Counters
from edge_daemon.replies import Replies
from edge_daemon.uplinks.answers import PlatformCommand
from protocol import codes
from protocol.messages import Result

_CODES = {"locate": codes.COMMAND_LOCATE, "heartbeat": codes.COMMAND_HEARTBEAT}
# A platform gone mad must not fill our memory.
_QUEUED_MOST = 1000
# A broker may deliver a command twice: this many results are remembered, and told again instead of done again.
_FINISHED_MOST = 1000
_RESULTS = {codes.RESULT_DONE: ("done", None), codes.RESULT_UNKNOWN: ("refused", "unknown_to_wearable")}

# Tells the platform: command id, result, reason.
Report = Callable[[str, str, "str | None"], None]


@dataclass(slots=True)
class _Queued:
    command: PlatformCommand
    wire_id: int
    expires_ms: int


class Commands:
    """What the platform asked and has no result for. `report` and `beat` are given by the pipeline."""

    def __init__(self, handles: frozenset[str], replies: Replies, counters: Counters) -> None:
        self._handles = handles
        self._replies = replies
        self._counters = counters
        self._queued: dict[str, _Queued] = {}
        self._finished: OrderedDict[str, tuple[str, str | None]] = OrderedDict()
        # A random start, so that ids of before a restart are not taken for the new ones.
        self._next_wire_id = random.randrange(1 << 16)
        self.report: Report = lambda command, result, reason: None
        self.beat: Callable[[], None] = lambda: None

    def take(self, command: PlatformCommand, now_ms: int) -> None:
        """A command from the platform; the same id again is the same command."""
        if command.command in self._queued:
            return
        if command.command in self._finished:
            self.report(command.command, *self._finished[command.command])
        elif command.wearable is None and command.name == "heartbeat":
            self.beat()
            self._finish(command.command, "done", None)
        elif command.name not in _CODES:
            self._finish(command.command, "refused", "unknown_command")
        elif command.wearable not in self._handles:
            self._finish(command.command, "refused", "unknown_wearable")
        elif len(self._queued) >= _QUEUED_MOST:
            self.report(command.command, "refused", "too_many")
        else:
            self._next_wire_id = (self._next_wire_id + 1) & 0xFFFF
            expires_ms = now_ms + int(command.expires_s * 1000)
            self._queued[command.command] = _Queued(command, self._next_wire_id, expires_ms)
            self.report(command.command, "queued", None)

    def heard_from(self, question: Admitted, now_ms: int) -> None:
        """A wearable asked something: its queued commands go with the answer."""
        self.expire(now_ms)
        for queued in self._queued.values():
            if queued.command.wearable == question.wearable.handle:
                args = bytes([queued.command.seconds]) if queued.command.name == "locate" else b""
                self._replies.command(question, queued.wire_id, _CODES[queued.command.name], args)
                self._counters.add("commands_sent")

    def result(self, handle: str, result: Result) -> None:
        """A wearable did (or could not do) what it was asked."""
        for command, queued in self._queued.items():
            if queued.command.wearable == handle and queued.wire_id == result.id:
                del self._queued[command]
                self._finish(command, *_RESULTS.get(result.status, ("refused", "failed")))
                return

    def expire(self, now_ms: int) -> None:
        """Give up what nobody asked for in time, and say so."""
        for command in [c for c, queued in self._queued.items() if queued.expires_ms <= now_ms]:
            del self._queued[command]
            self._finish(command, "expired", None)

    def _finish(self, command: str, outcome: str, reason: str | None) -> None:
        self._finished[command] = (outcome, reason)
        if len(self._finished) > _FINISHED_MOST:
            self._finished.popitem(last=False)
        self.report(command, outcome, reason)
