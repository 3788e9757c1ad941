"""A process of the bench: started in its own group, read line by line, and surely ended.

Owns starting, listening to and ending one process. Must not know what it does. Linux only, as the bench is: a child
dies with its parent, also when the parent is killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TAIL_LINES = 40
_STOP_WITHIN_S = 10.0
_LINE_MOST = 1 << 20
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class ChildFailed(AssertionError):
    """A process of the bench did not do what it is for; the message ends with what it said last."""


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One running process. `lines`: all it has said on stdout and stderr, also kept in `log`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.lines: list[str] = []
        self.log = log
        self.on_line: Callable[[str], None] = lambda line: None
        self._process = process
        self._said = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        logs: Path,
        environment: Mapping[str, str] | None = None,
        *,
        listens: bool = False,
    ) -> Child:
        """Start `command` in the repository's root; what it says is appended to `logs/NAME.log`.

        With `listens` it can be told lines, too.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=asyncio.subprocess.PIPE if listens else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_MOST,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # the group alone would outlive a killed parent
        )
        return cls(name, process, logs / f"{name}.log")

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def _read(self) -> None:
        assert self._process.stdout is not None
        with self.log.open("a", encoding="utf-8") as log:
            while line := await self._process.stdout.readline():
                text = line.decode("utf-8", "replace").rstrip("\n")
                log.write(text + "\n")
                log.flush()
                self.lines.append(text)
                self.on_line(text)
                self._said.set()
        self._said.set()

    async def said(self, wanted: Callable[[str], bool], within_s: float, after: int = 0) -> str:
        """The first line from number `after` on that is `wanted`. Raises ChildFailed when it does not come in time."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for number in range(after, len(self.lines)):
                        if wanted(self.lines[number]):
                            return self.lines[number]
                    after = len(self.lines)
                    if self._reading.done():
                        raise self.failed("ended without saying what was waited for")
                    self._said.clear()
                    await self._said.wait()
        except TimeoutError:
            raise self.failed(f"did not say what was waited for within {within_s} s") from None

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def ended(self, within_s: float) -> int:
        """Its exit code. Raises ChildFailed when it goes on."""
        try:
            async with asyncio.timeout(within_s):
                code = await self._process.wait()
                await self._reading
                return code
        except TimeoutError:
            raise self.failed(f"has not ended within {within_s} s") from None

    async def stop(self, within_s: float = _STOP_WITHIN_S) -> int:
        """Ask it to end; make it end when it does not. Nothing of its group is left. Returns its exit code."""
        self._signal(signal.SIGTERM)
        try:
            return await self.ended(within_s)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await self._reading

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def failed(self, what: str) -> ChildFailed:
        """An error that says what it said last."""
        tail = "\n".join(self.lines[-_TAIL_LINES:])
        return ChildFailed(f"{self.name} (pid {self.pid}) {what}; {self.log} ends with:\n{tail}")
