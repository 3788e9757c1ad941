"""Tells streams that something changed, never what: each looks for itself from where it stands. Owns that bell."""

from __future__ import annotations

import asyncio


class Feed:
    """Take `bell` before looking; when there was nothing, wait for it. No change between the two is missed."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.closed = False

    def changed(self) -> None:
        """Wake everyone who waits."""
        bell, self.bell = self.bell, asyncio.Event()
        bell.set()

    def close(self) -> None:
        """The desk stops: streams end."""
        self.closed = True
        self.changed()
