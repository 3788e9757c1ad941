"""`python -m hil_tests.screens DIRECTORY`: the key screens of the kit, in both languages, as SVG files.

Owns which screens there are and what stands around them: the place of a visit, gone through once in each language.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from hil_tests.screens.terminal import Terminal, pingan
from hil_tests.visit.place import BOARD, Place

_FLASH_WITHIN_S = 120.0
_WITHIN_S = 60.0
_LIVE_S = 6.0
# When there is something to see: the bar in the middle, the question to the technician.
_WRITING_S = 7.5
_ASKING_S = 4.5
_PROOF_S = 150.0
_REST_S = 1.5
# It says hello every 30 s while it is armed; then it knows that a cancel is asked for.
_CANCEL_AFTER_S = 45.0

Hand = Callable[[], Coroutine[Any, Any, None]]


class Screens:
    """Takes each screen into `directory` as NAME.LANG.svg."""

    def __init__(self, place: Place, directory: Path, lang: str) -> None:
        self._place = place
        self._directory = directory
        self._lang = lang

    async def take(self) -> None:
        """A visit, looked at; a command that ends badly is said on stderr and taken all the same."""
        place = self._place
        config = place.house.directory / "gw-1" / "gateway.toml"
        port = ["--port", place.board.port]
        public = place.directory / "platform_public.json"
        keys = ["--private", place.directory / "platform_private.json", "--public", public]
        await self._type("", _WITHIN_S, "desk", "keys", "new", *keys)
        file = ["--micropython", place.micropython, "--sha256", place.pin]
        await self._type("flash", _FLASH_WITHIN_S, "flash", *port, "--board", BOARD, *file, look_s=_WRITING_S)
        store = place.directory / "kit"
        await self._type("provision", _WITHIN_S, "provision", *port, "--platform-key", public, "--store", store)
        await self._type("", _WITHIN_S, "enrol", "--from", store / "enrolments", "--gateway", place.socket)
        await self._type(
            "prove", _PROOF_S, "prove", "--config", config, "--out", place.directory, hand=self._prove, look_s=_ASKING_S
        )
        await self._type("status", _LIVE_S, "status", "--gateway", place.socket)
        await self._type("doctor", _WITHIN_S, "doctor", "--config", config)

    async def _prove(self) -> None:
        """As in a visit, without reading what is asked: press when it is a test, then take one back."""
        await self._place.armed(_PROOF_S)
        await asyncio.sleep(_REST_S)
        closed = asyncio.create_task(self._place.closed())
        await self._place.press()
        await closed
        await asyncio.sleep(_CANCEL_AFTER_S)
        await self._place.take_back()

    async def _type(
        self, name: str, within_s: float, *arguments: object, hand: Hand | None = None, look_s: float | None = None
    ) -> None:
        terminal = Terminal()
        acting = asyncio.create_task(hand()) if hand is not None else None
        command = pingan("--lang", self._lang, *map(str, arguments))
        code = await terminal.run(command, self._place.bench.environment, within_s=within_s, look_s=look_s)
        if acting is not None:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
        if code not in (0, None):
            print(f"{name or arguments[0]}: exit code {code}", *terminal.lines()[-5:], sep="\n  ", file=sys.stderr)
        if name:
            file = self._directory / f"{name}.{self._lang}.svg"
            terminal.draw(file, f"pingan {name}")
            print(file, flush=True)


async def _take_all(directory: Path) -> None:
    for lang in ("en", "zh"):
        async with Place() as place:
            await Screens(place, directory, lang).take()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.screens", description=__doc__)
    parser.add_argument("directory", type=Path)
    directory: Path = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take_all(directory))
    return 0


if __name__ == "__main__":
    sys.exit(main())
