"""up/stranger, read: sealed frames of wearables that a gateway does not know. Does no I/O and no cryptography."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol.frame import FRAME_MAX, OVERHEAD
from tools.desk.errors import NotUnderstood
from tools.desk.reading import envelope, fields
from tools.desk.reading.message import Fault, Message

_FRAMES_MAX = 50


@dataclass(frozen=True, slots=True)
class SealedFrame:
    """A stranger's frame as a gateway heard it."""

    area: str
    gateway: str
    received_ms: int
    rolling_id: bytes
    frame: bytes
    link: str
    rssi_dbm: int | None
    heard_age_ms: int
    # Of the message it came in: copied into the answer.
    correlation: bytes | None = None
    broker: int = 0


def read_strangers(message: Message) -> tuple[list[SealedFrame], list[Fault]]:
    """Read up/stranger: frames, and what is wrong about the rest. Raises NotUnderstood."""
    said, faults = envelope.opened(message)
    frames, left_out = envelope.rows(message, said, "frames", lambda row: _sealed(message, row))
    return frames[:_FRAMES_MAX], faults + left_out


def _sealed(message: Message, row: dict[str, Any]) -> SealedFrame:
    frame = bytes.fromhex(str(fields.match(row, "frame", fields.HEX)))
    rolling_id = bytes.fromhex(str(fields.match(row, "rid", fields.HANDLE)))
    if not OVERHEAD <= len(frame) <= FRAME_MAX or frame[1:9] != rolling_id:
        raise NotUnderstood("frame")
    return SealedFrame(
        area=message.area,
        gateway=message.gateway,
        received_ms=message.received_ms,
        rolling_id=rolling_id,
        frame=frame,
        link=fields.one_of(row, "link", fields.LINKS),
        rssi_dbm=fields.whole_or_null(row, "rssi_dbm", -128, 20),
        heard_age_ms=fields.whole(row, "heard_age_ms", 0, fields.AGE_MAX_MS),
        correlation=message.correlation,
        broker=message.broker,
    )
