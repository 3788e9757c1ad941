"""Protocol v1 from protocol/README.md alone: keys, frames, bodies, serial blocks.

Owns bytes. Must not know protocol/ or edge_daemon/, on purpose: an error of theirs must not be ours as well.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Section 6.1.
EVENT, HEARTBEAT, HELLO, RESULT, ANSWER, COMMAND = 1, 2, 3, 4, 8, 9
STAGES = ("HEARD", "STORED", "ACCEPTED", "ANSWERED", "CLOSED", "NO_PATH", "BUSY", "REFUSED")
SOS, SOS_CANCELLED = 0x01, 0x02
PRESS, HOLD = 1, 2
LOCATE = 1
DONE, UNKNOWN = 0, 1

# Section 9: a block longer than this is dropped whole.
_BLOCK_MOST = 263
_FRAME_LEAST = 17


@dataclass(frozen=True)
class Keys:
    """Section 2."""

    handle: bytes
    up: bytes
    down: bytes
    id: bytes

    @classmethod
    def of(cls, root: bytes) -> Keys:
        """Derive them from a root of 16 bytes."""

        def key(label: bytes, size: int) -> bytes:
            return HKDF(algorithm=SHA256(), length=size, salt=b"pingan/v1", info=label).derive(root)

        return cls(key(b"handle", 8), key(b"up", 16), key(b"down", 16), key(b"id", 16))

    def rolling_id(self, counter: int) -> bytes:
        """Section 3.1."""
        block = bytes(12) + struct.pack(">I", counter)
        # ECB of one block is what the specification asks for.
        return Cipher(algorithms.AES(self.id), modes.ECB()).encryptor().update(block)[:8]  # noqa: S305


def seal_up(keys: Keys, frame_type: int, counter: int, body: bytes) -> bytes:
    """Section 3: a frame from the wearable."""
    head = bytes([0x10 | frame_type]) + keys.rolling_id(counter)
    nonce = b"\x01" + struct.pack(">I", counter) + bytes(8)
    return head + AESCCM(keys.up, tag_length=8).encrypt(nonce, body, head)


def open_up(keys: Keys, frame: bytes, counter: int) -> bytes | None:
    """The body of a frame from the wearable; None when it is not genuine."""
    nonce = b"\x01" + struct.pack(">I", counter) + bytes(8)
    try:
        return AESCCM(keys.up, tag_length=8).decrypt(nonce, frame[9:], frame[:9])
    except InvalidTag:
        return None


def seal_down(keys: Keys, frame_type: int, question: int, body: bytes) -> bytes:
    """A frame to the wearable, as an answer to its question."""
    salt = os.urandom(8)
    head = bytes([0x10 | frame_type]) + salt
    return head + AESCCM(keys.down, tag_length=8).encrypt(b"\x02" + struct.pack(">I", question) + salt, body, head)


def open_down(keys: Keys, frame: bytes, question: int) -> bytes | None:
    """The body of a frame to the wearable, if it answers that question."""
    if len(frame) < _FRAME_LEAST or frame[0] >> 4 != 1 or frame[0] & 15 < ANSWER:
        return None
    nonce = b"\x02" + struct.pack(">I", question) + frame[1:9]
    try:
        return AESCCM(keys.down, tag_length=8).decrypt(nonce, frame[9:], frame[:9])
    except InvalidTag:
        return None


def event(kind: int, number: int, detail: int, age_ms: int, battery_percent: int, battery_mv: int) -> bytes:
    """Section 4.1, with both TLVs of section 4.6."""
    age = age_ms // 100 if age_ms < 3_276_800 else min(0x8000 + age_ms // 60_000, 0xFFFE)
    battery = int(battery_percent * 14 / 100 + 0.5)
    fixed = struct.pack(">B3sHB", kind, number.to_bytes(3, "big"), age, battery << 4 | detail)
    return fixed + struct.pack(">BBHBBI", 1, 2, battery_mv, 2, 4, age_ms)


def hello(number: int, stage: int, battery_percent: int, open_alarms: int) -> bytes:
    """Section 4.2; asks for the state of `number` unless it is 0."""
    battery = int(battery_percent * 14 / 100 + 0.5)
    return struct.pack(">B3sBBB", 2 if number else 0, number.to_bytes(3, "big"), stage, battery << 4, open_alarms)


def heartbeat(uptime_s: int, battery_mv: int, percent: int, open_alarms: int) -> bytes:
    """Section 6.3; some heap, version 9.8.7, started by power, flash in order."""
    return struct.pack(">IHB3s3BBBBB", uptime_s, battery_mv, percent, b"\x00\xa0\x28", 9, 8, 7, 1, 1, open_alarms, 0)


def cobs(data: bytes) -> bytes:
    """Section 9: pieces without zeros, each after its size + 1; 254 and more in several."""
    out = bytearray()
    for piece in data.split(b"\x00"):
        while len(piece) >= 254:
            out += b"\xff" + piece[:254]
            piece = piece[254:]  # noqa: PLW2901  the rest of the piece is the piece
        out += bytes([len(piece) + 1]) + piece
    return bytes(out)


def uncobs(block: bytes) -> bytes | None:
    """The inverse; None when it is no COBS."""
    out = bytearray()
    at = 0
    while at < len(block):
        size = block[at]
        if size == 0 or at + size > len(block):
            return None
        out += block[at + 1 : at + size]
        at += size
        if size != 0xFF and at < len(block):
            out.append(0)
    return bytes(out)


def to_line(frame: bytes) -> bytes:
    """What is written to the serial line for a frame."""
    return cobs(frame + struct.pack("<I", zlib.crc32(frame))) + b"\x00"


class FromLine:
    """Bytes from the serial line to frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that ended in these bytes."""
        *blocks, self._rest = (self._rest + data).split(b"\x00")
        return [frame for block in blocks if (frame := _frame(block)) is not None]


def _frame(block: bytes) -> bytes | None:
    data = uncobs(block) if 0 < len(block) <= _BLOCK_MOST else None
    if data is None or len(data) < _FRAME_LEAST + 4 or struct.pack("<I", zlib.crc32(data[:-4])) != data[-4:]:
        return None
    return data[:-4]
