"""The visit itself: each command as it is typed, how it ended, and how long it took.

Owns the order of the commands and what the hand does meanwhile. Must not know what the bench is made of (place.py).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from hil_tests.board.bench import ROOT
from hil_tests.house import AREA
from hil_tests.visit.place import BOARD, Place

_WITHIN_S = 150.0
_TOO_LONG = -1
# What is pressed sooner after another press belongs to the same row.
_REST_S = 1.5


@dataclass
class Done:
    """One command: what was typed, its exit code (-1: it was ended by us), its JSON lines, its time."""

    name: str
    code: int
    took_s: float
    rows: list[dict[str, Any]] = field(repr=False)

    @property
    def last(self) -> dict[str, Any]:
        """The last line."""
        return self.rows[-1] if self.rows else {}


# Called for each line while a command runs: the hand, which does what it is asked for.
Hand = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


class Visit:
    """`await run()` types all of it and stops at the first command that fails; `done` has what was typed."""

    def __init__(self, place: Place, on_done: Callable[[Done], None] = lambda done: None) -> None:
        self._place = place
        self._on_done = on_done
        self.done: list[Done] = []
        self.code = ""

    async def run(self) -> bool:
        """True when every command ended well."""
        place = self._place
        port = place.board.port
        private, public = place.directory / "platform_private.json", place.directory / "platform_public.json"
        store = place.directory / "kit"
        flash = ["--port", port, "--board", BOARD, "--micropython", place.micropython, "--sha256", place.pin]
        typed: list[tuple[list[object], Hand | None]] = [
            (["desk", "keys", "new", "--private", private, "--public", public], None),
            (["flash", *flash, "--json"], None),
            (["provision", "--port", port, "--platform-key", public, "--store", store, "--json"], None),
            (["desk", "import", "--keys", place.desk_keys, "--private", private, store / "records"], None),
        ]
        for arguments, hand in typed:
            if not await self._type(arguments, hand):
                return False
        self.code = next(row["code"] for row in self.done[2].rows if "code" in row)
        gateway = ["--gateway", place.socket]
        proof = ["--config", place.house.directory / "gw-1" / "gateway.toml", "--out", place.directory, "--json"]
        return await self._type(["enrol", self.code, "--from", store / "enrolments", *gateway, "--json"], None) and (
            await self._type(["prove", *proof, "--home", AREA, "--technician", "bench"], self._hand)
        )

    async def _hand(self, row: dict[str, Any]) -> None:
        """Do what is asked for: into the cradle until it is armed, a press, a cancel."""
        if row.get("state") != "begun" or row["step"] not in ("armed", "pressed", "cancelled"):
            return
        await asyncio.sleep(_REST_S)
        if row["step"] == "armed":
            await self._place.armed(_WITHIN_S)
        else:
            await (self._place.press() if row["step"] == "pressed" else self._place.take_back())

    async def _type(self, arguments: list[object], hand: Hand | None) -> bool:
        began_s = time.monotonic()
        command = [sys.executable, "-m", "tools.cli", "--lang", "en", *map(str, arguments)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=self._place.bench.environment
        )
        rows: list[dict[str, Any]] = []
        acting: set[asyncio.Task[None]] = set()
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_WITHIN_S):
                async for line in process.stdout:
                    rows.append(json.loads(line) if line.startswith(b"{") else {"said": line.decode().rstrip()})
                    if hand is not None:
                        acting.add(asyncio.create_task(hand(rows[-1])))
                code = await process.wait()
        except TimeoutError:
            code = _TOO_LONG
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            for task in acting:
                task.cancel()
            await asyncio.gather(*acting, return_exceptions=True)
        name = " ".join(str(word) for word in arguments[: 2 if arguments[0] == "desk" else 1])
        self.done.append(Done(name, code, time.monotonic() - began_s, rows))
        self._on_done(self.done[-1])
        return code == 0
