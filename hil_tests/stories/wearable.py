"""One wearable of a story: the process with the firmware on MicroPython, and how far its time has gone.

Owns the pipe and the exchange in lock step: the board tells what it says and what time it is, and waits; whoever is in
charge says what has come to it, and lets it go on. Must not know gateways, nor what is told.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests import micropython
from hil_tests.child import ROOT
from hil_tests.wearable.provision import identity_record, registry_row
from protocol.keys import DeviceKeys

_HERE = Path(__file__).parent / "board"
_PATHS = (".frozen", _HERE, ROOT / "firmware", ROOT / "tests" / "firmware", ROOT)
_HEAP = "16m"
# A turn of the board takes milliseconds; this is for a machine with everything else on it.
_ANSWERS_WITHIN_S = 60.0
_NEVER_MS = 1 << 60


class WearableBroke(AssertionError):
    """The board of a story ended, hung or met a fault; the message has its last words."""


@dataclass
class Spent:
    """What the board's meter says: ms of each part, times of each happening."""

    ms: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)


class StoryWearable:
    """`at_ms`: how far it is. `wakes_ms`: when it wakes by itself; asleep is whether it sleeps. `told`: its own words.

    `on_said(words)` is given each word that others hear: adv, off, addr, notify, drop.
    """

    def __init__(self, name: str, keys: DeviceKeys, parts: tuple[str, ...]) -> None:
        self.name = name
        self.keys = keys
        self.parts = parts
        self.at_ms = 0
        self.wakes_ms = _NEVER_MS
        self.asleep = False
        self.dark = True
        self.gnss_on = False
        self.motion_wakes = ""
        self.told: list[tuple[int, str]] = []
        self.real_s = 0.0
        self.on_said: Callable[[list[str]], None] = lambda words: None
        self._process: asyncio.subprocess.Process
        self._spent = Spent()

    async def start(self, log: Path) -> None:
        """Begin the process: provisioned, without power."""
        environment = {"MICROPYPATH": ":".join(map(str, _PATHS)), "PATH": os.environ.get("PATH", "")}
        with log.open("wb") as file:
            self._process = await asyncio.create_subprocess_exec(
                *(str(micropython.binary()), "-X", f"heapsize={_HEAP}", str(_HERE / "main.py"), ",".join(self.parts)),
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
            )
        self._log = log
        self.tell(identity_record(self.keys).hex())
        await self.hear()

    async def stop(self) -> None:
        """Power off, and gone."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    # ---- what happens to it ----

    def tell(self, line: str) -> None:
        """Something comes to it; it is taken when time goes on."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def power(self, at_ms: int) -> None:
        """The cell is put in."""
        self.dark = False
        await self._start("power none", at_ms)

    async def wake(self, cause: str, at_ms: int) -> None:
        """It wakes: by "timer", "button", "touch", "motion" or "serial"."""
        await self._start(f"wake {cause}", at_ms)

    async def _start(self, how: str, at_ms: int) -> None:
        self.at_ms, self.asleep, self.wakes_ms = at_ms, False, _NEVER_MS
        self.tell(f"{how} {at_ms}")
        await self.hear()

    async def cut(self, at_ms: int) -> None:
        """Power is gone."""
        if not self.dark:
            self.at_ms = at_ms
            self.tell("cut")
            await self.hear()

    async def go(self, until_ms: int) -> None:
        """Time goes on until then, or until it has said something."""
        self.tell(f"go {until_ms}")
        await self.hear()

    async def spent(self) -> Spent:
        """The meter's figures so far."""
        self._spent = Spent()
        self.tell("meter")
        await self.hear()
        return self._spent

    # ---- what it says ----

    async def hear(self) -> None:
        """Take its words up to when it stops. Raises WearableBroke."""
        begun_s, said = time.monotonic(), list[list[str]]()
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                while not said or said[-1][:1] != ["at"]:
                    line = await self._process.stdout.readline()
                    if not line:
                        raise self._broke("ended")
                    said.append(line.decode(errors="replace").split())
        except TimeoutError:
            raise self._broke("hangs") from None
        finally:
            self.real_s += time.monotonic() - begun_s
        self.at_ms = int(said.pop()[1])
        for words in said:
            self._take(words)

    def _take(self, words: list[str]) -> None:
        word = words[0] if words else ""
        if word in ("spent", "counted"):
            (self._spent.ms if word == "spent" else self._spent.times)[words[1]] = int(words[2])
            return
        self.told.append((self.at_ms, " ".join(words)))
        if word in ("adv", "off", "addr", "notify", "drop"):
            self.on_said(words)
        elif word == "sleep":
            self.asleep, self.wakes_ms = True, self.at_ms + int(words[1])
        elif word == "gnss":
            self.gnss_on = words[1] == "1"
        elif word == "motion":
            self.motion_wakes = words[1]
        elif word == "dark":
            self.asleep, self.dark, self.wakes_ms = False, True, _NEVER_MS
        elif word == "fault" or (words[:2] == ["log", "part"] and ("dropped:" in words or "start:" in words)):
            raise self._broke("met a fault, or lost a part")

    def _broke(self, what: str) -> WearableBroke:
        said = "\n".join(f"  {at} {text}" for at, text in self.told[-20:])
        errors = self._log.read_text(errors="replace")[-2000:]
        return WearableBroke(f"{self.name} {what} at {self.at_ms}; it had said:\n{said}\nand printed:\n{errors}")

    # ---- who it is ----

    @property
    def handle(self) -> str:
        """Its pseudonym at gateway and platform."""
        return self.keys.handle.hex()

    def registry_row(self) -> dict[str, str]:
        """Its row of a gateway's key file."""
        return registry_row(self.keys)
