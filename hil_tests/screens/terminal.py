"""A terminal of 80 columns: a real pty around a real command, and what stands on the screen, as text and as SVG.

Owns pty, process and drawing. Must not know which commands there are.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import struct
import sys
import termios
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS = 80
_ROWS = 60
_CHUNK = 1 << 16
_COLOURS = {"brown": "yellow", "brightbrown": "bright_yellow"}


class Terminal:
    """`await run(command)` shows it until it ends or `within_s` are over; then `lines()` and `draw()`."""

    def __init__(self, columns: int = COLUMNS) -> None:
        self._screen = pyte.Screen(columns, _ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._columns = columns
        self._master = -1

    async def run(
        self, command: list[str], environment: dict[str, str], *, within_s: float, look_s: float | None = None
    ) -> int | None:
        """Run `command`; its exit code, None when it was still running then (and was ended).

        `look_s`: what stands there after so long is what is drawn; without, what stands there at the end.
        """
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, self._columns, 0, 0))
        environment = {**environment, "TERM": "xterm-256color", "COLORTERM": "", "PYTHONUTF8": "1"}
        environment.pop("NO_COLOR", None)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        if look_s is not None:
            asyncio.get_running_loop().call_later(look_s, self._freeze)
        reading = asyncio.create_task(asyncio.to_thread(self._read))
        try:
            async with asyncio.timeout(within_s):
                code: int | None = await process.wait()
        except TimeoutError:
            # What stands on the screen now is what is wanted; what Ctrl-C prints is not.
            self._freeze()
            code = None
            process.terminate()
            await process.wait()
        await reading
        os.close(self._master)
        return code

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, _CHUNK)
            except OSError:  # EIO: the last of the terminal's users has gone
                return
            if not data:
                return
            self._stream.feed(data)

    def _freeze(self) -> None:
        self._stream = pyte.ByteStream(pyte.Screen(self._columns, _ROWS))

    def lines(self) -> list[str]:
        """What stands there, without empty lines at the end."""
        whole = [line.rstrip() for line in self._screen.display]
        while whole and not whole[-1]:
            whole.pop()
        return whole

    def draw(self, file: Path, title: str) -> None:
        """An SVG of the screen."""
        console = Console(record=True, width=self._columns, file=io.StringIO())
        for number in range(len(self.lines())):
            console.print(self._row(number), no_wrap=True, crop=True)
        console.save_svg(str(file), title=title)

    def _row(self, number: int) -> Text:
        text = Text()
        for column in range(self._columns):
            cell = self._screen.buffer[number][column]
            text.append(cell.data, Style(color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold))
        text.rstrip()
        return text


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    name = _COLOURS.get(name, name)
    return f"bright_{name.removeprefix('bright')}" if name.startswith("bright") and "_" not in name else name


def pingan(*arguments: str) -> list[str]:
    """The command line of our own command."""
    return [sys.executable, "-m", "tools.cli", *arguments]
