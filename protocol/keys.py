"""From one root key per wearable to the keys each party may hold (HKDF-SHA256, RFC 5869).

Owns: the derivation and its labels. Must not know: who stores a key, and where.
"""

import hashlib

ROOT_SIZE = 16
SALT = b"pingan/v1"

_BLOCK_SIZE = 64


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104). MicroPython has hashlib but no hmac, so both Pythons use this one."""
    if len(key) > _BLOCK_SIZE:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK_SIZE - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in key]))
    inner.update(message)
    outer = hashlib.sha256(bytes([b ^ 0x5C for b in key]))
    outer.update(inner.digest())
    return outer.digest()


def hkdf_sha256(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """HKDF-SHA256, extract then expand (RFC 5869 section 2); `size` <= 8160 bytes."""
    pseudorandom = hmac_sha256(salt or bytes(32), secret)
    out = b""
    last = b""
    number = 1
    while len(out) < size:
        last = hmac_sha256(pseudorandom, last + info + bytes([number]))
        out += last
        number += 1
    return out[:size]


class DeviceKeys:
    """What is derived from a root. `handle` names the wearable at gateway and platform; it is no secret."""

    def __init__(self, handle: bytes, up: bytes, down: bytes, id_key: bytes, trail: bytes) -> None:
        self.handle = handle
        self.up = up
        self.down = down
        self.id = id_key
        self.trail = trail


def derive(root: bytes) -> DeviceKeys:
    """Derive handle (8 bytes), up, down, id and trail (16 bytes each) from a root of 16 random bytes.

    Raises ValueError when the root has another size.
    """
    if len(root) != ROOT_SIZE:
        raise ValueError("a root key has 16 bytes")
    return DeviceKeys(
        hkdf_sha256(root, SALT, b"handle", 8),
        hkdf_sha256(root, SALT, b"up", 16),
        hkdf_sha256(root, SALT, b"down", 16),
        hkdf_sha256(root, SALT, b"id", 16),
        hkdf_sha256(root, SALT, b"trail", 16),
    )
