"""AES-128-CCM (8-byte tag, 13-byte nonce) over whole messages, for the ends that may allocate.

Owns: the choice between the host's own CCM and ours. Must not know: frames.
"""

from .ccm import TAG_SIZE

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    class Aead:
        """COSE algorithm 10 (AES-CCM-16-64-128, RFC 9053 section 4.2) under one key of 16 bytes."""

        def __init__(self, key: bytes) -> None:
            self._ccm = AESCCM(key, tag_length=TAG_SIZE)

        def seal(self, nonce: bytes, body: bytes, aad: bytes) -> bytes:
            """Return ciphertext and tag."""
            return self._ccm.encrypt(nonce, body, aad)

        def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> "bytes | None":
            """Return the body, or None when the tag is wrong."""
            try:
                return self._ccm.decrypt(nonce, sealed, aad)
            except InvalidTag:
                return None

except ImportError:
    from .ccm import Ccm

    class Aead:  # type: ignore[no-redef]
        """The same over ccm.py, for a host without a native CCM."""

        def __init__(self, key: bytes) -> None:
            self._ccm = Ccm(key)

        def seal(self, nonce: bytes, body: bytes, aad: bytes) -> bytes:
            """Return ciphertext and tag."""
            buf = bytearray(body) + bytearray(TAG_SIZE)
            self._ccm.seal(buf, 0, len(body), bytearray(nonce), bytearray(aad), len(aad))
            return bytes(buf)

        def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> "bytes | None":
            """Return the body, or None when the tag is wrong."""
            buf = bytearray(sealed)
            end = len(buf) - TAG_SIZE
            if end < 0 or not self._ccm.open(buf, 0, end, bytearray(nonce), bytearray(aad), len(aad)):
                return None
            return bytes(buf[:end])
