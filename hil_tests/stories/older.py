"""A month of an older person who lives alone, with a watch that feels falls: what happens, and what is to come of it.

Medicine at eight and eight, a check-in at ten. A fall with recovery, one without, mains out for six hours, a day
without the broker, a day on which nothing is answered and nothing moves. Owns the script.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from hil_tests.stories import books
from hil_tests.stories.body_moves import Moves
from hil_tests.stories.tale import Part, Tale
from protocol import codes
from protocol.settings import FALLS_NORMAL, OLDER, Settings

GATEWAY = "gw-1"
_EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
_HEARTBEAT_S = 900
_ANSWER_S = 1200
_AGAIN = 2
# A prompt waits for the heartbeat, which is tried again; then for the answer.
_ASKED_WITHIN_S = 2 * _HEARTBEAT_S + 60


def _checkin(name: str, kind: str, at: str) -> dict[str, object]:
    more = {"days": _EVERY_DAY, "answer_within_s": _ANSWER_S, "again": _AGAIN, "text": 0}
    return {"id": name, "kind": kind, "at": at, **more}


CHECKINS = [
    _checkin("morning-pill", "medicine", "08:00"),
    _checkin("how-are-you", "checkin", "10:00"),
    _checkin("evening-pill", "medicine", "20:00"),
]
PLAN = {
    "v": 1,
    "beneficiary": "older",
    "centre": "xihu-1",
    "timezone": "Asia/Shanghai",
    "away": None,
    "checkins": CHECKINS,
    "inactivity": {"after_min": 480, "quiet": ["22:00", "07:00"]},
    "presence": None,
    "retention_days": 30,
}


def settings() -> bytes:
    """As the profile of an older person has them."""
    made = Settings()
    made.kind, made.falls, made.countdown_s, made.heartbeat_s = OLDER, FALLS_NORMAL, 30, _HEARTBEAT_S
    made.short_press = codes.SOS
    return made.pack()


class Older(Tale):
    """`tell` is the whole; a chapter belongs to a day."""

    async def tell(self) -> None:
        """From the first midnight to the last."""
        world = self.world
        self.watch = await world.add_wearable("watch", b"test_only_older1", "display", "touch", "accelerometer")
        self.moves = Moves(5, wrist=True)
        await world.open_gateway(GATEWAY, [self.watch.registry_row()])
        await self.care(self.watch, PLAN, settings())
        world.air.near.add(("watch", GATEWAY))
        world.walks("watch", None, self.moves.sits)
        await world.power("watch")
        await world.pass_s(60)
        await self.cared(self.watch)
        chapters = {
            1: self.holds_the_button,
            2: self.falls_and_gets_up,
            3: self.falls_and_lies,
            4: self.mains_out,
            5: self.no_broker,
            6: self.calls_for_care,
            7: self.leaves_the_watch_on_the_table,
        }
        day = 0
        while not self.over:
            await chapters.get(day + self.first, self.ordinary)(day)
            day += 1
        await world.accepted()
        self.expected += books.path_tests(GATEWAY, self.wall_ms(self.begin_ms), self.wall_ms(world.at_ms))

    # ---- days ----

    async def ordinary(self, day: int) -> None:
        """Up at seven, about the house, to bed at ten; whoever is asked answers."""
        await self.morning(day)
        await self.walk(day, "11:30", 20)
        await self.walk(day, "16:00", 30)
        await self.evening(day)

    async def morning(self, day: int) -> None:
        """Up, a pill, a check-in."""
        await self.walk(day, "07:10", 15)
        self.answered(day, "08:00")
        self.answered(day, "10:00")

    async def evening(self, day: int) -> None:
        """A pill, and to bed."""
        self.answered(day, "20:00")
        await self.walk(day, "21:40", 10)
        await self.until(day + 1)

    async def walk(self, day: int, clock: str, minutes: int) -> None:
        """About the house for a while."""
        await self.until(day, clock)
        if not self.over:
            self.world.walks("watch", self.moves.gait, self.moves.sits)
            hours, minute = (int(part) for part in clock.split(":"))
            await self.until(day, f"{hours + (minute + minutes) // 60}:{(minute + minutes) % 60:02}")
            self.world.walks("watch", None, self.moves.sits)

    def answered(self, day: int, clock: str) -> None:
        """This check-in is due, asked, and answered."""
        self.expect("checkin_answered", self.watch.handle, self.at(day, clock), _ASKED_WITHIN_S)

    async def lives_until(self, day: int, clock: str) -> bool:
        """Whether the telling goes as far as this."""
        await self.until(day, clock)
        return not self.over

    # ---- chapters ----

    async def holds_the_button(self, day: int) -> None:
        """An SOS by hand; the operator takes it and closes it."""
        await self.morning(day)
        if await self.lives_until(day, "15:12"):
            self.expect("sos", self.watch.handle, self.world.at_ms, 3.0, "hold")
            await self.world.hold("watch")
            await self.world.pass_s(5)
            await self.handled(self.watch, "sos")
        await self.evening(day)

    async def falls_and_gets_up(self, day: int) -> None:
        """The countdown is ended by walking: no alarm, but it is told."""
        await self.morning(day)
        if await self.lives_until(day, "14:03"):
            fall = self.moves.fall_with_recovery()
            self.world.falls("watch", fall, self.moves.sits)
            self.expect("fall_recovered", self.watch.handle, self.world.at_ms + fall.blow_ms, fall.lasts_ms / 1000)
        await self.evening(day)

    async def falls_and_lies(self, day: int) -> None:
        """Nobody presses anything: thirty seconds later it is an SOS, and a minute after that no motion is told."""
        await self.morning(day)
        if await self.lives_until(day, "14:03"):
            fall = self.moves.fall()
            self.world.falls("watch", fall, self.moves.still)
            # The detector wants to see somebody lie before it counts; the trace is restless for some seconds at most.
            fell_ms = self.world.at_ms + fall.blow_ms
            self.expect("sos", self.watch.handle, fell_ms, 60.0, "fall_unanswered")
            self.expect("no_motion_after_fall", self.watch.handle, fell_ms + 90_000, 120.0)
            await self.world.pass_s(240)
            await self.handled(self.watch, "sos")
            await self.handled(self.watch, "no_motion_after_fall")
            await self.world.pass_s(720)
        await self.evening(day)

    async def mains_out(self, day: int) -> None:
        """Six hours on the gateway's battery; life goes on."""
        await self.morning(day)
        if await self.lives_until(day, "13:00"):
            self.world.mains(GATEWAY, on=False)
            self.expect("mains_lost", "power_supply", self.at(day, "13:00"), 660.0)
        await self.walk(day, "16:00", 30)
        if await self.lives_until(day, "19:00"):
            self.world.mains(GATEWAY, on=True)
            self.expect("mains_restored", "power_supply", self.at(day, "19:00"), 960.0)
        await self.evening(day)

    async def no_broker(self, day: int) -> None:
        """A day without a network: check-ins are asked and answered all the same, and come a day later."""
        if await self.lives_until(day, "00:30"):
            self.world.broker.stop()
            self.expect("path_primary_lost", "primary", self.at(day, "00:30"), 660.0)
            self.expect("platform_lost", "", self.at(day, "00:30"), 1260.0)
        await self.morning(day)
        await self.walk(day, "16:00", 30)
        self.answered(day, "20:00")
        await self.until(day + 1, "00:30")
        seen = len(self.world.gateways[GATEWAY].logs)
        await asyncio.to_thread(self.world.broker.start)
        self.expect("path_primary_restored", "primary", self.world.at_ms, 1260.0)
        self.expect("platform_restored", "", self.world.at_ms, 660.0)
        await self.world.gateways[GATEWAY].logged("uplink_connected", 30.0, after=seen)
        await self.world.accepted()

    async def calls_for_care(self, day: int) -> None:
        """By the screen: menu, care, send."""
        await self.morning(day)
        if await self.lives_until(day, "15:40"):
            self.expect("service_care", self.watch.handle, self.world.at_ms, 15.0)
            await self.world.tap("watch", (10, 10), (200, 200), (120, 120), (180, 120))
            await self.world.pass_s(5)
            await self.handled(self.watch, "service_care")
        await self.evening(day)

    async def leaves_the_watch_on_the_table(self, day: int) -> None:
        """Nothing is answered and nothing moves for a day; it is told as what it is, and that it is over."""
        self.answers = False
        self.world.walks("watch", None, self.moves.still)
        for clock in ("08:00", "10:00", "20:00"):
            most_s = _ASKED_WITHIN_S + (_AGAIN + 1) * (_ANSWER_S + _ASKED_WITHIN_S)
            self.expect("checkin_not_worn", self.watch.handle, self.at(day, clock), most_s)
        # Quiet hours do not count: eight hours from seven.
        self.expect("inactive", self.watch.handle, self.at(day, "15:00"), 900.0)
        await self.until(day + 1, "07:10")
        self.answers = True
        self.world.walks("watch", None, self.moves.sits)
        self.expect("active_again", self.watch.handle, self.at(day + 1, "07:10"), _ASKED_WITHIN_S)
        # The next answer says that the wearer is well after all; of the pills it says nothing.
        self.expect("checkin_settled", self.watch.handle, self.at(day + 1, "08:00"), _ASKED_WITHIN_S)


async def tell(place: Path, part: Part) -> tuple[Older, books.Verdict]:
    """This part of the story, and what is to be said of it."""
    async with Older.begin(place, part) as tale:
        await tale.tell()
    return tale, books.judge(tale.expected, books.at_desk(place / "desk" / "desk.sqlite3"))
