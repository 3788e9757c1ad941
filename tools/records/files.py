"""Files that only their owner reads and that a power cut leaves wholly old or wholly new.

Owns the order of writing, syncing and renaming. Must not know what stands in them.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_daemon.durable import replace, sync_directory
from edge_daemon.errors import Refusal

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700


def replace_json(path: Path, value: dict[str, Any]) -> None:
    """Put a JSON object in the place of `path`, durable when this returns. Raises OSError."""
    replace(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode(), FILE_MODE)


def remove(path: Path) -> None:
    """Remove a file that may be gone already, durable when this returns. Raises OSError."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def own_directory(path: Path) -> None:
    """Make a directory of mode 0700, or take one that is. Raises Refusal where others may look in, and OSError."""
    path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise Refusal("private.wrong_owner", file=path, owner=found.st_uid, wanted=os.geteuid())
    if found.st_mode & 0o077:
        raise Refusal("record.store_open", directory=path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that goes with `path`: reading, changing and replacing it is one thing. Raises OSError."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
