"""Commands of the platform and of this machine. Owns their way: to a wearable one at a time; a gateway's own at once.

Guarantee: each command that can be named gets its result, also that it expired, and in time; one of this machine tells
whoever gave it, never the platform. In memory only: a restart forgets what waited, the platform sees no result and asks
again. Must not know MQTT.
A wearable's command goes at once by every way that is open, else with the answer to its next question; without a result
it goes again, also unasked where a way stays open, for a wearable that has been told all it asked asks nothing more.
The next one waits for the result: a wearable remembers few ids and its last four questions, and answers each command
with a frame that is a question itself.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass, field

from edge_daemon.admission import Admitted
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.replies import Replies
from edge_daemon.uplinks.answers import PlatformCommand
from protocol import codes
from protocol.messages import Result

_CODES = {"locate": codes.COMMAND_LOCATE, "heartbeat": codes.COMMAND_HEARTBEAT}
# A platform gone mad must not fill our memory.
QUEUED_MOST = 1000
# A broker may deliver a command twice: this many results are remembered, and told again instead of done again.
FINISHED_MOST = 1000
# A wearable asks several times a second while it does what it was told; only a lost command is to go out again.
AGAIN_MS = 5000
_RESULTS = {codes.RESULT_DONE: ("done", None), codes.RESULT_UNKNOWN: ("refused", "unknown_to_wearable")}

# Tells the platform: command id, result, reason.
Report = Callable[[str, str, "str | None"], None]
# Has a wearer called to look at the watch: command id, wearable, seconds to answer in, who is told. An id that is under
# way already is the same call.
Look = Callable[[str, str, int, "Told"], None]
# Tells who gave a command on this machine: result, reason, and what the wearable said beside its result.
Told = Callable[[str, "str | None", bytes], None]


@dataclass(slots=True)
class _Queued:
    """`sent_ms`: when it last went out, by link; empty before it has. `again_ms`: when it goes again, unasked."""

    handle: str
    wire_id: int
    code: int
    args: bytes
    expires_ms: int
    told: Told
    sent_ms: dict[str, int] = field(default_factory=dict)
    again_ms: int | None = None

    @property
    def due_ms(self) -> int:
        """When something is to be done about it, whatever it is."""
        return self.expires_ms if self.again_ms is None else min(self.expires_ms, self.again_ms)

    def sent(self, links: Collection[str], now_ms: int) -> None:
        """It has just gone out by these; by none, its wearable's next question is waited for."""
        self.sent_ms.update(dict.fromkeys(links, now_ms))
        self.again_ms = now_ms + AGAIN_MS if links else None


class Commands:
    """What the platform asked and has no result for. `report` and `beat` are given by the pipeline.

    `handles`: who is served now; of who is no more, `withdraw` is told.
    """

    def __init__(self, handles: Container[object], replies: Replies, clock: Clock, counters: Counters) -> None:
        self._handles = handles
        self._replies = replies
        self._clock = clock
        self._counters = counters
        # In the order in which they came; by the platform's id, or by an object of this machine's own.
        self._queued: dict[object, _Queued] = {}
        self._finished: OrderedDict[str, tuple[str, str | None]] = OrderedDict()
        self._changed = asyncio.Event()
        # A random start, so that ids of before a restart are not taken for the new ones.
        self._next_wire_id = random.randrange(1 << 16)
        self.report: Report = lambda command, result, reason: None
        self.beat: Callable[[], None] = lambda: None
        self.look: Look = lambda command, handle, seconds, told: told("refused", "unknown_command", b"")

    def take(self, command: PlatformCommand) -> None:
        """A command from the platform; the same id again is the same command."""
        if command.command in self._queued:
            return
        if command.command in self._finished:
            self.report(command.command, *self._finished[command.command])
            return
        refusal = self._refusal(command)
        if refusal is not None:
            self._finish(command.command, "refused", refusal)
        elif command.wearable is None:
            self.beat()
            self._finish(command.command, "done", None)
        elif command.name == "look":
            self.report(command.command, "queued", None)
            self.look(command.command, command.wearable, command.seconds, self._finisher(command.command))
        elif len(self._queued) >= QUEUED_MOST:
            # Not remembered: the same id may be taken when there is room.
            self.report(command.command, "refused", "too_many")
        else:
            args = bytes([command.seconds]) if command.name == "locate" else b""
            told = self._finisher(command.command)
            queued = self._queued[command.command] = self._made(
                command.wearable, _CODES[command.name], args, command.expires_s, told
            )
            self.report(command.command, "queued", None)
            self._push(queued.handle)

    def give(self, handle: str, code: int, args: bytes, expires_s: float, told: Told) -> Callable[[], None]:
        """A command of this machine's own; `told` hears how it ended, once. Returns what takes it back unheard.

        It waits its turn behind what was given before.
        """
        key = object()
        if handle not in self._handles:
            told("refused", "unknown_wearable", b"")
        else:
            self._queued[key] = self._made(handle, code, args, expires_s, told)
            self._push(handle)

        def take_back() -> None:
            if self._queued.pop(key, None) is not None:
                self._push(handle)

        return take_back

    def heard_from(self, question: Admitted) -> None:
        """A wearable asked something: the command that is its turn goes with the answer."""
        self.expire()
        queued = self._first(question.wearable.handle)
        if queued is None:
            return
        now_ms, link = self._clock.now_ms(), question.heard.link
        if link in queued.sent_ms and now_ms - queued.sent_ms[link] < AGAIN_MS:
            return
        self._replies.command(question, queued.wire_id, queued.code, queued.args)
        self._counters.add("commands_sent")
        queued.sent([link], now_ms)
        self._changed.set()

    def result(self, handle: str, result: Result) -> None:
        """A wearable did (or could not do) what it was asked. Its frame is a question, too, and fetches the next."""
        for command, queued in self._queued.items():
            if queued.handle == handle and queued.wire_id == result.id:
                del self._queued[command]
                queued.told(*_RESULTS.get(result.status, ("refused", "failed")), result.more)
                return

    def withdraw(self, handle: str) -> None:
        """A wearable is served no more: what waits for it will not be done."""
        for command in [command for command, queued in self._queued.items() if queued.handle == handle]:
            self._queued.pop(command).told("refused", "unknown_wearable", b"")

    def expire(self) -> None:
        """Give up what has run out of time, and say so; whoever waited behind it is next."""
        now_ms = self._clock.now_ms()
        over = {command: queued for command, queued in self._queued.items() if queued.expires_ms <= now_ms}
        for command in over:
            self._queued.pop(command).told("expired", None, b"")
        for handle in {queued.handle for queued in over.values()}:
            self._push(handle)

    def again(self) -> None:
        """Send once more, where its way is still open, what went out and has no result yet."""
        now_ms = self._clock.now_ms()
        for queued in list(self._queued.values()):
            if queued.again_ms is not None and queued.again_ms <= now_ms:
                self._send(queued)

    async def run(self) -> None:
        """Have commands expire, and go again, when it is time, for ever."""
        while True:
            self._changed.clear()
            self.expire()
            self.again()
            due_ms = min((queued.due_ms for queued in self._queued.values()), default=None)
            try:
                async with asyncio.timeout(None if due_ms is None else (due_ms - self._clock.now_ms()) / 1000):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _refusal(self, command: PlatformCommand) -> str | None:
        """Why a command can't be done by anybody; None when it can."""
        if command.name not in _CODES and command.name != "look":
            return "unknown_command"
        if not command.understood:
            return "not_understood"
        if command.wearable in self._handles or (command.wearable is None and command.name == "heartbeat"):
            return None
        return "unknown_wearable"

    def _made(self, handle: str, code: int, args: bytes, expires_s: float, told: Told) -> _Queued:
        self._next_wire_id = (self._next_wire_id + 1) & 0xFFFF
        self._changed.set()
        return _Queued(handle, self._next_wire_id, code, args, self._clock.now_ms() + int(expires_s * 1000), told)

    def _push(self, handle: str) -> None:
        """Hand over, unasked, the command whose turn it is, unless it has been handed over."""
        queued = self._first(handle)
        if queued is not None and not queued.sent_ms:
            self._send(queued)

    def _send(self, queued: _Queued) -> None:
        links = self._replies.command_if_there(queued.handle, queued.wire_id, queued.code, queued.args)
        self._counters.add("commands_sent", len(links))
        queued.sent(links, self._clock.now_ms())
        self._changed.set()

    def _first(self, handle: str) -> _Queued | None:
        return next((queued for queued in self._queued.values() if queued.handle == handle), None)

    def _finisher(self, command: str) -> Told:
        """Who tells the platform how its command ended."""
        return lambda outcome, reason, more: self._finish(command, outcome, reason)

    def _finish(self, command: str, outcome: str, reason: str | None) -> None:
        self._finished[command] = (outcome, reason)
        if len(self._finished) > FINISHED_MOST:
            self._finished.popitem(last=False)
        self.report(command, outcome, reason)
