"""A story as it is told: who lives where, what happens when, and what is expected to come of it.

Owns days and times of day, the expected events, and the habits of the wearer: who is asked answers. Must not know how
time goes on (world.py), nor how it is judged (books.py).
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from hil_tests.stories.books import Expected
from hil_tests.stories.wearable import StoryWearable
from hil_tests.stories.world import World
from protocol import box

BEGINS = datetime.fromisoformat("2026-11-02T00:00:00+08:00")  # a Monday
DAY_S = 86_400
# When something happened is worked out at the desk from ages that were rounded on the way.
_ROUNDED_MS = 1_000
# From a press to its place in the books: the frame is heard in the same second.
_SOON_MS = 5_000
_LATER_S = 20.0
_TAKEN_WITHIN_S = 30.0
_PROMPTED = "shows 22 "
_OPERATOR = "operator"


@dataclass(frozen=True)
class Part:
    """What of a story is told: from `begin_ms` after midnight before chapter `first`, until so many days after it."""

    days: float
    seed: int
    first: int = 0
    begin_ms: int = 0


class Tale:
    """`expected` grows with what is told. `chance`: all of it, from the seed."""

    def __init__(self, world: World, part: Part) -> None:
        self.world = world
        self.days = part.days
        self.begin_ms = part.begin_ms
        self.first = part.first
        self.chance = random.Random(part.seed)
        self.expected: list[Expected] = []
        # Whoever is asked something answers, unless not at home, not awake, or not willing.
        self.answers = True
        # When there was no power. Of a trail, once it is judged.
        self.dark: list[tuple[int, int]] = []
        self.positions = self.boxes = self.box_bytes = 0
        self._versions = 0

    @classmethod
    @asynccontextmanager
    async def begin(cls, place: Path, part: Part, *desk: str) -> AsyncIterator[Self]:
        """A world with a desk, which has these arguments."""
        async with World(place, BEGINS, part.begin_ms) as world:
            await world.open_desk(*desk)
            yield cls(world, part)

    # ---- time ----

    def at(self, day: int, clock: str = "00:00") -> int:
        """The story's ms of a time of day; day 0 is the first."""
        hours, minutes = clock.split(":")
        return (day * DAY_S + int(hours) * 3600 + int(minutes) * 60) * 1000

    async def until(self, day: int, clock: str = "00:00") -> None:
        """Live up to this time of day, answering what is asked meanwhile."""
        await self.until_ms(self.at(day, clock))

    async def until_ms(self, to_ms: int) -> None:
        """The same, up to a time of the story."""
        to_ms = min(to_ms, int(self.days * DAY_S * 1000))
        while self.world.at_ms < to_ms:
            await self.world.until(to_ms, self._is_asked)
            asked = next((one for one in self.world.wearables.values() if asks(one)), None)
            if asked is not None and self.answers:
                await self.world.pass_s(self.chance.uniform(3.0, _LATER_S))
                await self.press(asked)
            elif asked is not None:
                await self.world.pass_s(1.0)

    def _is_asked(self) -> bool:
        return self.answers and any(asks(one) for one in self.world.wearables.values())

    @property
    def over(self) -> bool:
        """Whether the days of this telling are over."""
        return self.world.at_ms >= int(self.days * DAY_S * 1000)

    async def press(self, wearable: StoryWearable) -> None:
        """A short press, and what is seen of it."""
        await self.world.press(wearable.name)
        await self.world.pass_s(3.0)

    # ---- what is to come of it ----

    def wall_ms(self, at_ms: int) -> int:
        """The wall clock at a time of the story."""
        return self.world.wall_of_0_ms + at_ms

    def expect(self, kind: str, about: str, from_ms: int, within_s: float, detail: str | None = None) -> None:
        """An event from this time of the story on, where the telling goes so far."""
        if not self.begin_ms <= from_ms < self.days * DAY_S * 1000 - within_s * 1000:
            return
        from_ms = self.wall_ms(from_ms)
        to_ms = from_ms + int(within_s * 1000) + _SOON_MS
        self.expected.append(Expected(kind, about, from_ms - _ROUNDED_MS, to_ms, detail))

    # ---- the operator and the platform ----

    async def handled(self, wearable: StoryWearable, kind: str) -> None:
        """The operator takes the newest open event of this kind and, after some minutes, closes it."""
        await self.world.accepted()
        ours = [one for one in await self.world.desk.incidents() if one["wearable"] == wearable.handle]
        open_ones = [one["event"] for one in ours if one["kind"] == kind and one["stage"] == "accepted"]
        assert open_ones, f"{kind}: nothing to handle; of {wearable.name} there are {[one['kind'] for one in ours]}"
        event = open_ones[0]
        await self.world.desk.take(event, _OPERATOR)
        await self.world.pass_s(self.chance.uniform(60, 300))
        await self.world.desk.close(event, _OPERATOR)

    async def care(self, wearable: StoryWearable, plan: dict[str, Any], settings: bytes) -> None:
        """A plan and settings for this wearer, sealed, to the desk."""
        self._versions += 1
        keys, inside = wearable.keys, json.dumps(plan).encode()
        salt = self.chance.randbytes(box.SALT_SIZE)
        row = {
            "wearable": wearable.handle,
            "plan": {
                "version": self._versions,
                "box": box.seal(box.care_key(keys.down), box.CARE, self._versions, salt, inside).hex(),
            },
            "settings": {
                "version": self._versions,
                "box": box.seal(keys.trail, box.SETTINGS, self._versions, salt, settings).hex(),
            },
        }
        await self.world.desk.post("/api/care", row)

    async def cared(self, wearable: StoryWearable) -> None:
        """Time stands until the gateway that hears this wearable has its plan. Raises TimeoutError."""
        async with asyncio.timeout(_TAKEN_WITHIN_S):
            while not await self._lives_by(wearable.handle):
                await self.world.air.look()

    async def _lives_by(self, handle: str) -> bool:
        """Whether a gateway says that it has this version."""
        said = await self.world.desk.get(f"/api/care/{handle}")
        return any(gateway["plan_version"] == self._versions for gateway in said["gateways"])


def asks(wearable: StoryWearable) -> bool:
    """Whether it shows a question just now."""
    shown = next((words for _, words in reversed(wearable.told) if words.startswith("shows ")), "")
    return shown.startswith(_PROMPTED)
