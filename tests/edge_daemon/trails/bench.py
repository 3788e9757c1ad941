"""Trails over a file, with an uplink that keeps what is published and a wearable that hands boxes over."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from edge_daemon.admission import Admitted
from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.registry import Wearable
from edge_daemon.replies import Replies
from edge_daemon.trails.trails import Trails
from protocol import box as boxes
from protocol import ccm, codes, frame
from protocol.watchful import Taken, Trail, pack_trail
from tests.edge_daemon.schemas import check
from tests.edge_daemon.wearer import Wearer

WITHIN_S = 10.0


class Boots:
    def __init__(self) -> None:
        self.boots: dict[str, tuple[int, int | None]] = {}

    def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
        self.boots[boot_id] = (lasted_ms, offset_ms)


class Bench:
    """Trails over a file, an uplink that keeps what is published, and a wearable."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "trails.sqlite3"
        self.clock = Clock()
        self.counters = Counters()
        self.wearer = Wearer("t")
        self.connected = True
        self.alarms = 0
        self.sent: list[dict[str, Any]] = []
        self.damaged: list[tuple[str, str]] = []
        self.publishes: Callable[[], None] = lambda: None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Trails]:
        """One life of it."""

        async def publish(data: bytes) -> None:
            self.publishes()
            message = json.loads(data)
            check("trail", message)
            self.sent.append(message)

        replies = Replies(self.counters)
        ages = Ages(Boots(), self.clock)
        trails = Trails(
            "gw-1", self.file, publish, lambda: self.connected, lambda: self.alarms, replies, ages, self.counters
        )
        trails.on_damaged = lambda file, aside: self.damaged.append((file, aside))
        task = asyncio.create_task(trails.run())
        try:
            yield trails
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def hand_over(self, trails: Trails, sequence: int, number: int = 0) -> None:
        """The wearable says TRAIL."""
        wearer = self.wearer
        box = boxes.seal(wearer.keys.trail, boxes.TRAIL, sequence, bytes(8), b"positions %d" % sequence)
        body = pack_trail(number, box)
        heard = wearer.heard(wearer.seal(codes.TRAIL, body), at_ms=self.clock.now_ms())
        keys = wearer.keys
        wearable = Wearable(wearer.handle, keys.up, keys.down, keys.id)
        trails.heard(Admitted(wearable, wearer.counter - 1, codes.TRAIL, body, heard), Trail(body))

    def taken(self) -> list[int]:
        """The sequences of which the wearable was told TAKEN."""
        opener = frame.DownOpener(self.wearer.keys.down)
        found = []
        for sealed in self.wearer.path.sent:
            for counter in range(self.wearer.counter):
                buf = bytearray(sealed)
                if opener.open(buf, len(buf), counter):
                    assert buf[0] & 15 == codes.TAKEN
                    found.append(Taken(buf[frame.BODY_AT : len(buf) - ccm.TAG_SIZE]).sequence)
        return found

    def said(self) -> list[int]:
        """The sequences that were published, in order."""
        return [row["sequence"] for message in self.sent for row in message["trails"]]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():
            await asyncio.sleep(0.005)


def on_disk(file: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(file)) as db:
        return [row[0] for row in db.execute("SELECT sequence FROM boxes ORDER BY sequence")]
