"""Gives a wearable of the bench its keys and a flash file with its identity in it.

Owns the identity record's layout on this side and the key file's row. Must not know littlefs: the wearable's own
interpreter writes the flash (flash_writer.py). Keys are random for each wearable unless a test gives its own root.
"""

from __future__ import annotations

import json
import os
import subprocess
import zlib
from pathlib import Path

from hil_tests.wearable.errors import WearableFailed
from protocol.keys import DeviceKeys

_MAGIC = b"PAT1"
_WRITER = Path(__file__).parent / "flash_writer.py"
_WITHIN_S = 30
# What the scripts that write a flash file import: the simulator's own driver of it.
FLASH_SCRIPTS = {"MICROPYPATH": f".frozen:{Path(__file__).parents[2] / 'firmware'}"}


def identity_record(keys: DeviceKeys) -> bytes:
    """80 bytes: magic | handle (8) | up, down, id, trail (16 each) | CRC-32 of all before, little endian."""
    record = _MAGIC + keys.handle + keys.up + keys.down + keys.id + keys.trail
    return record + zlib.crc32(record).to_bytes(4, "little")


def make_flash(interpreter: Path, flash: Path, keys: DeviceKeys) -> None:
    """Write a freshly formatted flash file (mode 0600) with this identity. Raises WearableFailed."""
    os.close(os.open(flash, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    command = [str(interpreter), str(_WRITER), str(flash)]
    try:
        done = subprocess.run(
            command,
            input=identity_record(keys),
            env=FLASH_SCRIPTS,
            capture_output=True,
            timeout=_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        flash.unlink()
        raise WearableFailed(f"writing {flash.name}: {error}") from error
    if done.returncode:
        flash.unlink()
        raise WearableFailed(f"writing {flash.name}: {(done.stdout + done.stderr).decode(errors='replace')}")


def registry_row(keys: DeviceKeys) -> dict[str, str]:
    """This wearable's row of a gateway's key file (edge_daemon/registry.py)."""
    return {"wearable": keys.handle.hex(), "up": keys.up.hex(), "down": keys.down.hex(), "id": keys.id.hex()}


def write_key_file(path: Path, rows: list[dict[str, str]]) -> None:
    """A gateway's key file of these rows, readable by its owner only."""
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"v": 1, "wearables": rows}, file, indent=1)
