"""Where built and unpacked things are kept between runs. Owns the place, its mode and the lock for building in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def directory(*parts: str) -> Path:
    """`$PINGAN_CACHE/parts…` (default `~/.cache/pingan`), made if need be and closed to other users."""
    base = os.environ.get("PINGAN_CACHE")
    if not base:
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        base = str(Path(home) / "pingan")
    top = Path(base).absolute()
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = top.joinpath(*parts)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(place: Path) -> Iterator[None]:
    """Only one process at a time builds in `place`; the others wait and then find the result."""
    with (place / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
