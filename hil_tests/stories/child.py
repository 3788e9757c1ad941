"""A week of a child with a positioning watch: school days, a wrong bus, a flat battery, a lost watch, a weekend.

At home a gateway that knows the watch; at the school and at the bus terminal gateways of the county that do not: what
they catch the platform opens. Owns the script.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hil_tests.stories import books, trails
from hil_tests.stories.body_moves import Moves
from hil_tests.stories.route import Place, Route, Satellites
from hil_tests.stories.tale import Part, Tale
from protocol import codes, keys
from protocol.settings import CHILD, FENCE_HOME, FENCE_SCHOOL, FENCE_TELLS_ENTERED, FENCE_TELLS_LEFT, Fence, Settings

HOME, SCHOOL, TERMINAL = Place(30.27410, 120.15510), Place(30.28900, 120.15700), Place(30.26500, 120.29000)
LOST_AT = Place(30.28300, 120.16300)
AT_HOME, AT_SCHOOL, AT_TERMINAL = "gw-home", "gw-school", "gw-terminal"
_ROOT = b"test_only_child1"
_HEARTBEAT_S = 600
_TELLS = FENCE_TELLS_LEFT | FENCE_TELLS_ENTERED
_AWAY_AFTER_MIN = 25
# A gateway hears a wearable within so much.
_RANGE_M = 60.0
_AFTER_S = 2 * _HEARTBEAT_S
PLAN = {
    "v": 1,
    "beneficiary": "child",
    "centre": "xihu-1",
    "timezone": "Asia/Shanghai",
    "away": None,
    "checkins": [
        {"id": "back", "kind": "checkin", "at": "17:30", "days": [1, 2, 3, 4, 5], "answer_within_s": 900, "again": 1,
         "text": 0}
    ],
    "inactivity": None,
    "presence": {"away_after_min": _AWAY_AFTER_MIN, "tell": True},
    "retention_days": 7,
}  # fmt: skip


def settings() -> bytes:
    """As the profile of a child has them."""
    made = Settings()
    made.kind, made.short_press, made.heartbeat_s = CHILD, codes.SERVICE_CALL_ME, _HEARTBEAT_S
    made.moving_s, made.still_s = 300, 1800
    made.fences = [_fence(1, FENCE_HOME, HOME, 200), _fence(2, FENCE_SCHOOL, SCHOOL, 250)]
    return made.pack()


def _fence(number: int, what: int, place: Place, radius_m: int) -> Fence:
    return Fence(number, what | _TELLS, round(place.latitude * 1e6), round(place.longitude * 1e6), radius_m)


class Child(Tale):
    """`tell` is the whole; a chapter belongs to a day."""

    async def tell(self) -> None:
        """From the first midnight to the last."""
        world = self.world
        self.watch = await world.add_wearable("watch", _ROOT, "gnss", "accelerometer")
        self.moves, self.route = Moves(5, wrist=True), Route(HOME)
        for gateway, serves in ((AT_HOME, [self.watch.registry_row()]), (AT_SCHOOL, []), (AT_TERMINAL, [])):
            await world.open_gateway(gateway, serves)
        world.each_second += [Satellites(world, "watch", self.route), self._who_hears]
        await self.care(self.watch, PLAN, settings())
        world.walks("watch", None, self.moves.sits)
        await world.power("watch")
        await world.pass_s(60)
        await self.cared(self.watch)
        chapters = {1: self.wrong_bus, 2: self.flat_battery, 3: self.loses_the_watch, 4: self.gets_it_back}
        day = 0
        while not self.over:
            ordinary = self.school_day if (day + self.first) % 7 < 5 else self.at_home
            await chapters.get(day + self.first, ordinary)(day)
            day += 1
        await world.accepted()
        for gateway in (AT_HOME, AT_SCHOOL, AT_TERMINAL):
            self.expected += books.path_tests(gateway, self.wall_ms(self.begin_ms), self.wall_ms(world.at_ms))

    def _who_hears(self) -> None:
        here = self.route.at(self.watch.at_ms)
        for gateway, place in ((AT_HOME, HOME), (AT_SCHOOL, SCHOOL), (AT_TERMINAL, TERMINAL)):
            pair = ("watch", gateway)
            (self.world.air.near.add if here.metres_to(place) < _RANGE_M else self.world.air.near.discard)(pair)

    # ---- days ----

    async def goes(self, day: int, clock: str, to: Place, minutes: int) -> None:
        """On the way, and there."""
        await self.until(day, clock)
        if self.over:
            return
        at_ms = self.world.at_ms
        self.route.go(to, at_ms, at_ms + minutes * 60_000)
        self.world.walks("watch", self.moves.gait, self.moves.sits)
        await self.until_ms(at_ms + minutes * 60_000)
        self.world.walks("watch", None, self.moves.sits)

    async def to_school(self, day: int) -> None:
        """Home is left, the school is entered; the gateway at home hears nothing any more, and says so."""
        self.told(day, "07:20", "home_left", 660)
        self.told(day, "07:20", "fence_entered", 1800, "2")
        self.told(day, "07:20", "presence_left", _AWAY_AFTER_MIN * 60 + _AFTER_S)
        await self.goes(day, "07:20", SCHOOL, 20)

    async def back_home(self, day: int, clock: str = "15:40", minutes: int = 20) -> None:
        """The school is left, home is entered; a check-in in the evening."""
        self.told(day, clock, "fence_left", 660, "2")
        await self.goes(day, clock, HOME, minutes)
        self.returned(day, clock)

    def returned(self, day: int, clock: str) -> None:
        """From this way home on: twenty minutes of it, then up to a heartbeat, or a look for a place."""
        self.told(day, clock, "home_returned", 3600)
        self.told(day, clock, "presence_returned", 3600)

    async def school_day(self, day: int) -> None:
        """There and back."""
        await self.to_school(day)
        await self.back_home(day)
        self.told(day, "17:30", "checkin_answered", _AFTER_S)
        await self.until(day + 1)

    async def at_home(self, day: int) -> None:
        """Out in the yard for a while, and nothing is told."""
        await self.until(day, "10:00")
        self.world.walks("watch", self.moves.gait, self.moves.sits)
        await self.until(day, "10:20")
        self.world.walks("watch", None, self.moves.sits)
        await self.until(day + 1)

    # ---- chapters ----

    async def wrong_bus(self, day: int) -> None:
        """The bus goes the other way; an SOS where nobody hears; a stranger's gateway at the terminal does."""
        await self.to_school(day)
        self.told(day, "15:40", "fence_left", 660, "2")
        await self.until(day, "15:40")
        if not self.over:
            at_ms = self.world.at_ms
            self.route.go(TERMINAL, at_ms, at_ms + 40 * 60_000)
            self.world.walks("watch", self.moves.gait, self.moves.sits)
            await self.until(day, "15:58")
            self.expect("sos", self.watch.handle, self.world.at_ms, 3.0, "hold")
            await self.world.hold("watch")
            await self.until(day, "16:22")
            self.world.walks("watch", None, self.moves.sits)
            await self.handled(self.watch, "sos")
        await self.goes(day, "17:00", HOME, 45)
        self.returned(day, "17:00")
        self.told(day, "17:30", "checkin_answered", 3600)
        await self.until(day + 1)

    async def flat_battery(self, day: int) -> None:
        """Low at ten, critical at one, dark at two; charged in the evening."""
        await self.to_school(day)
        for clock, battery_mv, kind in (
            ("10:00", 3640, "wearable_battery_low"),
            ("13:00", 3520, "wearable_battery_critical"),
        ):
            await self.until(day, clock)
            self.watch.tell(f"battery {battery_mv}")
            self.told(day, clock, kind, 3600)
        await self.until(day, "14:00")
        if not self.over:
            await self.world.cut("watch")
            self.dark.append((self.world.at_ms, self.at(day, "18:00")))
            self.route.go(HOME, self.at(day, "15:40"), self.at(day, "16:00"))
        await self.until(day, "18:00")
        if not self.over:
            self.watch.tell("battery 4100")
            await self.world.power("watch")
        self.told(day, "17:30", "checkin_answered", 3600)
        for kind in ("home_returned", "presence_returned"):
            self.told(day, "18:00", kind, 600)
        self.told(day, "18:00", "fence_left", 600, "2")
        await self.until(day + 1)

    async def loses_the_watch(self, day: int) -> None:
        """On the way home it falls off and lies where nobody hears it."""
        await self.to_school(day)
        self.told(day, "15:40", "fence_left", 660, "2")
        await self.goes(day, "15:40", LOST_AT, 8)
        self.world.walks("watch", None, self.moves.still)
        self.told(day, "15:48", "wearable_removed", 9600)
        self.told(day, "17:30", "checkin_unreachable", 3600)
        await self.until(day + 1)

    async def gets_it_back(self, day: int) -> None:
        """A day later it is missing; somebody looks for it, it is found, and it vibrates as soon as it is heard."""
        # A day after the last heartbeat that was heard at home, which was ten minutes before the way at the most.
        self.told(day, "07:09", "wearable_missing", 3600)
        self.told(day, "17:30", "checkin_unreachable", 3600)
        await self.until(day, "18:10")
        if not self.over:
            await self.world.desk.post(
                f"/api/wearables/{self.watch.handle}/look", {"operator": "operator", "seconds": 3600}
            )
        await self.goes(day, "18:20", HOME, 15)
        self.returned(day, "18:20")
        self.told(day, "18:20", "wearable_worn", 1200)
        self.told(day, "18:20", "checkin_answered", 3600, "look")
        # Today's, that could not be asked; yesterday's is too long ago.
        self.told(day, "18:20", "checkin_settled", 3600)
        await self.until(day + 1)

    def told(self, day: int, clock: str, kind: str, within_s: float, detail: str | None = None) -> None:
        """This is to be told from then on."""
        self.expect(kind, self.watch.handle, self.at(day, clock), within_s, detail)


async def tell(place: Path, part: Part) -> tuple[Child, books.Verdict]:
    """This part of the story, and what is to be said of it."""
    roots = place / "roots.json"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(roots)
    async with Child.begin(place, part, "--keys", str(roots)) as tale:
        await tale.tell()
    database = place / "desk" / "desk.sqlite3"
    verdict = books.judge(tale.expected, books.at_desk(database))
    trails.judge(tale, database, verdict)
    return tale, verdict


def _write(file: Path) -> None:
    file.touch(mode=0o600)
    row: dict[str, Any] = {"wearable": keys.derive(_ROOT).handle.hex(), "root": _ROOT.hex()}
    file.write_text(json.dumps({"v": 1, "wearables": [row]}))
