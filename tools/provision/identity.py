"""The identity of a wearable as it goes over the cable, and the proof that it is there.

Owns the record's layout on this side (firmware/sos/identity.py has the other) and the sealed round trip. Must not know
cables. Nothing here is ever told.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, field

from protocol import codes
from protocol.frame import BODY_AT, DownSealer, FrameRefused, UpOpener, rolling_id
from protocol.keys import DeviceKeys, hmac_sha256
from protocol.rolling import RollingIds

CHALLENGE_SIZE = 16

_MAGIC = b"PAT1"
_PROOF_SIZE = 8
# Id and status of a RESULT.
_RESULT_SIZE = 3
_COUNTERS = 131_072


class NotProved(Exception):
    """What came back was not sealed by the keys that were given."""


def record(keys: DeviceKeys) -> bytes:
    """80 bytes: magic | handle (8) | up, down, id, trail (16 each) | CRC-32 of all before, little endian."""
    whole = _MAGIC + keys.handle + keys.up + keys.down + keys.id + keys.trail
    return whole + zlib.crc32(whole).to_bytes(4, "little")


@dataclass(frozen=True)
class Expected:
    """The keys that a board is to prove; `trail` is None where only a gateway's keys are known."""

    up: bytes = field(repr=False)
    down: bytes = field(repr=False)
    id: bytes = field(repr=False)
    trail: bytes | None = field(repr=False)


def check(frame: bytes, challenge: bytes, keys: Expected) -> bytes:
    """Open the board's frame and return the answer to it. Raises NotProved."""
    wanted = rolling_id(frame)
    counter = RollingIds(keys.id).find_any({wanted}, 0, _COUNTERS).get(wanted)
    if counter is None:
        raise NotProved
    try:
        body = UpOpener(keys.up).open(frame, counter)
    except FrameRefused:
        raise NotProved from None
    said, proof = body[_RESULT_SIZE : _RESULT_SIZE + CHALLENGE_SIZE], body[_RESULT_SIZE + CHALLENGE_SIZE :]
    if said != challenge or (keys.trail and proof != hmac_sha256(keys.trail, challenge)[:_PROOF_SIZE]):
        raise NotProved
    return DownSealer(keys.down).seal(codes.ANSWER, counter, os.urandom(BODY_AT - 1), challenge)
