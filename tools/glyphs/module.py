"""Writes pictures as a module of the firmware: a dictionary of bytes. Owns the layout of a glyph; paint.py reads it.

A glyph: advance | left (signed) | top (signed) | width | height, one byte each, then rows of two bits a pixel, the
leftmost pixel lowest (framebuf.GS2_HMSB), each row filled up to a whole byte.
"""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

_LEVELS = 3
_FULL = 255


def glyph(picture: Image.Image, left: int, top: int, advance: int) -> bytes:
    """One glyph."""
    width, height = picture.size
    head = bytes([advance, left & 0xFF, top & 0xFF, width, height])
    rows = bytearray()
    grey = picture.tobytes()
    for y in range(height):
        row = bytearray((width + 3) // 4)
        for x in range(width):
            level = (grey[y * width + x] * _LEVELS + _FULL // 2) // _FULL
            row[x // 4] |= level << 2 * (x % 4)
        rows += row
    return head + bytes(rows)


def cropped(picture: Image.Image, advance: int) -> bytes:
    """A picture as a glyph, without what is empty around it. Raises ValueError when all of it is."""
    box = picture.getbbox()
    if box is None:
        raise ValueError("an empty picture")
    return glyph(picture.crop(box), box[0], box[1], advance)


def text(about: str, glyphs: Mapping[str, bytes]) -> str:
    """The module's source."""
    lines = [f'"""{about}"""', "", "# fmt: off", "# ruff: noqa: E501, Q000", "GLYPHS = {"]
    lines += [f"    {_quoted(name)}: {data!r}," for name, data in sorted(glyphs.items())]
    return "\n".join([*lines, "}", ""])


def _quoted(name: str) -> str:
    """As the formatter would have it."""
    return f'"{name}"'
