"""Test mode, for whoever asks at the control socket: `test` arms wearables for a while, or ends it (README.md).

Owns who is armed until when, and what each has said of its newest test. Guarantee: nothing is assumed; a wearable is
armed, or no longer, when it has said so or its time is over, and what its wearer was shown is its own word. Who asks
must ask again to keep it armed: a guest that dies leaves nobody armed for longer than it asked for. Must not know
sockets, nor what a test is good for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from edge_daemon.clock import Clock
from edge_daemon.commands import Commands
from edge_daemon.control.sightings import STAGES
from edge_daemon.control.watching import Watching
from edge_daemon.errors import Refusal
from edge_daemon.log import Log
from edge_daemon.registry import Wearable
from protocol import codes
from protocol.messages import NotUnderstood, Tested

log = Log("test_mode")

# What a wearable does at most (protocol section 6.1).
SECONDS_MOST = 900
# The asking end waits 30 s for a reply.
_WITHIN_MOST_S = 20.0
# An end that has not been heard by then is not needed any more, where the wearable is not known to be armed for longer.
_END_WITHIN_S = 60.0
_REASONS = {"failed": "alarm_open", "unknown_to_wearable": "too_old", "unknown_wearable": "not_enrolled"}


@dataclass(slots=True)
class _Tested:
    """One wearable's. `reason`: why it is not as it was asked to be. `number`, `shown`, `took_ms`: its newest test."""

    wearable: str
    armed_until_ms: int = 0
    reason: str | None = None
    number: int | None = None
    shown: str | None = None
    took_ms: int | None = None
    # What it is to be told and has not answered yet.
    args: bytes | None = None
    take_back: Callable[[], None] = lambda: None


class Testing:
    """`answer` is the ask `test`; `heard` is told of each genuine frame in words. `wearables`: who is enrolled now."""

    def __init__(
        self, commands: Commands, wearables: Callable[[], Collection[Wearable]], watching: Watching, clock: Clock
    ) -> None:
        self._commands = commands
        self._wearables = wearables
        self._watching = watching
        self._clock = clock
        self._tested: dict[str, _Tested] = {}
        self._changed = asyncio.Event()

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Arm for `seconds`, 0 to end it; wait up to `within_s` for the wearables' words. Raises Refusal."""
        seconds, within_s = request.get("seconds"), request.get("within_s", 0)
        cancels = request.get("cancels", False)
        if type(seconds) is not int or not 0 <= seconds <= SECONDS_MOST or type(cancels) is not bool:
            raise Refusal("testing.bad_request", most=SECONDS_MOST)
        if type(within_s) not in (int, float) or not 0 <= within_s <= _WITHIN_MOST_S:
            raise Refusal("testing.bad_request", most=SECONDS_MOST)
        handles = self._handles(request.get("wearables"))
        for handle in handles:
            self._tell(self._tested.setdefault(handle, _Tested(handle)), seconds, cancels)
        await self._answered(handles, within_s)
        return {"wearables": [self._described(self._tested[handle]) for handle in handles if handle in self._tested]}

    def left_s(self, handle: str) -> int | None:
        """For how long it is armed yet; None: it is not, as far as it has said."""
        tested = self._tested.get(handle)
        left_ms = 0 if tested is None else tested.armed_until_ms - self._clock.now_ms()
        return -(-left_ms // 1000) if left_ms > 0 else None

    def heard(self, said: dict[str, Any]) -> None:
        """A genuine frame: with a real alarm the wearable has ended test mode by itself."""
        tested = self._tested.get(said["wearable"])
        if tested is not None and tested.armed_until_ms and said.get("class") == "emergency":
            log.warning("test_ended_by_alarm", wearable=tested.wearable)
            tested.armed_until_ms, tested.reason = 0, "alarm_open"
            self._say(tested)

    def forget(self, handle: str) -> None:
        """A wearable is not ours any more."""
        tested = self._tested.pop(handle, None)
        if tested is not None:
            tested.take_back()

    def _handles(self, asked: object) -> list[str]:
        served = [wearable.handle for wearable in self._wearables() if not wearable.revoked]
        if asked == "all":
            return served
        if not isinstance(asked, list) or not all(isinstance(handle, str) for handle in asked):
            raise Refusal("testing.bad_request", most=SECONDS_MOST)
        strange = [handle for handle in asked if handle not in served]
        if strange:
            raise Refusal("testing.not_enrolled", wearable=strange[0])
        return list(dict.fromkeys(asked))

    def _tell(self, tested: _Tested, seconds: int, cancels: bool) -> None:
        """Have the command given, unless the very same waits already."""
        args = seconds.to_bytes(2, "big") + (bytes([codes.TEST_CANCELS]) if cancels else b"")
        if tested.args == args:
            return
        tested.take_back()
        tested.args, tested.reason = args, None

        def told(outcome: str, reason: str | None, more: bytes) -> None:
            if tested.args == args:
                self._told(tested, seconds, outcome, reason, more)

        left_s = self.left_s(tested.wearable)
        expires_s = seconds or (_END_WITHIN_S if left_s is None else left_s)
        tested.take_back = self._commands.give(tested.wearable, codes.COMMAND_TEST, args, expires_s, told)

    def _told(self, tested: _Tested, seconds: int, outcome: str, reason: str | None, more: bytes) -> None:
        tested.args, tested.take_back = None, lambda: None
        if outcome == "done":
            tested.armed_until_ms = self._clock.now_ms() + seconds * 1000 if seconds else 0
            tested.reason = None
        else:
            tested.reason = "no_answer" if outcome == "expired" else _REASONS.get(reason or "", "alarm_open")
            if outcome == "refused":
                tested.armed_until_ms = 0
        if more:
            self._note(tested, more)
        log.info("test_told", wearable=tested.wearable, seconds=seconds, outcome=outcome, reason=tested.reason)
        self._say(tested)
        self._changed.set()

    def _note(self, tested: _Tested, more: bytes) -> None:
        try:
            said = Tested(more)
        except NotUnderstood:
            return
        tested.number, tested.shown = said.number or None, STAGES.get(said.shown, "other")
        tested.took_ms = None if said.took_ms < 0 else said.took_ms

    async def _answered(self, handles: list[str], within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while any(self._tested[handle].args is not None for handle in handles if handle in self._tested):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _say(self, tested: _Tested) -> None:
        self._watching.say("test", **self._described(tested))

    def _described(self, tested: _Tested) -> dict[str, Any]:
        left_s = self.left_s(tested.wearable)
        if left_s is not None:
            state = "armed"
        elif tested.args is not None:
            state = "waiting"
        else:
            state = "off" if tested.reason is None else "no_answer" if tested.reason == "no_answer" else "refused"
        return {
            "wearable": tested.wearable,
            "state": state,
            "reason": tested.reason,
            "left_s": left_s,
            "number": tested.number,
            "shown": tested.shown,
            "took_ms": tested.took_ms,
            "pending": tested.args is not None,
        }
