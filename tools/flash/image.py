"""What is written to a board, and where: MicroPython's release file taken apart, with our partition table in it.

Owns ESP32 image headers as far as that needs (esptool documentation, "Firmware Image Format"). Must not know ports or
tools, or where the file came from.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from edge_daemon.errors import Refusal
from tools.flash import partitions
from tools.flash.boards import Board

CHIP_IDS = {"esp32c3": 5, "esp32s3": 9}
# MicroPython formats a program file system whose first block is blank; the rest may hold what it likes.
BLANK_BYTES = 0x4000
BLANK = "blank"
_MAGIC = 0xE9
_HEADER, _SEGMENT, _SHA = 24, 8, 32


@dataclass(frozen=True)
class Part:
    """`name`: a catalogue-free short word, also the file's name."""

    name: str
    offset: int
    data: bytes


def parts_of(board: Board, micropython: bytes, file: object) -> list[Part]:
    """Bootloader, table, application and a blank start of the program's file system, in that order.

    Raises Refusal when `micropython` (named `file` to the person) is no release for the board's chip, or too large.
    """
    factory, vfs = board.partitions["factory"], board.partitions["vfs"]
    application = micropython[factory.offset :]
    bootloader = micropython[: partitions.OFFSET].rstrip(b"\xff")
    for head in (bootloader[:_HEADER], application[:_HEADER]):
        if len(head) < _HEADER or head[0] != _MAGIC:
            raise Refusal("flash.not_micropython", file=file)
        if struct.unpack_from("<H", head, 12)[0] != CHIP_IDS[board.chip]:
            raise Refusal("flash.other_chips_file", file=file, chip=board.chip)
    if len(application) > factory.size:
        raise Refusal("flash.too_large", file=file, bytes=len(application), most=factory.size)
    return [
        Part("bootloader", 0, _aligned(_for_flash_size(bootloader, board.flash_bytes, file))),
        Part("partitions", partitions.OFFSET, partitions.encode(board.partitions)),
        Part("application", factory.offset, _aligned(application)),
        Part(BLANK, vfs.offset, b"\xff" * BLANK_BYTES),
    ]


def _aligned(data: bytes) -> bytes:
    """In words, as esptool writes."""
    return data.ljust(-(-len(data) // 4) * 4, b"\xff")


def _for_flash_size(bootloader: bytes, flash_bytes: int, file: object) -> bytes:
    """The bootloader refuses a table that is larger than its header says the flash is, so its header says ours."""
    length = _length(bootloader)
    if len(bootloader) < length:
        raise Refusal("flash.not_micropython", file=file)
    code = (flash_bytes >> 20).bit_length() - 1
    changed = bytearray(bootloader[:length])
    changed[3] = changed[3] & 0x0F | code << 4
    if not bootloader[23]:
        return bytes(changed) + bootloader[length:]
    return bytes(changed) + hashlib.sha256(changed).digest() + bootloader[length + _SHA :]


def _length(image: bytes) -> int:
    """Up to and with the checksum, which ends a row of 16; a SHA-256 may follow."""
    at = _HEADER
    for _ in range(image[1]):
        if at + _SEGMENT > len(image):
            return len(image) + 1
        at += _SEGMENT + int(struct.unpack_from("<I", image, at + 4)[0])
    return at - at % 16 + 16
