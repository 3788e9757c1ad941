"""A stand-in for MicroPython's release file: the shape of the real one, and no program in it.

Owns ESP32 images as far as ROM and bootloader look at them (magic, chip, segments, checksum, SHA-256). A board of the
bench runs only from the application that was made here; what then runs is the bench's own MicroPython.
"""

from __future__ import annotations

import hashlib
import random
import struct
from functools import reduce
from operator import xor

from hil_tests.board.chip import Chip

_APP_AT = 0x10000
_TABLE_AT = 0x8000
_LOAD_AT = 0x3FC80000


def release(chip: Chip, seed: int = 0, size: int = 0x30000) -> bytes:
    """Bootloader, MicroPython's own table (here: none) and an application of about `size` bytes."""
    noise = random.Random(f"{chip.name} {seed}")
    bootloader = _image(chip, noise.randbytes(0x3000))
    # Half of it compresses, as code does.
    application = _image(chip, noise.randbytes(size // 2) + bytes(size // 2))
    return bootloader.ljust(_TABLE_AT, b"\xff").ljust(_APP_AT, b"\xff") + application


def known(file: bytes) -> dict[str, int]:
    """What board.Kind wants: the application of a release file, by its SHA-256."""
    application = file[_APP_AT:]
    return {hashlib.sha256(application).hexdigest(): len(application)}


def _image(chip: Chip, code: bytes) -> bytes:
    # Magic, one segment, DIO, 4 MiB at 80 MHz; entry; pins; chip; revisions; a SHA-256 follows.
    head = struct.pack("<BBBBI4xHBHH4xB", 0xE9, 1, 2, 0x2F, _LOAD_AT, chip.chip_id, 0, 0, 0xFFFF, 1)
    body = head + struct.pack("<II", _LOAD_AT, len(code)) + code
    body = body.ljust(len(body) - len(body) % 16 + 15, b"\0") + bytes([reduce(xor, code, 0xEF)])
    return body + hashlib.sha256(body).digest()
