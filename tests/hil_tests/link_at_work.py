"""A BleLink that runs, and all that came of it. Knows no test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from edge_daemon.clock import Clock
from edge_daemon.config import Ble
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.links.ble_link import BleLink, Care

WITHIN_S = 10.0


class Link:
    """A BleLink that runs, and what it has heard."""

    def __init__(self, settings: Ble, care: Care | None = None, history: Path | None = None) -> None:
        self.counters = Counters()
        self.heard: list[Heard] = []
        # What was told of deafness and of floods.
        self.told: list[bool] = []
        self.notes: list[str] = []
        self.jammed: list[bool] = []
        self._news = asyncio.Event()
        self.scanning = asyncio.Event()
        self.link = BleLink(settings, self._take, Clock(), self.counters, care=care, history=history)
        self.link.on_scanning = self.scanning.set
        self.link.on_deaf(self._deaf)
        self.link.on_jammed(lambda active, _: self.jammed.append(active))
        self._task = asyncio.create_task(self.link.run())

    def _take(self, heard: Heard) -> None:
        self.heard.append(heard)
        self._news.set()

    def _deaf(self, active: bool, note: str) -> None:
        self.told.append(active)
        self.notes.append(note)

    @property
    def state(self) -> str:
        return self.link.states()[0]["state"]

    async def until(self, wanted: Callable[[], object], within_s: float = WITHIN_S) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(within_s):
            while not wanted():
                await asyncio.sleep(0.02)

    def count(self, name: str) -> int:
        return self.counters.snapshot().get(name, 0)

    async def hears(self, frame: bytes, within_s: float = WITHIN_S) -> Heard:
        """The first time this frame was heard."""
        async with asyncio.timeout(within_s):
            while True:
                for heard in self.heard:
                    if heard.frame == frame:
                        return heard
                self._news.clear()
                await self._news.wait()

    async def counts(self, name: str, most: int = 1, within_s: float = WITHIN_S) -> None:
        """Wait until a counter has come to `most`."""
        async with asyncio.timeout(within_s):
            while self.counters.snapshot().get(name, 0) < most:
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.link.close()
