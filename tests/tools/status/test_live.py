"""`pingan status` at a running gateway: printed, as JSON, and live while the gateway dies and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import json
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pyte
import pytest
from rich.console import Console

from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.edge_daemon.control.asked import socket_of
from tests.edge_daemon.home import Home, WiredWearable, home
from tests.edge_daemon.platform_end import platform
from tests.edge_daemon.wearer import Wearer
from tools import cli
from tools.control import client
from tools.label import code
from tools.messages import Messages
from tools.status import live

WITHIN_S = 20.0
COLUMNS, ROWS = 80, 40


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


class Eye:
    """A terminal in memory, drawn on by rich, and what stands on it."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self._screen)
        self._drawn = io.StringIO()
        self.console = Console(
            file=self._drawn, force_terminal=True, width=COLUMNS, height=ROWS, highlight=False, legacy_windows=False
        )

    def text(self) -> str:
        self._stream.feed(self._drawn.getvalue().replace("\n", "\r\n"))
        self._drawn.seek(0)
        self._drawn.truncate()
        return "\n".join(line.rstrip() for line in self._screen.display)

    async def until(self, wanted: Callable[[str], bool]) -> str:
        async with asyncio.timeout(WITHIN_S):
            while not wanted(text := self.text()):
                await asyncio.sleep(0.02)
        return text


@contextlib.asynccontextmanager
async def looking(gateway: Home, lang: str) -> AsyncIterator[Eye]:
    eye = Eye()
    first = await asyncio.to_thread(client.ask, socket_of(gateway), {"ask": "status"})
    running = asyncio.create_task(live.Live(socket_of(gateway), Messages(lang), eye.console, first).run())
    try:
        yield eye
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(("lang", "stored", "gone"), [("en", "stored after", "not answered"), ("zh", "存下", "未应答")])
async def test_a_press_shows_up_as_it_happens_and_a_dead_gateway_is_told(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch, lang: str, stored: str, gone: str
) -> None:
    monkeypatch.setattr(live, "_EVERY_S", 0.05)
    monkeypatch.setattr(live, "_SILENT_AFTER_S", 1.0)
    wearer = Wearer()
    async with platform(broker.port), home(tmp_path, broker.port, wearer) as gateway:
        end = WiredWearable(tmp_path, wearer)
        try:
            await gateway.start()
            await gateway.logged("gateway_ready")
            async with looking(gateway, lang) as eye:
                shown = await eye.until(lambda text: code.of_handle(wearer.handle) in text)
                assert "gw-1" in shown
                async with asyncio.timeout(WITHIN_S):
                    while stored not in eye.text():
                        await end.until(end.press(), codes.ACCEPTED)
                await gateway.kill()
                last = await eye.until(lambda text: gone in text)
                assert code.of_handle(wearer.handle) in last
                await gateway.start()
                await gateway.logged("gateway_ready", 2)
                before = (await eye.until(lambda text: gone not in text)).count(stored)
                # Watched again, too; what came before that is not news.
                async with asyncio.timeout(WITHIN_S):
                    while eye.text().count(stored) == before:
                        await end.until(end.press(), codes.ACCEPTED)
        finally:
            end.close()


async def test_once_and_as_json(tmp_path: Path, broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    wearer = Wearer()
    async with home(tmp_path, broker.port, wearer) as gateway:
        await gateway.start()
        await gateway.logged("gateway_ready")
        for arguments in (["--once"], []):
            # Into a pipe it is printed once, asked to or not.
            run = ["status", *arguments, "--config", str(gateway.config)]
            assert await asyncio.to_thread(cli.main, run) == 0
            assert code.of_handle(wearer.handle) in capsys.readouterr().out
        run = ["status", "--once", "--json", "--gateway", str(socket_of(gateway))]
        assert await asyncio.to_thread(cli.main, run) == 0
        (row,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (row["command"], row["gateway"], row["v"]) == ("status", "gw-1", 1)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_a_gateway_it_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    socket = tmp_path / "control.sock"
    for more in ([], ["--once"], ["--json"]):
        assert cli.main(["--lang", lang, "status", "--gateway", str(socket), *more]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert str(socket) in said.err


async def test_on_a_terminal_ctrl_c_leaves_it_as_it_was(tmp_path: Path, broker: Broker) -> None:
    async with home(tmp_path, broker.port, Wearer()) as gateway:
        await gateway.start()
        await gateway.logged("gateway_ready")
        near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.cli", "status", "--gateway", str(socket_of(gateway))),
            stdin=far, stdout=far, stderr=far, start_new_session=True, env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(far)
        os.set_blocking(near, False)
        said = b""
        async with asyncio.timeout(WITHIN_S):
            while b"gw-1" not in said:
                said += _read(near)
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        said += _read(near)
        os.close(near)
    # The alternate screen was entered and left, the cursor is back, and there is no trace of Python on it.
    assert said.index(b"\x1b[?1049h") < said.index(b"\x1b[?1049l")
    assert said.rindex(b"\x1b[?25h") > said.index(b"\x1b[?25l")
    assert b"Traceback" not in said


def _read(near: int) -> bytes:
    try:
        return os.read(near, 1 << 16)
    except (BlockingIOError, OSError):
        return b""
