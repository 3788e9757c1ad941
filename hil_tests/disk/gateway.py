"""The real daemon on a hostile disk, with wired wearables and a platform that can be mute.

Owns putting together, and the memory of which frame told whom what. Must not know what is done to the disk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt

from hil_tests.broker.mosquitto import Broker
from hil_tests.disk.hostile import HostileDisk
from hil_tests.disk.promises import Told
from hil_tests.independent import wire
from hil_tests.independent.home import Home
from hil_tests.independent.platform import Platform
from hil_tests.independent.wearable import Alarm, Wearable

JOURNAL = "journal.sqlite3"


class Presser(Wearable):
    """A wearable that remembers what each frame down has told it, and under which counter an event first went out."""

    def __init__(self, root: bytes, tty: str, counter: int = 0) -> None:
        super().__init__(root, tty, counter)
        self.told: dict[bytes, Told] = {}
        self._first: dict[int, int] = {}

    def ask(self, frame_type: int, body: bytes) -> int:
        """As ever."""
        counter = super().ask(frame_type, body)
        if frame_type == wire.EVENT:
            self._first.setdefault(int.from_bytes(body[1:4], "big"), counter)
        return counter

    def press_again(self, alarm: Alarm) -> None:
        """What its patience will do in a while, now."""
        if alarm.send_again:
            self._send_event(alarm)

    def _take(self, frame: bytes) -> None:
        bodies = (wire.open_down(self.keys, frame, question) for question in self._questions)
        body = next((body for body in bodies if body is not None), None)
        if body is not None and frame[0] & 15 == wire.ANSWER and body[0] < len(wire.STAGES):
            number = int.from_bytes(body[1:4], "big")
            if number in self._first:
                self.told[frame] = Told(self.handle, number, wire.STAGES[body[0]], self._first[number])
        super()._take(frame)


class MutePlatform(Platform):
    """Closes at once what it is sent; while it is `mute` it keeps it and says nothing.

    `stored`: what each message said of an event. `told`: the kinds of the gateway's own events.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.mute = False
        self.stored: dict[str, list[bool]] = {}
        self.told: list[str] = []

    async def _events(self, topic: str, data: dict[str, Any], message: aiomqtt.Message) -> None:
        for event in data["events"]:
            self.stored.setdefault(event["event"], []).append(event["stored"])
            if event.get("source") == "gateway":
                self.told.append(event["kind"])
        if self.mute:
            for event in data["events"]:
                self._store(topic.rpartition("/up/")[0], event)
        else:
            await super()._events(topic, data, message)

    def _store(self, gateway: str, event: dict[str, Any]) -> dict[str, Any]:
        """An alarm that stays open is asked for, and a wearable with many asks more than it remembers."""
        super()._store(gateway, event)
        return {"event": event["event"], "answer": "closed"}


class DiskHome:
    """A gateway whose state directory is a hostile disk. Nothing runs yet."""

    def __init__(self, place: Path, broker: Broker, platform: MutePlatform, wearables: int) -> None:
        self.home = Home(place, "gw-1", broker.port)
        self.disk = HostileDisk(self.home.place, "state")
        self.platform = platform
        self.wearables = [self.home.wear(Presser, f"test_only_disk_{n}".encode()) for n in range(wearables)]
        self.home.enrol(*self.wearables)

    async def start(self) -> None:
        """Start the daemon and wait until it hears its wearables and has its broker. Raises ChildFailed."""
        await self.home.start(self.disk.environment())
        await self.home.connected()

    async def kill(self) -> None:
        """SIGKILL: what the process has not said to the kernel is gone, what the kernel caches is not."""
        await self.home.kill()

    def told(self) -> dict[bytes, Told]:
        """What each frame that a wearable has opened told it."""
        return {frame: told for wearable in self.wearables for frame, told in wearable.told.items()}

    @property
    def log(self) -> Path:
        """What the daemon has said, over all lives."""
        return self.home.place / "gateway.log"


@asynccontextmanager
async def disk_home(place: Path, wearables: int) -> AsyncIterator[DiskHome]:
    """Broker and platform are up; all of it is taken away at the end."""
    place.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as ends:
        broker = ends.enter_context(Broker())
        platform = MutePlatform(place / "platform")
        await ends.enter_async_context(platform.connected("127.0.0.1", broker.port))
        made = DiskHome(place, broker, platform, wearables)
        ends.callback(made.disk.close)
        ends.push_async_callback(made.home.close)
        yield made
