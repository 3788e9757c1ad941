"""A frame over GATT, in pieces that fit the MTU: one header byte, then up to MTU - 4 bytes of the frame.

Owns: header = first (bit 7) | last (bit 6) | index (bits 5..0). Must not know: Bluetooth.
A lost, repeated or foreign piece costs the frame it belonged to, never the next one.
"""

from .frame import FRAME_MAX

_FIRST = 0x80
_LAST = 0x40
_INDEX = 0x3F


def split(frame: "bytes | bytearray", payload_size: int) -> "list[bytes]":
    """Cut a frame into fragments of at most `payload_size` bytes (ATT MTU - 3; >= 20 by Core Specification).

    Raises ValueError when the payload is so small that the frame would need more than 64 fragments.
    """
    room = payload_size - 1
    if room < 1 or len(frame) > room * (_INDEX + 1):
        raise ValueError("payload too small for this frame")
    pieces = []
    for index, start in enumerate(range(0, len(frame), room)):
        piece = frame[start : start + room]
        header = index | (0 if index else _FIRST) | (0 if start + room < len(frame) else _LAST)
        pieces.append(bytes([header]) + bytes(piece))
    return pieces


class Joiner:
    """Puts the fragments of one direction of one connection together again. Make a new one per connection."""

    def __init__(self) -> None:
        self._buf = bytearray()
        self._next = 0
        self.refused = 0

    def feed(self, fragment: "bytes | bytearray | memoryview") -> "bytes | None":
        """Take one fragment; return the frame when this was its last, else None."""
        if len(fragment) < 2:
            self._refuse()
            return None
        header = fragment[0]
        index = header & _INDEX
        if header & _FIRST:
            if self._buf:
                self.refused += 1
            self._buf = bytearray()
            self._next = 0
        elif not self._buf:
            self._refuse()
            return None
        if index != self._next or len(self._buf) + len(fragment) - 1 > FRAME_MAX:
            self._refuse()
            return None
        self._buf.extend(fragment[1:])
        self._next += 1
        if not header & _LAST:
            return None
        frame = bytes(self._buf)
        self._buf = bytearray()
        return frame

    def _refuse(self) -> None:
        self._buf = bytearray()
        self._next = 0
        self.refused += 1
