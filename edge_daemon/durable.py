"""Names that last, and files that are wholly the old or wholly the new, whenever the power goes. Owns those steps.

Used by whatever is replaced as a whole: key file, care, presence, the kit's records, an installation. Must not know
which.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` in the place of `path`; both on disk when this returns. Raises OSError: the old or the new stands."""
    put(path, data, mode)
    sync_directory(path.parent)


def put(path: Path, data: bytes, mode: int = 0o600) -> None:
    """The same, but a power cut may still bring the old name back. Raises OSError: then the old file stands."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        # What a cut left there is nobody's; and its mode may be another one.
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(fresh, flags, mode)
        try:
            # Whatever the umask took away.
            os.fchmod(file, mode)
            left = memoryview(data)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        finally:
            os.close(file)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def sync_directory(directory: Path) -> None:
    """Have on disk which names it holds. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
