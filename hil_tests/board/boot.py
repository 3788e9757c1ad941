"""What a reset chip finds in its flash: a bootloader, a partition table that is whole, an application it knows.

Owns the judgement, from Espressif's formats and from nothing of the product's. Must not start anything.
"""

from __future__ import annotations

import hashlib
import struct

from hil_tests.board.chip import Chip
from hil_tests.board.flash import Flash

_MAGIC = 0xE9
_TABLE_AT, _TABLE_SIZE = 0x8000, 0xC00
_ROW, _MD5_ROW = 0x50AA, 0xEBEB
_APP = 0


def partitions(flash: Flash) -> dict[str, tuple[int, int]]:
    """Name -> offset and size, from the table in the flash. Empty when its MD5 row does not hold."""
    table = flash.read(_TABLE_AT, _TABLE_SIZE)
    found: dict[str, tuple[int, int]] = {}
    for at in range(0, _TABLE_SIZE, 32):
        magic, _kind, _sub, offset, size = struct.unpack_from("<HBBII", table, at)
        if magic == _MD5_ROW:
            whole = table[at + 16 : at + 32] == hashlib.md5(table[:at], usedforsecurity=False).digest()
            return found if whole else {}
        if magic != _ROW:
            return {}
        found[table[at + 12 : at + 28].rstrip(b"\0").decode("ascii", "replace")] = offset, size
    return {}


def why_not(flash: Flash, chip: Chip, known: dict[str, int]) -> str:
    """Empty when the chip can run; else what it says. `known`: SHA-256 of an application -> its size."""
    for what, at in (("bootloader", 0), ("factory", partitions(flash).get("factory", (-1, 0))[0])):
        if at < 0:
            return "E (35) boot: Failed to verify partition table"
        head = flash.read(at, 24)
        if head[0] != _MAGIC:
            return f"invalid header: 0x{int.from_bytes(head[:4], 'little'):08x}"
        if int.from_bytes(head[12:14], "little") != chip.chip_id:
            return f"E (40) boot: {what} is for another chip"
    at, _size = partitions(flash)["factory"]
    if not any(hashlib.sha256(flash.read(at, size)).hexdigest() == digest for digest, size in known.items()):
        return "E (60) esp_image: Image hash failed - image is corrupt"
    return ""
