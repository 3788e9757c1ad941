"""Builds hostile_disk.c with the machine's compiler, once for each version of it. Owns the command and the name."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hil_tests import cache

_SOURCE = Path(__file__).parent / "hostile_disk.c"
_FLAGS = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror")
_LIBRARIES = ("-ldl", "-pthread")
_WITHIN_S = 120


class BuildFailed(Exception):
    """The library could not be made; the message ends with what the compiler said."""


def missing() -> str:
    """Why it cannot be built on this machine, or ""."""
    return "" if shutil.which("gcc") else "no compiler here (gcc): the hostile disk cannot be built"


def library() -> Path:
    """The shared library for LD_PRELOAD, from the cache or built now. Raises BuildFailed."""
    place = cache.directory("disk")
    digest = hashlib.sha256(_SOURCE.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    target = place / f"hostile_disk-{digest}.so"
    with cache.lock(place):
        if not target.exists():
            _build(place, target)
    return target


def _build(place: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place, prefix="build-") as temporary:
        made = Path(temporary) / target.name
        command = ["gcc", *_FLAGS, "-o", str(made), str(_SOURCE), *_LIBRARIES]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildFailed(f"gcc: {error}") from error
        if done.returncode:
            raise BuildFailed(done.stdout + done.stderr)
        os.replace(made, target)
