"""The enrolled wearables and their keys, from one file of mode 0600. Owns reading and guarding it.

Must not know windows or journals. The file: {"v": 1, "wearables": [{"wearable": 16 hex, "up": 32 hex, "down": 32 hex,
"id": 32 hex}]}. The gateway holds these derived keys only; the root stays with the platform.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from pathlib import Path

from edge_daemon.errors import Refusal

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Wearable:
    """One enrolled wearable. `handle`: 16 hex digits, its pseudonym here and at the platform."""

    handle: str
    up: bytes = field(repr=False)
    down: bytes = field(repr=False)
    id: bytes = field(repr=False)


def load(path: Path) -> dict[str, Wearable]:
    """Read the key file. Raises Refusal when it is missing, readable by others, or not understood."""
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            raise Refusal("registry.too_open", file=path, mode=f"{stat.S_IMODE(mode):04o}")
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise Refusal("registry.unreadable", file=path, why=error.strerror) from error
    except ValueError as error:
        raise Refusal("registry.not_json", file=path) from error
    if not isinstance(raw, dict) or raw.get("v") != 1 or not isinstance(raw.get("wearables"), list):
        raise Refusal("registry.wrong_shape", file=path)
    wearables = [_wearable(path, number, row) for number, row in enumerate(raw["wearables"], 1)]
    by_handle = {wearable.handle: wearable for wearable in wearables}
    if len(by_handle) != len(wearables):
        raise Refusal("registry.twice", file=path)
    return by_handle


def _wearable(path: Path, number: int, row: object) -> Wearable:
    """One row; the refusal names its place in the list, never what stands in it."""
    if not isinstance(row, dict):
        raise Refusal("registry.bad_row", file=path, number=number, key="wearable")
    values: dict[str, bytes] = {}
    for key, size in (("wearable", 8), ("up", 16), ("down", 16), ("id", 16)):
        try:
            values[key] = bytes.fromhex(row[key])
        except (KeyError, TypeError, ValueError) as error:
            raise Refusal("registry.bad_row", file=path, number=number, key=key) from error
        if len(values[key]) != size:
            raise Refusal("registry.bad_row", file=path, number=number, key=key)
    return Wearable(values["wearable"].hex(), values["up"], values["down"], values["id"])
