"""Wearers' positions: taken from the wearable, kept, handed to the platform. Guarantee: TAKEN is told after the commit.

Owns which box goes when: one that is news of an event at once, the others never while an alarm waits, newest first;
each again until the platform's own word that it has it. Must not know what is in a box: the key is not here.
What cannot be kept is not taken: the wearable has it, and comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from edge_daemon.admission import Admitted
from edge_daemon.ages import Ages
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.log import Log
from edge_daemon.replies import Replies
from edge_daemon.trails.store import Box, Key, Store, TrailsFailed
from edge_daemon.uplinks import payload
from protocol import box as boxes
from protocol.watchful import Trail

log = Log("trails")

# Twenty boxes are 12 KB, which stand before a fresh emergency on a slow line.
_ROWS_AT_ONCE = 20
# A hundred watches' week; beyond it nothing more is taken but what is news of an event.
_KEPT_MOST = 20_000
_URGENT_MOST = 2_000
_ANSWER_WITHIN_MS = 10_000
_AGAIN_FIRST_MS = 30_000
_AGAIN_MOST_MS = 600_000
# By the clock, whose hands may be moved, so not by sleeping until something is due.
_LOOK_EVERY_S = 0.5
_REOPEN_AFTER_MS = 10_000

# Hands one message over; raises UplinkDown.
Publish = Callable[[bytes], Awaitable[None]]
_Done = TypeVar("_Done")


@dataclass(slots=True)
class _Waits:
    """A box that the platform does not have: of which event, and when it is to go (again)."""

    number: int
    due_ms: int = 0
    gap_ms: int = _AGAIN_FIRST_MS


class Trails:
    """`connected` and `waiting` (alarms) are asked before each message; `publish` sends one."""

    def __init__(
        self,
        gateway: str,
        path: Path,
        publish: Publish,
        connected: Callable[[], bool],
        waiting: Callable[[], int],
        replies: Replies,
        ages: Ages,
        counters: Counters,
    ) -> None:
        self._gateway = gateway
        self._path = path
        self._store = Store(path)
        self._thread = ThreadPoolExecutor(1, "trails")
        self._publish = publish
        self._connected = connected
        self._waiting = waiting
        self._replies = replies
        self._ages = ages
        self._counters = counters
        # Oldest first.
        self._waits: dict[Key, _Waits] = {}
        self._open = False
        self._reopen_ms = 0
        self._fresh: list[tuple[Admitted, Box]] = []
        self._over: list[Key] = []
        # What the last message held; until it is answered, or late, nothing more goes that can wait.
        self._asked: list[Key] = []
        self._answer_by_ms = 0
        self._wake = asyncio.Event()
        self.on_damaged: Callable[[str, str], None] = lambda file, aside: None

    def heard(self, admitted: Admitted, trail: Trail) -> None:
        """A wearable hands a box over."""
        sequence = boxes.sequence(trail.box)
        if sequence < 0 or trail.box[0] != boxes.TRAIL:
            self._counters.add("not_understood")
            return
        most = _KEPT_MOST + (_URGENT_MOST if trail.number else 0)
        if len(self._waits) + len(self._fresh) >= most:
            self._counters.add("trails_refused")
            return
        heard = admitted.heard
        box = Box(admitted.wearable.handle, sequence, trail.number, trail.box, self._ages.clock.boot_id, heard.at_ms)
        self._fresh.append((admitted, box))
        self._wake.set()

    def taken(self, keys: list[Key]) -> None:
        """The platform has these."""
        for key in keys:
            if self._waits.pop(key, None) is not None:
                self._over.append(key)
        self._wake.set()

    def hurry(self) -> None:
        """There is a way (again): all that waits is due."""
        for waits in self._waits.values():
            waits.due_ms = 0
        self._wake.set()

    async def run(self) -> None:
        """Keep, send and forget, for ever."""
        try:
            while True:
                self._wake.clear()
                await self._keep()
                await self._send()
                try:
                    async with asyncio.timeout(_LOOK_EVERY_S if self._waits or not self._open else None):
                        await self._wake.wait()
                except TimeoutError:
                    pass
        finally:
            # Behind whatever a cancelled step has left running there: SQLite's connection is for one at a time.
            await self._on_disk(self._store.close)
            self._thread.shutdown(wait=False)

    async def _on_disk(self, work: Callable[[], _Done]) -> _Done:
        """Do it in the one thread that touches the file."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _keep(self) -> None:
        """What has come, onto the disk, and told; what is over, off it."""
        try:
            if not self._open:
                await self._reopen()
            if not self._open:
                self._fresh.clear()
                return
            if self._fresh:
                await self._keep_fresh()
            if self._over:
                over, self._over = self._over, []
                # Where this fails they go to the platform once more, after a restart; it knows them.
                await self._on_disk(partial(self._store.forget, over))
        except TrailsFailed as failed:
            self._close(failed)

    def _close(self, failed: TrailsFailed) -> None:
        """The file is opened anew after a while, and judged then."""
        self._counters.add("trails_unstored")
        log.error("trails_unstored", why=str(failed))
        self._fresh.clear()
        self._open = False
        self._reopen_ms = self._ages.clock.now_ms() + _REOPEN_AFTER_MS

    async def _reopen(self) -> None:
        """Open the file, unless it is too soon to try again. Raises TrailsFailed."""
        if self._ages.clock.now_ms() < self._reopen_ms:
            return
        found = await self._on_disk(self._store.open)
        self._open = True
        gone = set(self._over)
        self._waits = {key: _Waits(number) for key, number in found.items() if key not in gone}
        if self._store.aside:
            self.on_damaged(self._path.name, self._store.aside)
            self._store.aside = ""

    async def _keep_fresh(self) -> None:
        fresh, self._fresh = self._fresh, []
        await self._on_disk(partial(self._store.keep, [box for _, box in fresh]))
        for admitted, box in fresh:
            self._replies.taken(admitted, box.sequence)
            self._counters.add("trails_taken")
            # One that comes again after the platform has had it goes once more: here nobody knows it any more.
            self._waits.setdefault(box.key, _Waits(box.number))

    async def _send(self) -> None:
        """One message, when there is one to send now; the next when this one is answered, or late."""
        now_ms = self._ages.clock.now_ms()
        if not self._open or not self._connected():
            return
        due = [key for key, waits in self._waits.items() if waits.due_ms <= now_ms]
        urgent = [key for key in due if self._waits[key].number]
        answered = not any(key in self._waits for key in self._asked)
        if not urgent and (self._waiting() or (not answered and now_ms < self._answer_by_ms)):
            return
        keys = (urgent or due)[: -_ROWS_AT_ONCE - 1 : -1]
        if not keys:
            return
        try:
            found = await self._on_disk(partial(self._store.read, keys))
            await self._publish(payload.trails(self._gateway, found, self._ages))
        except UplinkDown as error:
            log.info("trails_unsent", why=str(error))
            return
        except TrailsFailed as failed:
            # Unread, the newest would be in the way of all the others for ever.
            self._close(failed)
            return
        self._counters.add("trails_sent", len(found))
        self._asked, self._answer_by_ms = keys, now_ms + _ANSWER_WITHIN_MS
        for key in keys:
            waits = self._waits.get(key)
            if waits is not None:
                waits.due_ms = now_ms + waits.gap_ms
                waits.gap_ms = min(waits.gap_ms * 2, _AGAIN_MOST_MS)
