"""The frame: version and type | rolling id or salt | ciphertext | tag. One layout on every link.

Owns: sealing and opening, both directions. Must not know: what a body says, which counters are fresh.
The wearable's two classes (UpSealer, DownOpener) work in place and take no heap; the host's two (UpOpener,
DownSealer) take and give bytes.
"""

from . import VERSION
from .aead import Aead
from .ccm import NONCE_SIZE, TAG_SIZE, Ccm
from .rolling import COUNTER_MAX, RollingIds

FIELD_SIZE = 8
BODY_AT = 1 + FIELD_SIZE
OVERHEAD = BODY_AT + TAG_SIZE
BODY_MAX = 239
FRAME_MAX = OVERHEAD + BODY_MAX

# First byte of the nonce. The keys differ too; the byte keeps a wrongly installed key from being a disaster.
_UP = 0x01
_DOWN = 0x02


class FrameRefused(Exception):
    """A frame that is not for us or not genuine. `reason`: "size", "version", "type" or "tag"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_head(frame: "bytes | bytearray | memoryview") -> int:
    """The frame's type, when its size and version can be ours. Raises FrameRefused otherwise."""
    size = len(frame)
    if size < OVERHEAD or size > FRAME_MAX:
        raise FrameRefused("size")
    if frame[0] >> 4 != VERSION:
        raise FrameRefused("version")
    return frame[0] & 0x0F


def rolling_id(frame: "bytes | bytearray | memoryview") -> bytes:
    """The 8 bytes after the head: an up frame's rolling id, a down frame's salt."""
    return bytes(frame[1:BODY_AT])


def _put_counter(nonce: bytearray, counter: int) -> None:
    nonce[1] = (counter >> 24) & 0xFF
    nonce[2] = (counter >> 16) & 0xFF
    nonce[3] = (counter >> 8) & 0xFF
    nonce[4] = counter & 0xFF


class UpSealer:
    """The wearable's side, up: seals a body that already lies in the buffer."""

    def __init__(self, up_key: bytes, id_key: bytes) -> None:
        self._ccm = Ccm(up_key)
        self._ids = RollingIds(id_key)
        self._nonce = bytearray(NONCE_SIZE)
        self._nonce[0] = _UP

    def seal(self, frame_type: int, counter: int, buf: bytearray, body_size: int) -> int:
        """Seal buf[9:9+body_size] in place and return the frame's size. Takes no heap.

        A counter serves once: sealing two bodies under one counter gives both away.
        """
        buf[0] = VERSION << 4 | frame_type
        self._ids.write_id(counter, buf, 1)
        _put_counter(self._nonce, counter)
        return self._ccm.seal(buf, BODY_AT, BODY_AT + body_size, self._nonce, buf, BODY_AT)


class DownOpener:
    """The wearable's side, down: opens an answer to one of its own counters, in place."""

    def __init__(self, down_key: bytes) -> None:
        self._ccm = Ccm(down_key)
        self._nonce = bytearray(NONCE_SIZE)
        self._nonce[0] = _DOWN

    def open(self, buf: bytearray, frame_size: int, counter: int) -> bool:
        """Try to open buf[:frame_size] as an answer to `counter`; the body is then at buf[9:frame_size-8].

        Returns False, and leaves the buffer as it was, when it is no such answer. Takes no heap.
        """
        if frame_size < OVERHEAD or buf[0] >> 4 != VERSION or buf[0] & 0x0F < 8:
            return False
        _put_counter(self._nonce, counter)
        for i in range(FIELD_SIZE):
            self._nonce[5 + i] = buf[1 + i]
        return self._ccm.open(buf, BODY_AT, frame_size - TAG_SIZE, self._nonce, buf, BODY_AT)


class UpOpener:
    """The host's side, up: opens a frame whose counter the rolling id has told."""

    def __init__(self, up_key: bytes) -> None:
        self._aead = Aead(up_key)

    def open(self, frame: bytes, counter: int) -> bytes:
        """Return the body. Raises FrameRefused ("size", "version", "type", "tag")."""
        if parse_head(frame) > 7:
            raise FrameRefused("type")
        nonce = bytes([_UP]) + counter.to_bytes(4, "big") + bytes(FIELD_SIZE)
        body = self._aead.open(nonce, frame[BODY_AT:], frame[:BODY_AT])
        if body is None:
            raise FrameRefused("tag")
        return body


class DownSealer:
    """The host's side, down: seals an answer to one question of the wearable."""

    def __init__(self, down_key: bytes) -> None:
        self._aead = Aead(down_key)

    def seal(self, frame_type: int, question_counter: int, salt: bytes, body: bytes) -> bytes:
        """Return the frame. `salt`: 8 fresh random bytes, so that no two answerers meet on one nonce.

        Raises ValueError when the salt has another size, the body is too long or the counter out of range.
        """
        if len(salt) != FIELD_SIZE or len(body) > BODY_MAX or not 0 <= question_counter <= COUNTER_MAX:
            raise ValueError("salt of 8 bytes, body of at most 239, counter of 32 bits")
        head = bytes([VERSION << 4 | frame_type]) + salt
        nonce = bytes([_DOWN]) + question_counter.to_bytes(4, "big") + salt
        return head + self._aead.seal(nonce, body, head)
