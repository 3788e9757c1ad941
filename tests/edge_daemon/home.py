"""The real process of the gateway, and a wearable at its serial port that behaves as the protocol asks.

Owns the process's life and the pseudo terminal. Knows protocol/ and the configuration file, nothing of the daemon's
inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tty
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from protocol import codes, serial_link
from protocol.messages import Answer

from .wearer import Wearer

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 40.0
# Waits of the wearable between two questions: the real one's gaps of 1 s to 30 s, shortened.
_ASK_EVERY_S = 0.15

_CONFIG = """\
[gateway]
id = "gw-1"
area = "area-1"
state_dir = "{directory}/state"
log_level = "{level}"
[wearables]
key_file = "{directory}/wearables.json"
[ble]
enabled = {ble}
recovery = ["scan"]
[serial]
ports = ["{directory}/tty*"]
rescan_s = 0.05
[platform]
host = "127.0.0.1"
port = {port}
tls = false
reconnect_most_s = 1.0
[forwarder]
answer_within_s = {answer_within_s}
fast_s = 0.5
"""


class Home:
    """One gateway in `directory`, started and killed at will; its log lines are kept over all its lives."""

    def __init__(
        self,
        directory: Path,
        port: int,
        wearers: list[Wearer],
        *,
        level: str = "INFO",
        ble: bool = False,
        answer_within_s: float = 0.5,
    ) -> None:
        self.directory = directory
        self.config = directory / "gateway.toml"
        self.config.write_text(
            _CONFIG.format(
                directory=directory, port=port, level=level, ble=str(ble).lower(), answer_within_s=answer_within_s
            )
        )
        keys = directory / "wearables.json"
        keys.touch(mode=0o600)
        keys.write_text(json.dumps({"v": 1, "wearables": [wearer.registry_row() for wearer in wearers]}))
        self.log = directory / "log"
        self.command = [sys.executable]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and return at once."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, "-m", "edge_daemon", "--config", self.config, stderr=log, cwd=ROOT
            )

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    async def ended(self, number: int | None = None) -> int:
        """Send it a signal, if one is given, and wait for its exit code."""
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(WITHIN_S):
            return await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL: the power cut of a process."""
        if self._process is not None and self._process.returncode is None:
            await self.ended(signal.SIGKILL)

    def lines(self, name: str | None = None) -> list[dict[str, Any]]:
        """What it has logged, all or under one name."""
        rows = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if name in (None, row["log"])]

    async def logged(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(WITHIN_S):
            while len(self.lines(name)) < count:
                assert self.process.returncode is None, self.log.read_text(encoding="utf-8")[-3000:]
                await asyncio.sleep(0.02)
        return self.lines(name)


@contextlib.asynccontextmanager
async def home(directory: Path, port: int, *wearers: Wearer, **settings: Any) -> AsyncIterator[Home]:
    """A gateway that is not started yet, and surely killed at the end."""
    made = Home(directory, port, list(wearers), **settings)
    try:
        yield made
    finally:
        await made.kill()


class WiredWearable:
    """A wearable in its cradle. Asks on, with a new counter each time, until each of its presses is closed."""

    def __init__(self, directory: Path, wearer: Wearer) -> None:
        self.wearer = wearer
        self.stages: dict[int, list[int]] = {}
        self.frames: list[bytes] = []
        self.near, far = os.openpty()
        tty.setraw(far)
        (directory / f"tty-{wearer.handle}").symlink_to(os.ttyname(far))
        # Kept open: a terminal whose last user goes away takes what is in it along.
        self._far = far
        os.set_blocking(self.near, False)
        self._decoder = serial_link.Decoder()
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.near, self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.near)
        os.close(self.near)
        os.close(self._far)

    def press(self) -> int:
        """A new event; returns its number."""
        self.wearer.number += 1
        self.stages[self.wearer.number] = []
        self.ask(self.wearer.number)
        return self.wearer.number

    def ask(self, number: int) -> None:
        """What the protocol asks of it: the event itself until STORED, then hello."""
        stored = any(stage != codes.HEARD for stage in self.stages[number][-1:])
        self._write(self.wearer.hello(number) if stored else self.wearer.event(number=number))

    async def until(self, number: int, stage: int) -> list[int]:
        """Ask until the event shows `stage`; return all stages it has shown, each once per change."""
        async with asyncio.timeout(WITHIN_S):
            while stage not in self.stages[number]:
                self._changed.clear()
                try:
                    async with asyncio.timeout(_ASK_EVERY_S):
                        await self._changed.wait()
                except TimeoutError:
                    self.ask(number)
        return self.stages[number]

    def _write(self, sealed: bytes) -> None:
        self.frames.append(sealed)
        with contextlib.suppress(BlockingIOError):
            os.write(self.near, serial_link.encode(sealed))

    def _readable(self) -> None:
        for sealed in self._decoder.feed(os.read(self.near, 4096)):
            answer = self.wearer.open(sealed)
            self.frames.append(sealed)
            if isinstance(answer, Answer) and answer.number in self.stages:
                shown = self.stages[answer.number]
                if shown[-1:] != [answer.stage]:
                    shown.append(answer.stage)
        self._changed.set()
