"""The boards that can be flashed: chip, flash size, partition table, and the MicroPython pinned for each.

Owns reading boards.toml (or a table of the same form, given by --boards). Must not know ports or tools.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from edge_daemon.errors import Refusal
from tools.flash.partitions import Partition, read

TABLE = Path(__file__).parent / "boards.toml"


@dataclass(frozen=True)
class Board:
    """`sha256`: of the file `micropython`, 64 hex digits, or empty when it is not known yet."""

    name: str
    chip: str
    flash_bytes: int
    partitions: dict[str, Partition]
    micropython: str
    sha256: str


def load(file: Path = TABLE) -> dict[str, Board]:
    """Every board of the table. Raises Refusal for a table that is none."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))
        return {name: _board(name, row, file.parent) for name, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal("flash.bad_boards", file=file, why=repr(error)) from error


def chosen(name: str, file: Path = TABLE) -> Board:
    """The board of that name. Raises Refusal."""
    boards = load(file)
    if name not in boards:
        raise Refusal("flash.unknown_board", board=name, known=", ".join(boards))
    return boards[name]


def _board(name: str, row: dict[str, object], beside: Path) -> Board:
    size = int(str(row["flash_bytes"]))
    partitions = read(beside / str(row["partitions"]), size)
    return Board(name, str(row["chip"]), size, partitions, str(row["micropython"]), str(row["sha256"]))
