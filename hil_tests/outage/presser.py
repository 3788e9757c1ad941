"""A wearable at the gateway's line that has a lot to say: rows of telemetry and alarms, as fast as they are heard.

Owns what was written, what was heard, and when each press was told ACCEPTED. Must not know how long anything is to
take: time comes in as a wall clock that the campaign moves. Frames are those of hil_tests/independent/wire.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hil_tests.independent import wire

# Frames on the line that have not been answered. Few enough for a terminal's buffer (4096 bytes) in either direction.
_UNANSWERED_MOST = 24
# With no answer for so long whatever is on the line is taken for lost, and unstored alarms are sent again.
_AGAIN_S = 1.0
_HAS_IT = ("STORED", "NO_PATH", "BUSY", "ACCEPTED", "ANSWERED", "CLOSED")


@dataclass
class Press:
    """One event. `pressed_ms`: by the campaign's wall clock. `written_s`, `accepted_s`: by time.monotonic()."""

    identity: str
    number: int
    kind: int
    detail: int
    pressed_ms: float
    written_s: float
    accepted_s: float | None = None
    refers_to: str | None = None


class Presser:
    """`heard`: the rows that the gateway has surely heard; `doubtful`: those of which nobody can say.

    A row is named by the uptime it tells, which is its number.
    """

    def __init__(self, root: bytes, directory: Path, wall_ms: Callable[[], float]) -> None:
        self.keys = wire.Keys.of(root)
        self.heard: set[int] = set()
        self.doubtful: set[int] = set()
        self.presses: dict[int, Press] = {}
        self._wall_ms = wall_ms
        self._rows = 0
        self._counter = 0
        # Counter -> the row it carried, or None: what is on the line.
        self._unanswered: dict[int, int | None] = {}
        self._newest = 0
        self._unstored: set[int] = set()
        self._changed = asyncio.Event()
        self._decoder = wire.FromLine()
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.tty = directory / f"tty-{self.handle}"
        self.tty.symlink_to(os.ttyname(self._far))
        asyncio.get_running_loop().add_reader(self._near, self._readable)

    @property
    def handle(self) -> str:
        """Its name at gateway and platform."""
        return self.keys.handle.hex()

    def registry_row(self) -> dict[str, str]:
        """Its row of the gateway's key file."""
        keys = self.keys
        return {"wearable": self.handle, "up": keys.up.hex(), "down": keys.down.hex(), "id": keys.id.hex()}

    def close(self) -> None:
        """Take it and its line away."""
        asyncio.get_running_loop().remove_reader(self._near)
        os.close(self._near)
        os.close(self._far)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def beat(self) -> None:
        """Tell one row, as soon as the line has room."""
        await self._room()
        self._rows += 1
        self._write(wire.HEARTBEAT, wire.heartbeat(self._rows, 2950, 78, 0), self._rows)

    async def press(self, kind: int, detail: int = 0, *, cancels: bool = False) -> Press:
        """Something happens now. `cancels`: it takes the press before it back. Written once the line has room."""
        await self._room()
        return self.press_now(kind, detail, cancels=cancels)

    def press_now(self, kind: int, detail: int = 0, *, cancels: bool = False) -> Press:
        """As `press`, without waiting."""
        number = len(self.presses) + 1
        identity = f"{self.handle}-{number:06x}"
        press = self.presses[number] = Press(identity, number, kind, detail, self._wall_ms(), time.monotonic())
        if cancels:
            press.refers_to = f"{self.handle}-{number - detail:06x}"
        self._unstored.add(number)
        self._send(number)
        return press

    def repeat(self, number: int) -> None:
        """Send an event once more that may be known long since: an answer to it was lost in the air."""
        self._send(number)

    async def settled(self) -> None:
        """Until the gateway has heard everything and stored every alarm, however often it dies meanwhile."""
        await self._until(lambda: not self._unanswered and not self._unstored)

    async def accepted(self, press: Press, within_s: float) -> float:
        """Wait until it is told ACCEPTED, asking now and then; how long that took from the press on.

        Raises TimeoutError.
        """
        async with asyncio.timeout(within_s):
            await self._until(lambda: press.accepted_s is not None, press.number)
        assert press.accepted_s is not None
        return press.accepted_s - press.written_s

    async def _room(self) -> None:
        await self._until(lambda: len(self._unanswered) < _UNANSWERED_MOST)

    async def _until(self, true: Callable[[], bool], asked: int = 0) -> None:
        while not true():
            self._changed.clear()
            try:
                async with asyncio.timeout(_AGAIN_S):
                    await self._changed.wait()
            except TimeoutError:
                self._again()
                if asked:
                    self.repeat(asked)

    def _again(self) -> None:
        self.doubtful |= {row for row in self._unanswered.values() if row is not None}
        self._unanswered.clear()
        for number in sorted(self._unstored):
            self._send(number)

    def _send(self, number: int) -> None:
        press = self.presses[number]
        age_ms = max(int(self._wall_ms() - press.pressed_ms), 0)
        self._write(wire.EVENT, wire.event(press.kind, number, press.detail, age_ms, 78, 2950), None)

    def _write(self, frame_type: int, body: bytes, row: int | None) -> None:
        counter, self._counter = self._counter, self._counter + 1
        self._unanswered[counter] = row
        # What a dead gateway's line cannot take is lost there.
        with contextlib.suppress(BlockingIOError):
            os.write(self._near, wire.to_line(wire.seal_up(self.keys, frame_type, counter, body)))

    def _readable(self) -> None:
        for frame in self._decoder.feed(os.read(self._near, 4096)):
            self._take(frame)
        self._changed.set()

    def _take(self, frame: bytes) -> None:
        # Answers come in the order of the questions; news comes under the newest question that was heard.
        for counter in (*self._unanswered, self._newest):
            body = wire.open_down(self.keys, frame, counter)
            if body is not None:
                break
        else:
            return
        for asked in [one for one in self._unanswered if one <= counter]:
            row = self._unanswered.pop(asked)
            if row is not None:
                # Each row is answered at once and by itself: one that was not may have been lost in a restart.
                (self.heard if asked == counter else self.doubtful).add(row)
        self._newest = max(self._newest, counter)
        number = int.from_bytes(body[1:4], "big")
        press = self.presses.get(number)
        if frame[0] & 15 != wire.ANSWER or press is None:
            return
        stage = wire.STAGES[body[0]]
        if stage in _HAS_IT:
            self._unstored.discard(number)
        if stage == "ACCEPTED" and press.accepted_s is None:
            press.accepted_s = time.monotonic()
