"""Files that are nobody else's business: keys, passwords, our own state. Owns the one check of owner and mode.

Must not know what stands in them. A file that others can read is refused and not put right: what was readable may have
been read, and a person must know. Our own state directory is put right, and the log says so.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge_daemon.errors import Refusal
from edge_daemon.log import Log

log = Log("private")

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600
# Part of the name of each database, its -wal, and what was set aside of it.
_DATABASE = ".sqlite3"


def read(path: Path) -> bytes:
    """The contents of a secret file. Raises Refusal for one that is missing, or that others can read or exchange.

    What is judged is the file that was opened: nobody can put another one in its place in between.
    """
    try:
        # Non-blocking: a named pipe in the place of a file would stop the start for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _judge(path, os.fstat(descriptor))
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Refusal("private.unreadable", file=path, why=error.strerror) from error


def check(path: Path) -> None:
    """Refuse a secret file that others can read or exchange, for a library that wants the path. Raises Refusal."""
    read(path)


def check_trusted(path: Path) -> None:
    """Refuse a file that need not be secret, but that others could change: whom to believe, where alarms go.

    A file that is missing is left to whoever reads it.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & stat.S_IWOTH:
        raise Refusal("private.writable", file=path, mode=f"{stat.S_IMODE(mode):04o}")


def _judge(path: Path, opened: os.stat_result) -> None:
    if not stat.S_ISREG(opened.st_mode):
        raise Refusal("private.no_file", file=path)
    if opened.st_mode & _OTHERS:
        raise Refusal("private.too_open", file=path, mode=f"{stat.S_IMODE(opened.st_mode):04o}")
    # The link itself, too: who owns it can point it at another of our files.
    for owner in (opened.st_uid, path.lstat().st_uid):
        if owner not in (os.geteuid(), 0):
            raise Refusal("private.wrong_owner", file=path, owner=owner, wanted=os.geteuid())
    for directory in {path.absolute().parent, path.resolve().parent}:
        mode = directory.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise Refusal("private.open_directory", file=path, directory=directory)


def own_directory(path: Path) -> None:
    """Make the state directory, mode 0700, databases in it 0600.

    Raises Refusal where it is another user's, or one that others need (/var/lib, a home), named by mistake. What the
    disk refuses is logged and left: a disk that cannot be written is the journal's to tell, and no reason to let no
    alarm through.
    """
    try:
        path.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        found = path.stat()
        names = [file.name for file in path.iterdir()]
    except OSError as error:
        log.error("state_directory_unusable", directory=str(path), why=error.strerror)
        return
    if found.st_uid != os.geteuid():
        # Also for root: what it would write here, the owner could not read at the next start.
        raise Refusal("private.wrong_owner", file=path, owner=found.st_uid, wanted=os.geteuid())
    databases = [path / name for name in names if _DATABASE in name]
    if found.st_mode & _OTHERS and names and not databases:
        raise Refusal("private.not_ours", file=path, found=min(names))
    _narrow(path, _DIRECTORY_MODE)
    for file in databases:
        if file.is_file() and not file.is_symlink():
            _narrow(file, _FILE_MODE)


def _narrow(path: Path, mode: int) -> None:
    try:
        found = stat.S_IMODE(path.stat().st_mode)
        if found & _OTHERS:
            log.warning("mode_narrowed", file=str(path), was=f"{found:04o}", now=f"{mode:04o}")
            path.chmod(mode)
    except OSError as error:
        log.warning("mode_not_narrowed", file=str(path), why=error.strerror)
