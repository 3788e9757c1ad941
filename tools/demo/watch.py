"""The watch's glass as a hand finds it: where to tap for what, and the wait until a page stands still.

Owns those places (firmware/sos/screen/pages.py draws them) and the taps of a request. Knows the page by what it sees:
home is the one that was there first. A tap counts once a page has been there for 0.6 s, as for any hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from hil_tests.wearable.errors import WearableFailed
from hil_tests.wearable.process import WearableProcess
from tools.demo import picture

_STANDS_S = 0.7
_DRAWN_WITHIN_S = 60.0
_CORNER = (200, 200)
_ROWS = ((120, 40), (120, 120))
_SEND = (180, 120)
# Home takes no tap here, should it be lit in that very moment.
_NOTHING = (120, 40)
# In the order of the watch's pages, two a page.
SERVICES = ("medical", "care", "information", "counselling", "household", "call_me")
_PARTS = "display,touch"
# More than from any page back to home.
_TAPS_MOST = 6
# The T-Watch S3 has megabytes (PSRAM); canvas and glyphs do not fit into a pendant's.
HEAP = "1m"


def environment(screen: Path) -> dict[str, str]:
    """What makes a simulated wearable a watch that draws into this file."""
    return {"PINGAN_PARTS": _PARTS, "PINGAN_PROFILE": "watch", "PINGAN_SCREEN": str(screen)}


class Watch:
    """The glass of `wearable`, which draws into `screen`. What waits for a page raises WearableFailed without it."""

    def __init__(self, wearable: WearableProcess, screen: Path) -> None:
        self._body = wearable.body
        self._screen = screen
        self._home: list[bytes] = []
        # Told of each tap, before it is made.
        self.tapped: Callable[[], None] = lambda: None

    @property
    def pages(self) -> int:
        """How many pages it has shown so far, dark ones with them."""
        return self._body.screens

    def seen(self) -> bytes:
        """What is on the glass; empty when it is dark."""
        return self._screen.read_bytes() if self._screen.exists() else b""

    async def lit(self) -> None:
        """Have light, by a tap where it has gone out already; the first page is home."""
        if picture.dark(self.seen()):
            self._body.touch(*_NOTHING)
        self._home = picture.corner(await self._body.until(self._light, _DRAWN_WITHIN_S, "first page"))

    def _light(self) -> bytes | None:
        seen = self.seen()
        return None if picture.dark(seen) else seen

    def touch(self, x: int, y: int) -> None:
        """A finger, at a pixel."""
        self.tapped()
        self._body.touch(x, y)

    async def tap(self, x: int, y: int) -> None:
        """Tap when the page stands still, and wait for the next."""
        await asyncio.sleep(_STANDS_S)
        seen = self.pages
        self.touch(x, y)
        await self._body.until(lambda: True if self.pages > seen else None, _DRAWN_WITHIN_S, f"page after {x}, {y}")

    async def home(self) -> None:
        """Back to home, from wherever it is and however dark."""
        for _ in range(_TAPS_MOST):
            if not picture.dark(self.seen()) and picture.corner(self.seen()) == self._home:
                return
            await self.tap(*_CORNER)
        raise WearableFailed("the watch does not go home")

    async def ask(self, service: str) -> None:
        """Ask for one of SERVICES, as its wearer would: menu, page, row, send."""
        place = SERVICES.index(service)
        await self.home()
        for _ in range(1 + place // 2):
            await self.tap(*_CORNER)
        await self.tap(*_ROWS[place % 2])
        await self.tap(*_SEND)
