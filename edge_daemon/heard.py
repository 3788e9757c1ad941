"""What travels through the pipeline: a frame as a link heard it, and an event as the gateway keeps it.

Owns the two records and the path an answer takes back. Must not know radios, disks or brokers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from protocol import codes, kinds

# Stages in the order an event goes through them; NO_PATH, BUSY and REFUSED stand beside.
FINAL_STAGES = (codes.CLOSED, codes.REFUSED)


class Path(Protocol):
    """The way back to whoever sent a frame. May lose what it is given: the wearable asks again."""

    @property
    def live(self) -> bool:
        """Whether what is sent now goes out now."""

    def send(self, frame: bytes) -> None:
        """Queue a sealed frame. Never blocks, never raises."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame as a link heard it: perhaps damaged, repeated, reordered, foreign or hostile."""

    frame: bytes
    link: str
    rssi_dbm: int | None
    at_ms: int
    path: Path


@dataclass(slots=True)
class Alarm:
    """One event as it is in the journal: of a wearable, or the gateway's own. Stage HEARD says: not on disk (yet).

    `age_ms` -1 says unknown; it is the age when heard, `heard_ms` the boot-time clock then, `heard_wall_ms` the wall
    clock, right or wrong. `about` and `note` are of the gateway's own: what it concerns, and a word on it.
    `place`: the order in which this run of the daemon has taken events up; wall clocks step, so they do not order.
    """

    wearable: str
    number: int
    kind: int
    detail: int
    age_ms: int
    age_resolution_ms: int
    age_at_least: bool
    battery_percent: int
    link: str
    rssi_dbm: int | None
    boot_id: str
    heard_ms: int
    heard_wall_ms: int
    raw: bytes | None
    about: str = ""
    note: str = ""
    stage: int = codes.HEARD
    reason: int = codes.REASON_NONE
    tries: int = 0
    misses: int = 0
    path_lost: bool = False
    busy: bool = False
    place: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """Wearable and number: the identity, as the gateway looks it up."""
        return self.wearable, self.number

    @property
    def event(self) -> str:
        """The identity, the same from the wearable to the platform: 16 hex digits, '-', 6 hex digits."""
        return f"{self.wearable}-{self.number:06x}"

    @property
    def meaning(self) -> kinds.Kind:
        """Name, class and codes of the kind."""
        return kinds.kind_of(self.kind) if self.raw is None else kinds.UNKNOWN

    @property
    def of_gateway(self) -> bool:
        """Whether the gateway itself says it."""
        return self.kind >= kinds.FIRST_OF_GATEWAY and self.raw is None

    @property
    def waiting(self) -> bool:
        """Whether the platform does not have it yet."""
        return self.stage in (codes.HEARD, codes.STORED)

    def told_stage(self) -> int:
        """What the wearer may be told now."""
        if self.stage != codes.STORED:
            return self.stage
        if self.busy:
            return codes.BUSY
        return codes.NO_PATH if self.path_lost else codes.STORED
