"""Names that last: what has been created, renamed or deleted in a directory is on the disk. Owns that one step.

Used by whatever is replaced as a whole: journal, key file, the kit's records, an installation. Must not know which.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Have on disk which names it holds. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
