"""The walk: rooms one after another, presses put to the room in which they were made. Owns the rooms and their times.

A press belongs to the room where it was pressed, by its age, though it be heard in the next. Must not know how it is
shown: `tell` is told of each thing. Ends by itself where all rooms are named, else when it is told to.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge_daemon.errors import Refusal
from tools.control import client
from tools.walk_test.arming import Arming
from tools.walk_test.presses import Press, Presses
from tools.walk_test.verdict import Verdict, judge

# The wearable has STORED a moment after the gateway: its word on that is asked for then, and where it is slow again.
_ASK_AFTER_S = 0.5
_ASK_WITHIN_S = 6.0
_ASK_TIMES = 3


class Teller(Protocol):
    """Whoever shows the walk."""

    def armed(self, row: dict[str, Any]) -> None:
        """A wearable is armed, that was not when the walk began."""

    def room(self, room: str) -> None:
        """A room begins."""

    def press(self, room: str, press: Press) -> None:
        """A press is known as well as it will be."""

    def alarm(self, line: dict[str, Any]) -> None:
        """A real alarm in the middle of it."""

    def verdict(self, room: str, verdict: Verdict) -> None:
        """The room is over."""


@dataclass(frozen=True, slots=True)
class Room:
    """One room, with the presses made in it."""

    name: str
    presses: list[Press]
    verdict: Verdict


class Walk:
    """`rooms`: their names in order; empty: as many as `next` is called for. `each`: presses that end a room."""

    def __init__(
        self, socket: Path, arming: Arming, rooms: list[str], each: int, room_s: float, teller: Teller
    ) -> None:
        self._socket = socket
        self._arming = arming
        self._rooms = rooms
        self._each = each
        self._room_s = room_s
        self._teller = teller
        self._presses = Presses()
        self._known: set[tuple[str, int]] = set()
        self._asking: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._begun: list[tuple[int, str]] = []
        self._next = asyncio.Event()
        self._over = False
        self._armed = {handle for handle, row in arming.rows.items() if row["state"] == "armed"}

    def next(self) -> None:
        """On to the next room."""
        self._next.set()

    def end(self) -> None:
        """The walk is over."""
        self._over = True
        self._next.set()

    async def run(self, begun: Callable[[], None] = lambda: None) -> list[Room]:
        """Walk. Raises Refusal when the gateway goes away."""
        watching = asyncio.create_task(self._watch(begun))
        walking = asyncio.create_task(self._walk())
        try:
            await asyncio.wait({watching, walking}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
                raise Refusal("walk.gateway_gone", socket=self._socket)
            walking.result()
        finally:
            for task in (watching, walking, *self._asking.values()):
                task.cancel()
            await asyncio.gather(watching, walking, *self._asking.values(), return_exceptions=True)
        names = [name for _, name in self._begun]
        return [Room(name, self._of(name), judge(self._of(name))) for name in names]

    async def _walk(self) -> None:
        names = iter(self._rooms or (str(number) for number in range(1, 1000)))
        for name in names:
            self._next.clear()
            self._begun.append((time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000, name))
            self._teller.room(name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._room_s):
                    await self._next.wait()
            if self._asking:
                await asyncio.wait(self._asking.values(), timeout=_ASK_WITHIN_S)
            self._teller.verdict(name, judge(self._of(name)))
            if self._over:
                return

    async def _watch(self, begun: Callable[[], None]) -> None:
        async with contextlib.aclosing(client.watch(self._socket)) as lines:
            async for line in lines:
                if line["saw"] == "begun":
                    begun()
                    continue
                if line["saw"] == "heard" and line.get("class") == "emergency":
                    self._teller.alarm(line)
                if line["saw"] == "test" and line["state"] == "armed" and line["wearable"] not in self._armed:
                    self._armed.add(line["wearable"])
                    self._teller.armed(line)
                press = self._presses.take(line)
                if press is not None and press.stored and not press.detail:
                    self._ask(press)

    def _ask(self, press: Press) -> None:
        key = press.wearable, press.number
        if key not in self._known and key not in self._asking:
            task = self._asking[key] = asyncio.create_task(self._learn(press))
            task.add_done_callback(lambda _: self._asking.pop(key, None))

    async def _learn(self, press: Press) -> None:
        """How soon the wearable itself had STORED; what it cannot say in this time is not waited for."""
        for _ in range(_ASK_TIMES):
            await asyncio.sleep(_ASK_AFTER_S)
            with contextlib.suppress(Refusal):
                for row in await self._arming.again([press.wearable], within_s=_ASK_WITHIN_S / _ASK_TIMES):
                    self._presses.tell(row)
            if press.took_ms is not None:
                break
        self._known.add((press.wearable, press.number))
        room = self._room_of(press)
        self._teller.press(room, press)
        # Where it was made late in the room before, the one that we are in has its own to come.
        if room == self._begun[-1][1] and len(self._known_of(room)) >= self._each:
            self._next.set()

    def _known_of(self, room: str) -> list[Press]:
        return [press for press in self._of(room) if (press.wearable, press.number) in self._known]

    def _of(self, room: str) -> list[Press]:
        return [press for press in self._presses.all if not press.detail and self._room_of(press) == room]

    def _room_of(self, press: Press) -> str:
        before = [name for begun_ms, name in self._begun if begun_ms <= press.pressed_ms]
        return before[-1] if before else self._begun[0][1]
