"""The enrolled wearables and their keys, from one file of mode 0600. Owns reading it; key_file.py changes it.

Must not know windows or journals. The file: {"v": 1, "wearables": [{"wearable": 16 hex, "up": 32 hex, "down": 32 hex,
"id": 32 hex, "revoked": true, "role": "roaming"}]}; the last two may be absent. A revoked wearable stays in the file,
with its keys: without them it would be a stranger's, and passed on as one. A roaming one is served like any, and nobody
misses it here while it is elsewhere; a worker's is a badge, whose visits are told (presence/). The gateway holds these
derived keys only; the root stays with the platform.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_daemon import private
from edge_daemon.errors import Refusal


@dataclass(frozen=True)
class Wearable:
    """One enrolled wearable. `handle`: 16 hex digits, its pseudonym here and at the platform."""

    handle: str
    up: bytes = field(repr=False)
    down: bytes = field(repr=False)
    id: bytes = field(repr=False)
    revoked: bool = False
    role: str = "home"

    @property
    def supervised(self) -> bool:
        """Whether it is to be heard here, and somebody is told when it is not."""
        return not self.revoked and self.role == "home"


ROLES = ("home", "roaming", "worker")
ReadRow = Callable[[Path, int, object], Wearable]


def load(path: Path, read_row: ReadRow | None = None) -> dict[str, Wearable]:
    """Read the key file; `read_row` makes a wearable of each row, for a holder whose rows have another shape.

    Raises Refusal when the file is missing, readable by others, or not understood.
    """
    return parsed(path, read(path), read_row)


def read(path: Path) -> dict[str, Any]:
    """The key file's content, its rows not yet looked at. Raises Refusal."""
    try:
        raw = json.loads(private.read(path))
    except ValueError as error:
        raise Refusal("registry.not_json", file=path) from error
    if not isinstance(raw, dict) or raw.get("v") != 1 or not isinstance(raw.get("wearables"), list):
        raise Refusal("registry.wrong_shape", file=path)
    return raw


def parsed(path: Path, content: dict[str, Any], read_row: ReadRow | None = None) -> dict[str, Wearable]:
    """The wearables of a key file's content. Raises Refusal."""
    wearables = [(read_row or wearable)(path, number, row) for number, row in enumerate(content["wearables"], 1)]
    by_handle = {one.handle: one for one in wearables}
    if len(by_handle) != len(wearables):
        raise Refusal("registry.twice", file=path)
    return by_handle


def wearable(path: Path, number: int, row: object) -> Wearable:
    """The wearable of row `number`. Raises Refusal."""
    if not isinstance(row, dict):
        raise Refusal("registry.bad_row", file=path, number=number, key="wearable")
    handle = value(path, number, row, "wearable", 8)
    revoked = row.get("revoked", False)
    if not isinstance(revoked, bool):
        raise Refusal("registry.bad_row", file=path, number=number, key="revoked")
    role = row.get("role", "home")
    if role not in ROLES:
        raise Refusal("registry.bad_row", file=path, number=number, key="role")
    up, down, identity = (value(path, number, row, key, 16) for key in ("up", "down", "id"))
    return Wearable(handle.hex(), up, down, identity, revoked, str(role))


def value(path: Path, number: int, row: dict[str, Any], key: str, size: int) -> bytes:
    """A value of a row. The refusal names the row's place in the list and the key, never what stands there."""
    try:
        data = bytes.fromhex(row[key])
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal("registry.bad_row", file=path, number=number, key=key) from error
    if len(data) != size:
        raise Refusal("registry.bad_row", file=path, number=number, key=key)
    return data
