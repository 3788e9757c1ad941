"""Root writes as the gateway's own user. Owns that one change, and its end.

A key file of root's would stop the gateway's next start, and root must not follow what another user laid in its way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def owner_of(directory: Path) -> Iterator[None]:
    """As the directory's owner, where root asks; as who we are otherwise. Raises OSError where there is none."""
    if os.geteuid() != 0:
        yield
        return
    owner, group = directory.stat(), os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
