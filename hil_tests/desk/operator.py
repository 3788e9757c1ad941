"""An operator who does nothing but work: takes each incident as it comes, and closes it once it has been taken a while.

Owns the clicks. Must not know wearables: closing waits a little, so that the wearer can see that somebody took it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Self

from hil_tests.desk.process import DeskFailed, DeskProcess

_LOOK_EVERY_S = 0.05
NAME = "operator"


class Operator:
    """`async with Operator(desk):` works until the block is left. `close_after_s`: from the first click to the last."""

    def __init__(self, desk: DeskProcess, close_after_s: float = 1.0) -> None:
        self._desk = desk
        self._close_after_s = close_after_s
        self._taken_at_s: dict[str, float] = {}
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._work is not None
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            # The desk may be dead just now: that is what some tests are about.
            with contextlib.suppress(DeskFailed):
                for incident in await self._desk.incidents():
                    await self._click(incident["event"], incident["stage"])
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _click(self, event: str, stage: str) -> None:
        if stage == "accepted":
            await self._desk.take(event, NAME)
            self._taken_at_s[event] = time.monotonic()
        elif stage == "answered" and time.monotonic() - self._taken_at_s.get(event, 0.0) >= self._close_after_s:
            await self._desk.close(event, NAME)
