"""The demo in the terminal: a table of presses whose stages fill with milliseconds; plain lines into a pipe.

Owns the drawing. 80 columns are enough for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.demo.scene import Scene
from tools.demo.stages import WAY, Press, Shown
from tools.messages import Messages

_PRESSES_SHOWN = 12
_STYLES = {
    "PRESSED": "yellow",
    "STORED": "cyan",
    "ACCEPTED": "blue",
    "ANSWERED": "green",
    "CLOSED": "bold green",
}


class Screen:
    """`drawn`: a table that redraws itself; else one line per stage."""

    def __init__(self, words: Messages, *, drawn: bool) -> None:
        self._words = words
        self._drawn = drawn
        self._console = Console(highlight=False)
        self._live: Live | None = None
        self._scene: Scene | None = None

    def say(self, text: str) -> None:
        """One line, now."""
        self._console.print(text, markup=False)

    def ready(self, scene: Scene, page_url: str) -> None:
        """All of them take presses: where to look and which keys there are."""
        self.say(self._words.text("demo.ready", page=page_url, desk=scene.house.desk.url))
        if self._drawn:
            self.say(self._words.text("demo.keys"))

    def shown(self, shown: Shown) -> None:
        """A stage lit up on one of them."""
        if self._live is None or self._scene is None:
            self.say(self._words.text("demo.shown", **shown.row()))
        else:
            self._live.update(self._draw(self._scene), refresh=True)

    def drawing(self, scene: Scene) -> AbstractContextManager[None]:
        """Keep the table on the screen while the block lasts."""
        return self._drawing(scene) if self._drawn else contextlib.nullcontext()

    @contextlib.contextmanager
    def _drawing(self, scene: Scene) -> Iterator[None]:
        self._scene = scene
        with Live(self._draw(scene), console=self._console, auto_refresh=False) as self._live:
            yield
        self._live = None

    def _draw(self, scene: Scene) -> Group:
        table = Table(box=None, padding=(0, 1), header_style="dim")
        for column in ("wearable", "event"):
            table.add_column(self._words.text(f"demo.column.{column}"), no_wrap=True)
        for stage in WAY:
            table.add_column(self._words.text(f"stage.{stage}"), justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for press in scene.presses.all[-_PRESSES_SHOWN:]:
            table.add_row(press.name, press.event[-6:] or "…", *self._cells(press), self._beside(press))
        return Group(table, Text(self._words.text("demo.ms"), style="dim"))

    def _cells(self, press: Press) -> list[Text]:
        return [
            Text(f"{press.stages[stage]:,}", style=_STYLES[stage]) if stage in press.stages else Text("·", style="dim")
            for stage in WAY
        ]

    def _beside(self, press: Press) -> Text:
        """Stages that are not on the straight way: NO_PATH and its kind."""
        beside = [stage for stage in press.stages if stage not in WAY]
        return Text(self._words.text(f"stage.{beside[-1]}") if beside else "", style="bold red")
