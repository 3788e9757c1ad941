"""The watch's screen as a PNG. Owns the simulator's screen file (firmware/boards/simulator.py) and this one format.

The file has 16 colours of three bytes, then 240 rows of two pixels a byte, the left one above: a PNG of four bits has
the very same rows, so the pixels are the firmware's own.
"""

from __future__ import annotations

import struct
import zlib

SIZE = 240
_COLOURS = 16
_HEAD = 3 * _COLOURS
_ROW = SIZE // 2
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DARK = bytes(_HEAD + SIZE * _ROW)


def png(screen: bytes) -> bytes:
    """A PNG of a screen file; of an empty one (dark), or one cut short, a black one."""
    data = screen if len(screen) == len(_DARK) else _DARK
    rows = b"".join(b"\0" + data[at : at + _ROW] for at in range(_HEAD, len(data), _ROW))
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 4, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", data[:_HEAD]), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, body) for name, body in chunks)


def dark(screen: bytes) -> bool:
    """Whether nothing is shown."""
    return len(screen) != len(_DARK)


def corner(screen: bytes) -> list[bytes]:
    """The colours of the lower right ninth, where each page has the way on from it."""
    colours = [screen[at : at + 3] for at in range(0, _HEAD, 3)]
    first = SIZE * 2 // 3
    rows = (screen[_HEAD + y * _ROW + first // 2 : _HEAD + (y + 1) * _ROW] for y in range(first, SIZE))
    return [colours[nibble] for row in rows for byte in row for nibble in (byte >> 4, byte & 15)]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
