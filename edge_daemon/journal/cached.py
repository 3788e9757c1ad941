"""What the kernel shows of the write-ahead log made true before it is believed. Owns that one step of opening.

A process that was killed between writing a transaction and syncing it, or whose sync failed, leaves it in the kernel's
cache. SQLite finds it whole there and takes it for committed; a power cut would lose it, and with it all that is
written behind it. Syncing again is not enough: after a sync that failed Linux takes the pages for clean and never
writes them again (fsync(2), "the fsyncgate" of 2018). So the log's own bytes are written once more, and then synced.
The file itself needs none of it: what SQLite copies into it from the log it writes anew after each opening.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge_daemon.durable import sync_directory


def make_durable(journal: Path) -> None:
    """Write a journal's log, a MiB at most, over itself and sync it and its name. Raises OSError.

    Whoever calls holds the journal's lock, and nobody is writing.
    """
    try:
        log = os.open(journal.with_name(journal.name + "-wal"), os.O_RDWR)
    except FileNotFoundError:
        return
    with os.fdopen(log, "r+b", buffering=0) as file:
        content = file.read()
        file.seek(0)
        while content:
            content = content[file.write(content) :]
        os.fsync(log)
    sync_directory(journal.parent)
