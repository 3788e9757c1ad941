"""The MicroPython file: given or from the cache, and taken only when it is byte for byte the one that was pinned.

Owns where it is looked for and the check of its SHA-256. Never fetches anything.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edge_daemon.errors import Refusal
from tools.flash.boards import Board

_SOURCE = "https://micropython.org/resources/firmware/"


def cache() -> Path:
    """`$PINGAN_CACHE/boards`, by default `~/.cache/pingan/boards`."""
    base = os.environ.get("PINGAN_CACHE")
    if base:
        return Path(base) / "boards"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pingan" / "boards"


def read(board: Board, file: Path | None, sha256: str | None) -> tuple[bytes, Path]:
    """The file's bytes and place. `sha256` stands in for the board's pin. Raises Refusal."""
    place = file or cache() / board.micropython
    try:
        data = place.read_bytes()
    except OSError as error:
        source = _SOURCE + board.micropython
        raise Refusal("flash.no_file", file=place, why=error.strerror or error, source=source) from error
    got = hashlib.sha256(data).hexdigest()
    wanted = (sha256 or board.sha256).lower()
    if not wanted:
        raise Refusal("flash.no_pin", board=board.name, file=place, got=got)
    if got != wanted:
        raise Refusal("flash.wrong_hash", file=place, got=got, wanted=wanted)
    return data, place
