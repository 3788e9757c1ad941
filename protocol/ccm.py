"""AES-128-CCM with an 8-byte tag and a 13-byte nonce, in place and without heap (RFC 3610, M=8, L=2).

Owns: the mode of operation, for a wearable that has AES-ECB and little memory.
Must not know: frames, keys' names, counters. Hosts that have CCM natively use it (aead.py); the vectors of
RFC 3610 hold both to the same bytes.
"""

from .aes import Block

NONCE_SIZE = 13
TAG_SIZE = 8

# RFC 3610 section 2.2: flags of B_0 = 64 * Adata + 8 * ((M - 2) / 2) + (L - 1).
_FLAGS_MAC = 0x19
_FLAGS_AAD = 0x40
# Section 2.3: flags of A_i = L - 1.
_FLAGS_CTR = 0x01


class Ccm:
    """Seal and open in place under one key. Not for two tasks at once: the scratch blocks are its own."""

    def __init__(self, key: bytes) -> None:
        self._block = Block(key)
        self._mac = bytearray(16)
        self._stream = bytearray(16)

    def seal(self, buf: bytearray, start: int, end: int, nonce: bytearray, aad: bytearray, aad_size: int) -> int:
        """Encrypt buf[start:end] in place and write the tag to buf[end:end+8].

        `aad` counts by its first `aad_size` bytes (< 65,280). Returns the index after the tag. Takes no heap.
        """
        self._authenticate(buf, start, end, nonce, aad, aad_size)
        self._apply_keystream(buf, start, end, nonce)
        self._keystream(nonce, 0)
        for i in range(TAG_SIZE):
            buf[end + i] = self._mac[i] ^ self._stream[i]
        return end + TAG_SIZE

    def open(self, buf: bytearray, start: int, end: int, nonce: bytearray, aad: bytearray, aad_size: int) -> bool:
        """Decrypt buf[start:end] in place, its tag being at buf[end:end+8].

        Returns whether the tag is right. When it is not, buf[start:end] is put back as it came, so that another
        nonce can be tried. Takes no heap.
        """
        self._apply_keystream(buf, start, end, nonce)
        self._authenticate(buf, start, end, nonce, aad, aad_size)
        self._keystream(nonce, 0)
        different = 0
        for i in range(TAG_SIZE):
            different |= buf[end + i] ^ self._mac[i] ^ self._stream[i]
        if different:
            self._apply_keystream(buf, start, end, nonce)
        return different == 0

    def _authenticate(
        self, buf: bytearray, start: int, end: int, nonce: bytearray, aad: bytearray, aad_size: int
    ) -> None:
        """Leave the CBC-MAC of B_0, the additional data and the message in self._mac (RFC 3610 section 2.2)."""
        mac = self._mac
        mac[0] = _FLAGS_MAC | (_FLAGS_AAD if aad_size else 0)
        for i in range(NONCE_SIZE):
            mac[1 + i] = nonce[i]
        size = end - start
        mac[14] = size >> 8
        mac[15] = size & 0xFF
        self._block.encrypt(mac, mac)
        if aad_size:
            mac[0] ^= aad_size >> 8
            mac[1] ^= aad_size & 0xFF
            self._absorb(aad, 0, aad_size, 2)
        self._absorb(buf, start, end, 0)

    def _absorb(self, data: bytearray, start: int, end: int, at: int) -> None:
        """Run data[start:end] through the CBC-MAC, beginning at byte `at` of the block, padded with zeros."""
        mac = self._mac
        for i in range(start, end):
            mac[at] ^= data[i]
            at += 1
            if at == 16:
                self._block.encrypt(mac, mac)
                at = 0
        if at:
            self._block.encrypt(mac, mac)

    def _keystream(self, nonce: bytearray, number: int) -> None:
        """Leave S_number in self._stream (RFC 3610 section 2.3)."""
        stream = self._stream
        stream[0] = _FLAGS_CTR
        for i in range(NONCE_SIZE):
            stream[1 + i] = nonce[i]
        stream[14] = number >> 8
        stream[15] = number & 0xFF
        self._block.encrypt(stream, stream)

    def _apply_keystream(self, buf: bytearray, start: int, end: int, nonce: bytearray) -> None:
        """XOR buf[start:end] with S_1, S_2, ..."""
        for i in range(end - start):
            if i & 15 == 0:
                self._keystream(nonce, (i >> 4) + 1)
            buf[start + i] ^= self._stream[i & 15]
