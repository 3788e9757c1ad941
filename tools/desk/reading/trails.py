"""up/trail, read: boxes of positions, unread. Does no I/O and no cryptography."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol import box
from protocol.box import SEQUENCE_MAX
from protocol.frame import BODY_MAX
from protocol.messages import NUMBER_MAX
from protocol.watchful import TRAIL_HEAD_SIZE
from tools.desk.errors import NotUnderstood
from tools.desk.reading import envelope, fields
from tools.desk.reading.message import Fault, Message

_TRAILS_MAX = 50
_BOX_MAX = BODY_MAX - TRAIL_HEAD_SIZE


@dataclass(frozen=True, slots=True)
class SealedTrail:
    """A box of positions as it came. `number`: of the event that they are news of, 0: of none."""

    wearable: str
    number: int
    sequence: int
    box: bytes
    area: str
    gateway: str
    # By the wall clock, at the latest.
    heard_ms: int
    received_ms: int

    @property
    def event(self) -> str | None:
        """The identity of the event that it is news of."""
        return f"{self.wearable}-{self.number:06x}" if self.number else None


def read_trails(message: Message) -> tuple[list[SealedTrail], list[Fault]]:
    """Read up/trail: boxes, and what is wrong about the rest. Raises NotUnderstood."""
    said, faults = envelope.opened(message)
    trails, left_out = envelope.rows(message, said, "trails", lambda row: _sealed(message, row))
    return trails[:_TRAILS_MAX], faults + left_out


def _sealed(message: Message, row: dict[str, Any]) -> SealedTrail:
    sequence = fields.whole(row, "sequence", 0, SEQUENCE_MAX)
    sealed = bytes.fromhex(str(fields.match(row, "box", fields.HEX)))
    if len(sealed) > _BOX_MAX or not is_trail(sealed) or box.sequence(sealed) != sequence:
        raise NotUnderstood("box")
    heard_age_ms = fields.whole(row, "heard_age_ms", 0, fields.AGE_MAX_MS)
    return SealedTrail(
        wearable=str(fields.match(row, "wearable", fields.HANDLE)),
        number=fields.whole(row, "number", 0, NUMBER_MAX),
        sequence=sequence,
        box=sealed,
        area=message.area,
        gateway=message.gateway,
        heard_ms=message.received_ms - heard_age_ms,
        received_ms=message.received_ms,
    )


def is_trail(sealed: bytes) -> bool:
    """Whether these bytes may be a box of positions."""
    return len(sealed) >= box.OVERHEAD and sealed[0] == box.TRAIL
