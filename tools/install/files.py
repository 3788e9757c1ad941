"""Files, links and directories that are either as they were or as they shall be, whenever the power goes.

Owns the order write, sync, rename, sync. Must not know what is written. OSError is left to the caller.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from edge_daemon.durable import sync_directory

_NEW = ".pingan-new"


@dataclass(frozen=True)
class Owner:
    """A user and a group by number."""

    user: int
    group: int


ROOT = Owner(0, 0)


def write(path: Path, data: bytes, mode: int, owner: Owner = ROOT) -> None:
    """Put a file in place, whole, with this mode and owner from its first byte on."""
    make_parents(path)
    new = path.with_name(path.name + _NEW)
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fchown(descriptor, owner.user, owner.group)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    os.replace(new, path)
    sync_directory(path.parent)


def is_written(path: Path, data: bytes, mode: int, owner: Owner = ROOT) -> bool:
    """Whether a regular file has these contents, this mode and this owner."""
    try:
        found = path.lstat()
        return (
            stat.S_ISREG(found.st_mode)
            and stat.S_IMODE(found.st_mode) == mode
            and (found.st_uid, found.st_gid) == (owner.user, owner.group)
            and path.read_bytes() == data
        )
    except OSError:
        return False


def link(path: Path, target: str) -> None:
    """Point a symbolic link somewhere else, at once."""
    make_parents(path)
    new = path.with_name(path.name + _NEW)
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    os.replace(new, path)
    sync_directory(path.parent)


def is_link(path: Path, target: str) -> bool:
    """Whether a symbolic link points there."""
    return path.is_symlink() and str(path.readlink()) == target


def make_parents(path: Path) -> None:
    """The directories above, where they are missing, readable by all as the system's are."""
    for directory in reversed(path.parents):
        if not directory.exists():
            directory.mkdir()
            directory.chmod(0o755)


def make_directory(path: Path, mode: int, owner: Owner = ROOT) -> None:
    """A directory with this mode and owner; a link in its place is not followed."""
    make_parents(path)
    if path.is_symlink():
        path.unlink()
    path.mkdir(mode=0o700, exist_ok=True)
    os.chown(path, owner.user, owner.group)
    path.chmod(mode)
    sync_directory(path.parent)


def is_directory(path: Path, mode: int, owner: Owner = ROOT) -> bool:
    """Whether it is one, with this mode and owner."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and stat.S_IMODE(found.st_mode) == mode
        and (found.st_uid, found.st_gid) == (owner.user, owner.group)
    )


def remove(path: Path) -> None:
    """A file, a link or a whole tree; nothing where there is none, nor its parent."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    for left in (path.with_name(path.name + _NEW), path):
        left.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_directory(path.parent)
