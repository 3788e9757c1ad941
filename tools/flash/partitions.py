"""Partition tables: Espressif's CSV in, its binary form out.

Owns both formats (ESP-IDF Programming Guide, "Partition Tables"): rows of 32 bytes, closed by a row with the MD5 of all
before it, filled up with 0xFF. Must not know which partitions a board needs beyond those named here.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from edge_daemon.errors import Refusal

OFFSET = 0x8000
SIZE = 0xC00
SECTOR = 0x1000
_ROW = 32
_MAGIC = b"\xaa\x50"
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14
_APP_ALIGN = 0x10000
_NAME_MOST = 16
_CELLS = 5
_TYPES = {"app": 0x00, "data": 0x01}
_SUBTYPES = {"factory": 0x00, "ota": 0x00, "phy": 0x01, "nvs": 0x02, "fat": 0x81, "spiffs": 0x82, "littlefs": 0x83}
# Flashing and the firmware know these by name.
NEEDED = ("factory", "vfs", "records")


@dataclass(frozen=True)
class Partition:
    """Offset and size in bytes of the flash."""

    name: str
    kind: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size


def read(file: Path, flash_bytes: int) -> dict[str, Partition]:
    """The rows of a CSV in order. Raises Refusal when it cannot be a table for a flash of that size."""
    try:
        lines = [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
        rows = [_row([cell.strip() for cell in line.split(",")]) for line in lines if line]
        _check(rows, flash_bytes)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Refusal("flash.bad_partitions", file=file, why=error) from error
    return {row.name: row for row in rows}


def encode(partitions: dict[str, Partition]) -> bytes:
    """The table as it lies at OFFSET: SIZE bytes."""
    rows = b"".join(
        struct.pack("<2sBBII16sI", _MAGIC, row.kind, row.subtype, row.offset, row.size, row.name.encode(), 0)
        for row in partitions.values()
    )
    rows += _MD5_MAGIC + hashlib.md5(rows, usedforsecurity=False).digest()
    return rows.ljust(SIZE, b"\xff")


def _row(cells: list[str]) -> Partition:
    if len(cells) < _CELLS:
        raise ValueError(f"{cells[0]}: a row has name, type, subtype, offset and size")
    name, kind, subtype, offset, size = cells[:_CELLS]
    return Partition(name, _number(kind, _TYPES), _number(subtype, _SUBTYPES), _number(offset), _number(size))


def _number(text: str, words: dict[str, int] | None = None) -> int:
    known = (words or {}).get(text)
    if known is not None:
        return known
    unit = {"K": 1 << 10, "M": 1 << 20}.get(text[-1:].upper(), 1)
    return int(text.rstrip("kKmM"), 0) * unit


def _check(rows: list[Partition], flash_bytes: int) -> None:
    if len(rows) * _ROW + _ROW > SIZE:
        raise ValueError("too many rows")
    missing = [name for name in NEEDED if name not in {row.name for row in rows}]
    if missing:
        raise ValueError(f"no partition {', '.join(missing)}")
    end = OFFSET + SECTOR
    for row in rows:
        align = _APP_ALIGN if row.kind == _TYPES["app"] else SECTOR
        if len(row.name.encode()) >= _NAME_MOST or row.offset % align or row.size % SECTOR:
            raise ValueError(f"{row.name}: name, offset or size is not allowed")
        if row.offset < end:
            raise ValueError(f"{row.name} begins before {end:#x}")
        end = row.end
    if end > flash_bytes:
        raise ValueError(f"ends at {end:#x}, behind the flash")
