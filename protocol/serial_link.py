"""A frame over a serial line: COBS(frame | CRC-32 little endian), then 0x00.

Owns: finding frames again after noise. Must not know: ports. The CRC finds line noise early and cheaply; what
keeps an attacker out is the frame's own tag. COBS: Cheshire and Baker 1999; CRC-32: IEEE 802.3 (zlib's).
"""

from binascii import crc32

from .frame import FRAME_MAX, OVERHEAD

_CRC_SIZE = 4
# COBS adds one byte per 254, and one.
ENCODED_MAX = FRAME_MAX + _CRC_SIZE + 3


def cobs_encode(data: "bytes | bytearray") -> bytes:
    """Consistent Overhead Byte Stuffing: the same bytes without a zero among them."""
    out = bytearray([0])
    code_at = 0
    code = 1
    for byte in data:
        if byte:
            out.append(byte)
            code += 1
        if not byte or code == 0xFF:
            out[code_at] = code
            code_at = len(out)
            out.append(0)
            code = 1
    out[code_at] = code
    return bytes(out)


def cobs_decode(data: "bytes | bytearray") -> "bytes | None":
    """The inverse; None when `data` is no COBS block (a zero inside, or a code that points past the end)."""
    out = bytearray()
    at = 0
    size = len(data)
    while at < size:
        code = data[at]
        if code == 0 or at + code > size:
            return None
        for i in range(at + 1, at + code):
            if data[i] == 0:
                return None
            out.append(data[i])
        at += code
        if code != 0xFF and at < size:
            out.append(0)
    return bytes(out)


def encode(frame: "bytes | bytearray") -> bytes:
    """The bytes to write to the port for one frame, delimiter included."""
    checksum = crc32(frame) & 0xFFFFFFFF
    return cobs_encode(bytes(frame) + checksum.to_bytes(_CRC_SIZE, "little")) + b"\x00"


class Decoder:
    """Bytes from a port in, frames out. `refused` counts blocks that were no frame."""

    def __init__(self) -> None:
        self._buf = bytearray()
        self._overlong = False
        self.refused = 0

    def feed(self, data: "bytes | bytearray") -> "list[bytes]":
        """Take whatever the port gave; return the frames that ended in it, in order."""
        frames = []
        for byte in data:
            if byte:
                self._take(byte)
                continue
            if self._buf or self._overlong:
                frame = None if self._overlong else _decode(self._buf)
                if frame is None:
                    self.refused += 1
                else:
                    frames.append(frame)
            self._buf = bytearray()
            self._overlong = False
        return frames

    def _take(self, byte: int) -> None:
        if len(self._buf) >= ENCODED_MAX:
            self._overlong = True
        else:
            self._buf.append(byte)


def _decode(block: bytearray) -> "bytes | None":
    data = cobs_decode(block)
    if data is None or len(data) < OVERHEAD + _CRC_SIZE:
        return None
    frame = data[:-_CRC_SIZE]
    if (crc32(frame) & 0xFFFFFFFF).to_bytes(_CRC_SIZE, "little") != data[-_CRC_SIZE:]:
        return None
    return frame
