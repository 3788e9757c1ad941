"""Frames over the serial line: cradle, wired call point, technician's cable. write_frame() takes no heap.

Owns COBS and CRC on the way out, the decoder on the way in. Must not know what a frame says. The bytes are those of
protocol/serial_link.py, whose encode() needs heap.
"""

from protocol.serial_link import Decoder, encode

from . import crc

# Longest frame written through write_frame(); without a run of 254 bytes COBS costs one byte in all.
_FRAME_MOST = 64
_READ_SIZE = 64
# A line that babbles must not keep the main loop.
_READS_MOST = 16


class SerialLink:
    """`write(frame, size)` out, `frames()` in."""

    def __init__(self, board):
        self._board = board
        self._plain = bytearray(_FRAME_MOST + crc.SIZE)
        # The first byte stays 00: it ends whatever noise the idle line has made, which would cost the frame.
        self._coded = bytearray(_FRAME_MOST + crc.SIZE + 3)
        self._read = bytearray(_READ_SIZE)
        self._decoder = Decoder()
        self.unwritten = 0

    def write(self, frame, size):
        """Write frame[:size], at most 64 bytes; return whether the line took it. No heap."""
        plain = self._plain
        for i in range(size):
            plain[i] = frame[i]
        crc.write(plain, 0, size, size)
        taken = self._board.serial_write(self._coded, self._encode(size + crc.SIZE))
        if not taken:
            self.unwritten += 1
        return taken

    def write_long(self, frame):
        """Write a frame of any size; return whether the line took it. Takes heap."""
        coded = b"\0" + encode(frame)
        taken = self._board.serial_write(coded, len(coded))
        if not taken:
            self.unwritten += 1
        return taken

    def frames(self):
        """The frames that have come since the last call."""
        found = []
        for _ in range(_READS_MOST):
            count = self._board.serial_read(self._read)
            if not count:
                break
            found.extend(self._decoder.feed(self._read[:count]))
        return found

    def _encode(self, size):
        """A delimiter, COBS of plain[:size] and the delimiter into coded; returns how many bytes."""
        plain, coded = self._plain, self._coded
        code_at = 1
        at = 2
        for i in range(size):
            if plain[i]:
                coded[at] = plain[i]
            else:
                coded[code_at] = at - code_at
                code_at = at
            at += 1
        coded[code_at] = at - code_at
        coded[at] = 0
        return at + 1
