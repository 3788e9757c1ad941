"""A box: what one party sealed for another, and what a third carries without reading it.

Owns: its layout and sealing. Must not know: what is in it, nor who carries it. The sequence is in clear, so that
whoever carries it can tell a box from another, and an older one from a newer.

    purpose (1) | sequence (4) | salt (8) | ciphertext | tag (8)
"""

from .aead import Aead
from .ccm import TAG_SIZE
from .keys import SALT, hkdf_sha256

TRAIL = 1  # wearable to platform, under the trail key
SETTINGS = 2  # platform to wearable, under the trail key
CARE = 3  # platform to gateway, under the care key

SALT_SIZE = 8
HEAD_SIZE = 5 + SALT_SIZE
OVERHEAD = HEAD_SIZE + TAG_SIZE
SEQUENCE_MAX = 0xFFFFFFFF
# The first byte of the nonce: never one of a frame's (frame.py).
_NONCE = 0x10


def care_key(down: bytes) -> bytes:
    """The key of boxes for the gateway, from the wearable's `down`, which both ends have: 16 bytes."""
    return hkdf_sha256(down, SALT, b"care", 16)


def seal(key: bytes, purpose: int, sequence: int, salt: bytes, content: bytes) -> bytes:
    """Make a box. `salt`: 8 fresh random bytes. Raises ValueError when it has another size."""
    if len(salt) != SALT_SIZE or not 0 <= sequence <= SEQUENCE_MAX:
        raise ValueError("salt of 8 bytes, sequence of 32 bits")
    head = bytes([purpose]) + sequence.to_bytes(4, "big") + salt
    return head + Aead(key).seal(_nonce(head), content, head)


def sequence(box: "bytes | bytearray") -> int:
    """A box's sequence, not authenticated; -1 when this is none."""
    return int.from_bytes(box[1:5], "big") if len(box) >= OVERHEAD else -1


def opened(key: bytes, purpose: int, box: "bytes | bytearray") -> "bytes | None":
    """What is in a box; None when it is not genuine, or for another purpose."""
    if len(box) < OVERHEAD or box[0] != purpose:
        return None
    head = bytes(box[:HEAD_SIZE])
    return Aead(key).open(_nonce(head), bytes(box[HEAD_SIZE:]), head)


def _nonce(head: bytes) -> bytes:
    return bytes([_NONCE | head[0]]) + head[1:]
