"""A key file that has changed while the desk runs: who is new in it is known within seconds.

Owns noticing it. Must not know who changes it (key_file.py does). A file that is refused changes nothing, and the log
says why; the keys that the desk has stay. To forget a wearable, the desk is started anew.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge_daemon.errors import Refusal
from edge_daemon.log import Log
from tools.desk import keys
from tools.desk.errors import StoreFailed
from tools.desk.keys import KeyRing
from tools.desk.store import Store, windows

log = Log("key_watch")

_LOOK_EVERY_S = 2.0

Seen = tuple[int, int, int]


def look(path: Path) -> Seen | None:
    """By which one content of the file is told from the next, none of it read. None: it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class KeyWatch:
    """`seen`: what look() gave before the ring's keys were read."""

    def __init__(self, path: Path, seen: Seen | None, ring: KeyRing, store: Store) -> None:
        self._path = path
        self._seen = seen
        self._ring = ring
        self._store = store

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self.turn()

    async def turn(self) -> None:
        """Look once; read the file if it is another one."""
        seen = look(self._path)
        if seen is None or seen == self._seen:
            return
        try:
            wearables = keys.load(self._path)
            taken = await self._store.read(windows.loaded)
        except Refusal as refusal:
            log.error("key_file_refused", why=str(refusal))
        except StoreFailed:
            return  # what is spent is not known: the next turn tries again
        else:
            added = self._ring.add(wearables, taken)
            log.info("key_file_read", wearables=len(wearables), added=len(added))
        self._seen = seen
