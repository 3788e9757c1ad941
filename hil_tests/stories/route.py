"""Where a wearer of a story is at any time, and what satellites say there. Owns the truth that a trail is held against.

Straight lines between places, at a steady pace; four satellites and more everywhere, but for a while after the receiver
was switched on. Must not know fences or trails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil_tests.stories.world import World
from hil_tests.wearable import sky

_FIRST_FIX_MS = 8_000
_COLD_FIX_MS = 28_000
_COLD_AFTER_MS = 4 * 3_600_000
_METRES_PER_DEGREE = 111_195.0
_KNOTS_PER_M_S = 1.944
_HDOP = "1.2"


@dataclass(frozen=True)
class Place:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float

    def metres_to(self, other: Place) -> float:
        """On a plane: no story goes farther than a county."""
        east = (self.longitude - other.longitude) * math.cos(math.radians(self.latitude))
        return math.hypot(self.latitude - other.latitude, east) * _METRES_PER_DEGREE


class Route:
    """`go` adds a leg; `at` says where that is."""

    def __init__(self, begins_at: Place) -> None:
        self._legs: list[tuple[int, int, Place, Place]] = []
        self._last = begins_at

    def go(self, to: Place, from_ms: int, until_ms: int) -> None:
        """On the way there between these times of the story, and there from then on."""
        self._legs.append((from_ms, until_ms, self._last, to))
        self._last = to

    def at(self, at_ms: int) -> Place:
        """Where the wearer is."""
        place = self._legs[0][2] if self._legs else self._last
        for from_ms, until_ms, start, end in self._legs:
            if at_ms < from_ms:
                break
            done = min(1.0, (at_ms - from_ms) / (until_ms - from_ms))
            place = Place(
                start.latitude + done * (end.latitude - start.latitude),
                start.longitude + done * (end.longitude - start.longitude),
            )
        return place


class Satellites:
    """Talks to the receiver of one wearable, each second that it is on; goes into world.each_second."""

    def __init__(self, world: World, name: str, route: Route) -> None:
        self._world = world
        self._wearable = world.wearables[name]
        self._route = route
        self._second = 0
        self._on_ms: int | None = None
        self._fixed_ms = -_COLD_AFTER_MS

    def __call__(self) -> None:
        """Say what there is to say of a second that is new."""
        wearable, at_ms = self._wearable, self._wearable.at_ms
        if not wearable.gnss_on or wearable.asleep or wearable.dark:
            self._on_ms = None
            return
        if self._on_ms is None:
            self._on_ms = at_ms
        if at_ms // 1000 == self._second:
            return
        self._second = at_ms // 1000
        unix_s = (self._world.wall_of_0_ms + at_ms) // 1000
        cold = at_ms - self._fixed_ms >= _COLD_AFTER_MS
        if at_ms - self._on_ms < (_COLD_FIX_MS if cold else _FIRST_FIX_MS):
            lines = sky.indoors(unix_s)
        else:
            here, before = self._route.at(at_ms), self._route.at(at_ms - 1000)
            knots = here.metres_to(before) * _KNOTS_PER_M_S
            lines = sky.second(unix_s, round(here.latitude * 1e6), round(here.longitude * 1e6), _HDOP, f"{knots:.1f}")
            self._fixed_ms = at_ms
        wearable.tell("nmea " + ("\r\n".join(lines) + "\r\n").encode().hex())
