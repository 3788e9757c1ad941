"""Reads a QR code of version 2, error correction M, from a picture: an independent reader of what was drawn.

Knows ISO/IEC 18004 as far as that one size needs it (one block, 28 data codewords); corrects nothing, for a printed
label has no dirt on it yet.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

SIZE = 25
# Dots from the left edge in which there is nothing else.
WIDTH = 132
_DATA = 28
_MASKS = [
    lambda y, x: (y + x) % 2,
    lambda y, x: y % 2,
    lambda y, x: x % 3,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
]
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def grid(png: bytes) -> list[list[bool]]:
    """The modules of the QR code at the left of a picture, found by its edges. Asserts the white around it."""
    image = Image.open(io.BytesIO(png)).convert("L")
    half = image.crop((0, 0, WIDTH, image.height)).point(lambda grey: 255 - grey)
    left, top, right, bottom = half.getbbox()
    assert right - left == bottom - top
    assert (right - left) % SIZE == 0
    dots = (right - left) // SIZE
    assert min(left, top, WIDTH - right, image.height - bottom) >= 4 * dots, "scanners need white around it"
    middle = dots // 2
    return [
        [image.getpixel((left + x * dots + middle, top + y * dots + middle)) < 128 for x in range(SIZE)]
        for y in range(SIZE)
    ]


def text(modules: list[list[bool]]) -> str:
    """What it says. Raises AssertionError for one of another kind."""
    form = [modules[8][x] for x in (0, 1, 2, 3, 4, 5, 7, 8)]
    bits = int("".join(str(int(bit)) for bit in form[:5]), 2) ^ 0b10101
    assert bits >> 3 == 0b00, "error correction M"
    mask = _MASKS[bits & 7]
    stream = [modules[y][x] ^ (mask(y, x) == 0) for y, x in _places()]
    codewords = [int("".join(str(int(bit)) for bit in stream[at : at + 8]), 2) for at in range(0, 8 * _DATA, 8)]
    return _decode("".join(f"{codeword:08b}" for codeword in codewords))


def _places() -> Iterator[tuple[int, int]]:
    """Where data lies, in its order: upwards and downwards in pairs of columns, from the right."""
    upwards = True
    for right in [*range(SIZE - 1, 6, -2), *range(5, 0, -2)]:
        for y in reversed(range(SIZE)) if upwards else range(SIZE):
            for x in (right, right - 1):
                if not _is_function(y, x):
                    yield y, x
        upwards = not upwards


def _is_function(y: int, x: int) -> bool:
    finder = (y < 9 and x < 9) or (y < 9 and x >= SIZE - 8) or (y >= SIZE - 8 and x < 9)
    return finder or 6 in (y, x) or (16 <= y <= 20 and 16 <= x <= 20)


def _decode(bits: str) -> str:
    said, at = "", 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    while at + 4 <= len(bits) and (mode := take(4)):
        assert mode in (2, 4), "letters or bytes"
        if mode == 4:
            said += bytes(take(8) for _ in range(take(8))).decode()
            continue
        count = take(9)
        for _ in range(count // 2):
            pair = take(11)
            said += _LETTERS[pair // 45] + _LETTERS[pair % 45]
        said += _LETTERS[take(6)] if count % 2 else ""
    return said
