"""The key file changed: wearables enrolled, revoked, forgotten. Owns the writing of it; registry.py reads it.

Guarantee: all of a change or nothing, also when the power fails in between; rows that it does not name and keys that we
do not know stay as they are; nobody else's change is lost. Called in a thread, or by a command while no gateway runs,
for it waits for the disk; by the file's owner only: root's file would stop the gateway's next start. Must not know who
asks, nor who is served by the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_daemon import registry
from edge_daemon.durable import put, sync_directory
from edge_daemon.errors import Refusal
from edge_daemon.registry import Wearable

# Each costs the gateway some 0.5 MB (its windows), and a pass over the counters in a wide search.
WEARABLES_MOST = 500
_LOCKED_MOST_S = 5.0
_LOOK_EVERY_S = 0.02
_MODE = 0o600
# All that a gateway needs of a wearable. What else a row is given with, it does not keep.
_KEPT = ("wearable", "up", "down", "id", "role")


@dataclass(frozen=True)
class Change:
    """`enrol`: rows as the key file has them. `revoke`, `forget`: handles. Done in the order forget, revoke, enrol."""

    enrol: list[dict[str, Any]] = field(default_factory=list, repr=False)
    revoke: list[str] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Changed:
    """What became of each handle of a change, and everybody who stands in the file now."""

    enrolled: list[str]
    revoked: list[str]
    forgotten: list[str]
    unchanged: list[str]
    wearables: dict[str, Wearable] = field(repr=False)


def change(path: Path, wanted: Change, *, create: bool = False) -> Changed:
    """Make a change durable. `create`: a file that is not there is an empty one. Raises Refusal: nothing changed.

    But `registry.unsynced`: it changed, and a power cut now may undo that.
    """
    # A link stays a link: what it leads to is replaced.
    path = path.resolve()
    with _locked(path):
        missing = create and not path.exists()
        text: dict[str, Any] = {"v": 1, "wearables": []} if missing else registry.read(path)
        before = registry.parsed(path, text)
        rows = dict(zip(before, text["wearables"], strict=True))
        changed = _apply(rows, before, wanted)
        text["wearables"] = list(rows.values())
        after = registry.parsed(path, text)
        if len(after) > WEARABLES_MOST and len(after) > len(before):
            raise Refusal("registry.too_many", file=path, most=WEARABLES_MOST)
        if changed["enrolled"] or changed["revoked"] or changed["forgotten"] or missing:
            _write(path, json.dumps(text, indent=1).encode() + b"\n")
    return Changed(**changed, wearables=after)


def _apply(rows: dict[str, dict[str, Any]], before: dict[str, Wearable], wanted: Change) -> dict[str, list[str]]:
    """Change `rows`, by handle. Raises Refusal."""
    done: dict[str, list[str]] = {"enrolled": [], "revoked": [], "forgotten": [], "unchanged": []}
    for handle in wanted.forget:
        if handle not in rows:
            raise Refusal("registry.unknown", wearable=handle)
        del rows[handle]
        done["forgotten"].append(handle)
    for handle in wanted.revoke:
        if handle not in rows:
            raise Refusal("registry.unknown", wearable=handle)
        done["unchanged" if before[handle].revoked else "revoked"].append(handle)
        rows[handle]["revoked"] = True
    for number, row in enumerate(wanted.enrol, 1):
        # Judged as a row of the file would be; the path says where it came from.
        new = registry.wearable(Path("enrol"), number, row)
        done["enrolled" if _enrol(rows, new, row) else "unchanged"].append(new.handle)
    return done


def _enrol(rows: dict[str, dict[str, Any]], new: Wearable, row: dict[str, Any]) -> bool:
    """Put a row in; whether that changes anything. Raises Refusal."""
    old = rows.get(new.handle)
    if new.revoked or (old is not None and old.get("revoked")):
        raise Refusal("registry.was_revoked", wearable=new.handle)
    kept = {key: row[key] for key in _KEPT if key in row} | {"wearable": new.handle}
    if old is None:
        rows[new.handle] = kept
        return True
    known = registry.wearable(Path("enrol"), 1, old)
    if (known.up, known.down, known.id) != (new.up, new.down, new.id):
        raise Refusal("registry.other_keys", wearable=new.handle)
    if "role" not in row or new.role == known.role:
        return False
    old["role"] = new.role
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile. Raises Refusal."""
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal("registry.unwritable", file=path, why=error.strerror) from error
    try:
        until_s = time.monotonic() + _LOCKED_MOST_S
        while True:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until_s:
                    raise Refusal("registry.locked", file=path) from error
                time.sleep(_LOOK_EVERY_S)
        yield
    finally:
        os.close(directory)


def _write(path: Path, data: bytes) -> None:
    """Put a new file in the old one's place, for its owner alone, and have it on disk. Raises Refusal."""
    try:
        put(path, data, _MODE)
    except OSError as error:
        raise Refusal("registry.unwritable", file=path, why=error.strerror) from error
    try:
        sync_directory(path.parent)
    except OSError as error:
        raise Refusal("registry.unsynced", file=path, why=error.strerror) from error
