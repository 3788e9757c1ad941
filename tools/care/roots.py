"""Keys of wearables, from the desk's key file. Owns the one thing that its other readers do not need: the trail key.

Settings are sealed under it, and only who has the root has it; a row with derived keys alone is refused. The file is
read as the desk reads it: mode 0600, its owner's. Keys are never arguments and never shown.
"""

from __future__ import annotations

from pathlib import Path

from edge_daemon import registry
from edge_daemon.errors import Refusal
from protocol.keys import DeviceKeys, derive


def of(path: Path, handle: str) -> DeviceKeys:
    """All keys of one wearable. Raises Refusal: no such file or row, others can read it, or no root in the row."""
    without = False
    for number, row in enumerate(registry.read(path)["wearables"], 1):
        if not isinstance(row, dict) or "root" not in row:
            without |= isinstance(row, dict) and row.get("wearable") == handle
            continue
        keys = derive(registry.value(path, number, row, "root", 16))
        if keys.handle.hex() == handle:
            return keys
    raise Refusal("care.no_root" if without else "care.no_keys", wearable=handle, file=path)
