"""Commands of the kit, run on a house in processes of their own and read line by line. Owns their life.

Must not know what a command does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from tools.control import client

_TOLD = 12


class Command:
    """`pingan …` in its own process, with --json; `rows` so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.rows: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.rows.append(json.loads(line))
            self._changed.set()

    async def next(self, at: int) -> dict[str, Any]:
        """The row of this number, once it is there. Raises AssertionError when the command ends before."""
        return await self.until(lambda _: len(self.rows) > at, within_s=300) and self.rows[at]

    async def until(self, wanted: Callable[[dict[str, Any]], bool], within_s: float = 60) -> dict[str, Any]:
        """The first row that is wanted. Raises AssertionError with all rows when it ends before, TimeoutError."""
        async with asyncio.timeout(within_s):
            while not (found := [row for row in self.rows if wanted(row)]):
                assert not self._reading.done(), self.rows
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    async def ended(self, within_s: float = 60) -> int:
        """Its exit code. Raises TimeoutError with what it said last."""
        try:
            async with asyncio.timeout(within_s):
                await self._reading
                return await self.process.wait()
        except TimeoutError:
            raise TimeoutError(f"not ended within {within_s:g} s: {self.rows[-_TOLD:]}") from None


@contextlib.asynccontextmanager
async def pingan(*arguments: str) -> AsyncIterator[Command]:
    """`pingan` with these arguments; killed at the end if it has not ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.cli", "--lang", "en", *arguments, stdout=asyncio.subprocess.PIPE
    )
    command = Command(process)
    try:
        yield command
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await command.ended()


def socket_of(house: House, gateway: str = "gw-1") -> Path:
    """Its control socket."""
    return house.directory / gateway / "state" / "control.sock"


async def armed_for(house: House, wearable: WearableProcess) -> int | None:
    """For how many seconds yet a short press of it is a test, as the gateway knows; None: it is none."""
    rows = (await asyncio.to_thread(client.ask, socket_of(house), {"ask": "status"}))["wearables"]
    left: int | None = next(row["test_s"] for row in rows if row["wearable"] == wearable.handle)
    return left
