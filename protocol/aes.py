"""AES-128, one block after another (ECB), from whatever the host has natively.

Owns: the difference between MicroPython's cryptolib and CPython's cryptography.
Must not know: what the blocks mean. ECB is a building brick here (CCM, rolling ids), never a cipher for data.
"""

try:
    from cryptolib import aes as _aes

    class Block:
        """AES-128 over whole blocks of 16 bytes under one key; `encrypt` takes no heap."""

        def __init__(self, key: bytes) -> None:
            # Release boards carry ECB (1) and CBC (2), not CTR. An ECB object keeps no state, so one serves for ever.
            self._aes = _aes(key, 1)

        def encrypt(self, source: bytearray, target: bytearray) -> None:
            """Encrypt all of `source` (n * 16 bytes) into `target` (same size; may be the same buffer)."""
            self._aes.encrypt(source, target)

except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class Block:  # type: ignore[no-redef]
        """AES-128 over whole blocks of 16 bytes under one key."""

        def __init__(self, key: bytes) -> None:
            if len(key) != 16:
                raise ValueError("AES-128 takes a key of 16 bytes")
            # ECB of independent single blocks: a brick of CCM and of the rolling ids, not a cipher for data.
            self._encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()

        def encrypt(self, source: bytearray, target: bytearray) -> None:
            """Encrypt all of `source` (n * 16 bytes) into `target` (same size; may be the same buffer)."""
            target[:] = self._encryptor.update(source)
