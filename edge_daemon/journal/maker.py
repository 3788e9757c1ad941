"""The identities of the gateway's own events, a name and a number. Guarantee: none is given twice, whatever dies when.

Owns which number is next. Must not know what the events say, nor how anything gets on disk.
An event goes to the platform also where the disk has not taken it. If a start counted on from what it finds on disk, it
would give that number to another event, and the platform would hold that one for a repeat. So a number is given only up
to a mark that is on disk, and a start begins above the mark. Where the mark cannot be moved an event has a name that is
this run's alone; to the platform it comes from another journal.
"""

from __future__ import annotations

import secrets

# How far the mark is ahead. So many events of its own a gateway has under the file's name before the next commit, all
# wearables of a home lost at once, or while its disk fails; so many numbers each start leaves out, of 16 million.
AHEAD = 64
_NUMBER_MOST = 0xFFFFFF


class Maker:
    """Numbers rise under the name of the journal's file, once it is known."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(8)
        self._of_run = 0
        self._file = ""
        self._given = 0
        self._on_disk = 0

    @property
    def handle(self) -> str:
        """The name of the file, or of this run until the file has given its own."""
        return self._file or self._run

    @property
    def mark(self) -> tuple[str, int]:
        """What is to be on disk as a window: the name, and a number above all that have been given under it."""
        if not self._file:
            return self._run, self._of_run
        return self._file, min(self._given + AHEAD, _NUMBER_MOST)

    def opened(self, file: str, on_disk: dict[str, int], known: dict[str, int]) -> None:
        """A file of this name was opened, "": none. `on_disk`: its windows; `known`: those in memory."""
        if not file:
            return
        if file != self._file:
            self._file, self._given = file, max(on_disk.get(file, 0), known.get(file, 0))
        self._on_disk = on_disk.get(file, 0)

    def committed(self, windows: dict[str, int]) -> None:
        """These windows are on disk now."""
        self._on_disk = max(self._on_disk, windows.get(self._file, 0))

    def next(self) -> tuple[str, int]:
        """The identity of the next event."""
        if self._given < self._on_disk:
            self._given += 1
            return self._file, self._given
        self._of_run += 1
        return self._run, self._of_run
