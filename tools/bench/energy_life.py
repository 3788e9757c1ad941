"""What a wearable does in some days of each profile: how long each state lasts, counted by the virtual board itself.

The whole application runs on MicroPython at full speed (hil_tests/stories/board); the gateway is energy_gateway.py.
Owns the profiles' days: how much of them is walked, when somebody is asked. Must not know currents.

The BMA423 without its maker's program wakes a watch whenever its row of 160 samples is full, every 3.2 s. Where nothing
moves such a start ends at once and the time between two real wakings is long: those starts are not run one by one but
counted by the time asleep; where somebody walks each is run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.stories.body_moves import Moves
from hil_tests.stories.tale import asks
from hil_tests.stories.wearable import Spent, StoryWearable
from hil_tests.wearable import sky
from protocol import codes, keys, settings, watchful
from tools.bench.energy_gateway import EnergyGateway

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
ROW_MS = 3_200
_SECOND_MS = 1_000
_PRESSED_AFTER_MS = 8_000
# Hours at which somebody touches the screen to see what time it is.
_LOOKED_AT = (7.0, 8.5, 9.5, 10.7, 12.0, 13.0, 14.5, 15.2, 16.8, 18.0, 19.3, 21.0)
_EPOCH_S = 1_793_548_800
_FIRST_FIX_MS = 12_000
_PLACE = (30_274_100, 120_155_100)


@dataclass(frozen=True)
class Profile:
    """`walks`: (hour, minutes) of each walk of a day; `asked`: hours of check-ins; `parts`: the board's."""

    name: str
    beneficiary: int
    heartbeat_s: int
    parts: tuple[str, ...] = ()
    walks: tuple[tuple[float, int], ...] = ()
    asked: tuple[float, ...] = ()
    falls: int = settings.FALLS_OFF
    moving_s: int = 0
    still_s: int = 0

    def settings(self) -> bytes:
        """As the wearable is to live."""
        made = settings.Settings()
        made.kind, made.heartbeat_s, made.falls = self.beneficiary, self.heartbeat_s, self.falls
        made.moving_s, made.still_s = self.moving_s, self.still_s
        return made.pack()


_SCREEN = ("display", "touch", "accelerometer")
_WALKS_OLDER = ((7.2, 15), (11.5, 20), (16.0, 30), (21.5, 10))
_WALKS_CHILD = ((7.3, 20), (10.0, 20), (12.0, 30), (15.6, 20), (17.0, 60))
PENDANT_OLDER = Profile("pendant, older", settings.OLDER, 900, asked=(8, 10, 20))
WATCH_OLDER = Profile("watch, older", settings.OLDER, 900, _SCREEN, _WALKS_OLDER, (8, 10, 20), settings.FALLS_NORMAL)
WATCH_CHILD = Profile(
    "watch, child", settings.CHILD, 600, (*_SCREEN, "gnss"), _WALKS_CHILD, (17.5,), moving_s=300, still_s=1800
)
BADGE = Profile("badge (pendant), worker", settings.WORKER, 600)
PROFILES = (PENDANT_OLDER, WATCH_OLDER, WATCH_CHILD, BADGE)


@dataclass
class Life:
    """What was spent in `days`; `rows`: starts by a full row in which nothing moved, beside those that were run."""

    profile: Profile
    days: float
    spent: Spent
    rows: int


async def live(profile: Profile, days: float, place: Path) -> Life:
    """So many days of this profile. Raises WearableBroke."""
    place.mkdir(parents=True, exist_ok=True)
    wearable = StoryWearable("energy", keys.derive(b"test_only_energy"), profile.parts)
    await wearable.start(place / "board.log")
    try:
        lives = _Lives(profile, wearable)
        await lives.until(int(days * DAY_MS))
        return Life(profile, days, await wearable.spent(), lives.rows)
    finally:
        await wearable.stop()


class _Lives:
    """The day of a profile, as it comes to the board."""

    def __init__(self, profile: Profile, wearable: StoryWearable) -> None:
        self._profile = profile
        self._wearable = wearable
        self._gateway = EnergyGateway(wearable, profile.settings())
        self._moves = Moves(5, wrist=True) if profile.parts else None
        self._walks = self._asked = False
        self._at_ms = self._slept_ms = self._second = 0
        self._happenings: list[tuple[int, Callable[[], None]]] = []
        self._woken_by = ""
        self._gnss_ms = 0
        self.rows = 0

    async def until(self, end_ms: int) -> None:
        """From power-on at midnight on."""
        for day_ms in range(0, end_ms, DAY_MS):
            self._plan(day_ms)
        self._happenings.sort(key=lambda one: one[0])
        self._rest()
        await self._wearable.power(0)
        while self._at_ms < end_ms:
            while self._happenings and self._happenings[0][0] <= self._at_ms:
                self._happenings.pop(0)[1]()
            next_ms = min([end_ms, *(at_ms for at_ms, _ in self._happenings[:1])])
            if self._wearable.asleep:
                await self._sleep(next_ms)
            else:
                await self._wake(next_ms)

    def _plan(self, day_ms: int) -> None:
        def at(hour: float, do: Callable[[], None]) -> None:
            self._happenings.append((day_ms + int(hour * _HOUR_MS), do))

        for hour, minutes in self._profile.walks:
            at(hour, self._walk)
            at(hour + minutes / 60, self._rest)
        for hour in self._profile.asked:
            at(hour, self._ask)
        for hour in _LOOKED_AT if "touch" in self._profile.parts else ():
            at(hour, self._touch)

    # ---- what happens ----

    def _walk(self) -> None:
        self._walks = True
        if self._moves is not None:
            self._wearable.tell(f"gait {self._at_ms} {self._moves.gait}")

    def _rest(self) -> None:
        self._walks = False
        if self._moves is not None:
            self._wearable.tell(f"gait {self._at_ms} {self._moves.sits}")

    def _ask(self) -> None:
        self._asked = True
        prompt = watchful.pack_prompt(self._at_ms // 1000 & 0xFFFF, codes.PROMPT_CHECKIN, 1200, 0)
        self._gateway.to_give.append((codes.COMMAND_PROMPT, prompt))

    def _touch(self) -> None:
        self._wearable.tell("touch 120 120")
        self._woken_by = "touch"

    def _press(self) -> None:
        self._wearable.tell("button 1")
        self._woken_by = "button"

    # ---- time ----

    async def _sleep(self, next_ms: int) -> None:
        wearable = self._wearable
        if wearable.at_ms != self._slept_ms:
            self._slept_ms = wearable.at_ms
            self._gateway.slept()
        wakes_ms, cause = wearable.wakes_ms, "timer"
        rows = bool(wearable.motion_wakes)
        if rows and self._walks:
            wakes_ms, cause = min((wakes_ms, "timer"), (max(self._at_ms, wearable.at_ms + ROW_MS), "motion"))
        if self._woken_by:
            wakes_ms, cause, self._woken_by = self._at_ms, self._woken_by, ""
        begun_ms, self._at_ms = self._at_ms, min(next_ms, max(self._at_ms, wakes_ms))
        if rows and not self._walks:
            self.rows += (self._at_ms - begun_ms) // ROW_MS
        if self._at_ms >= wakes_ms:
            await wearable.wake(cause, self._at_ms)

    async def _wake(self, next_ms: int) -> None:
        wearable, due = self._wearable, self._gateway.due
        self._woken_by = ""
        while due and due[0][0] <= wearable.at_ms:
            due.pop(0)[1]()
        self._satellites()
        if self._asked and asks(wearable):
            self._asked = False
            pressed_ms = wearable.at_ms + _PRESSED_AFTER_MS
            self._happenings[:0] = [(pressed_ms, self._press), (pressed_ms + 120, lambda: wearable.tell("button 0"))]
        soon_ms = max([wearable.at_ms + 1, *(at_ms for at_ms, _ in due[:1])]) if due else next_ms
        await wearable.go(min(soon_ms, max(next_ms, wearable.at_ms + 1), wearable.at_ms + _SECOND_MS))
        self._at_ms = max(self._at_ms, wearable.at_ms)

    def _satellites(self) -> None:
        """Outdoors there is a place after a while; in houses there is none."""
        wearable = self._wearable
        if not wearable.gnss_on:
            self._gnss_ms = wearable.at_ms
        elif wearable.at_ms // _SECOND_MS != self._second:
            self._second = wearable.at_ms // _SECOND_MS
            unix_s = _EPOCH_S + self._second
            found = self._walks and wearable.at_ms - self._gnss_ms >= _FIRST_FIX_MS
            lines = sky.second(unix_s, *_PLACE) if found else sky.indoors(unix_s)
            wearable.tell("nmea " + ("\r\n".join(lines) + "\r\n").encode().hex())
