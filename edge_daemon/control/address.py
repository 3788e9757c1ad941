"""A unix socket's name, however long its path is, and who is at its other end. Owns these two words with the kernel.

The kernel takes 107 bytes of a path; directories of tests and of some homes are longer. Through an open directory each
path is short.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

# struct ucred of unix(7): process, user, group.
_CREDENTIALS = struct.Struct("3i")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A short name for `path`, good while the context lasts. Raises OSError where its directory cannot be opened."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def peer_user(line: socket.socket) -> int:
    """The user at the other end: as it was when it connected, or began to listen."""
    size = _CREDENTIALS.size
    user: int = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1]
    return user
