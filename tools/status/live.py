"""The screen that stays: asked every second, told of what is seen in between. Owns the two loops and their failures.

A gateway that goes away leaves the last that is known on the screen, with the time since, until it is back. Must not
know the layout.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from rich import live
from rich.console import Console

from edge_daemon.errors import Refusal
from tools.control import client
from tools.messages import Messages
from tools.status.drawing import Drawing
from tools.status.news import News

_EVERY_S = 1.0
_ANSWER_WITHIN_S = 5.0
# A gateway that starts anew, or a busy machine, is away for less.
_SILENT_AFTER_S = 3.0


class Live:
    """`first`: the gateway's first answer. `run` returns only when it is cancelled."""

    def __init__(self, socket: Path, words: Messages, console: Console, first: dict[str, Any]) -> None:
        self._socket = socket
        self._console = console
        self._drawing = Drawing(words, console)
        self._news = News(words)
        self._status = first
        self._answered_s = time.monotonic()

    async def run(self) -> None:
        """Show it until somebody stops us."""
        with live.Live(self._draw(), console=self._console, screen=True, auto_refresh=False) as screen:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._asking(screen))
                tasks.create_task(self._watching(screen))

    def _draw(self) -> Any:
        silent_s = time.monotonic() - self._answered_s
        return self._drawing.screen(self._status, self._news, silent_s if silent_s > _SILENT_AFTER_S else None)

    async def _asking(self, screen: live.Live) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            with contextlib.suppress(Refusal):
                self._status = await asyncio.to_thread(client.ask, self._socket, {"ask": "status"}, _ANSWER_WITHIN_S)
                self._answered_s = time.monotonic()
            screen.update(self._draw(), refresh=True)

    async def _watching(self, screen: live.Live) -> None:
        while True:
            with contextlib.suppress(Refusal):
                async with contextlib.aclosing(client.watch(self._socket)) as lines:
                    async for line in lines:
                        self._news.saw(line)
                        screen.update(self._draw(), refresh=True)
            await asyncio.sleep(_EVERY_S)
