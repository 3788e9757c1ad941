"""Boards on a desk in the place of simulated ones: the same tests, this machine's Bluetooth and serial ports.

Owns the hand that presses and the eye that looks: a person who is asked, or a command (`--hand`) that is run with what
is to be done. NOT RUN YET on hardware, for there is none where this was written; what can be tried without (asking,
the command, the missing board) is tried in tests/hil_tests.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hil_tests.gateway.process import GatewayProcess
from hil_tests.house import House
from hil_tests.wearable.body import Shown

_ASK_WITHIN_S = 120.0
# The longest a press may take to the desk before a test asks for its number: a short press, and a repeat.
_NUMBER_WITHIN_S = 20.0


class Hand:
    """Does and looks: `act("press 1300 ms: pendant")` and `see("STORED: pendant")`.

    A command gets the words as one argument and says yes with exit code 0; a person answers on the terminal.
    """

    def __init__(self, command: str, ask: Callable[[str], bool]) -> None:
        self._command = shlex.split(command)
        self._ask = ask

    async def act(self, what: str) -> bool:
        """Have it done; whether it was."""
        if not self._command:
            return await asyncio.to_thread(self._ask, what)
        process = await asyncio.create_subprocess_exec(*self._command, what)
        try:
            return await asyncio.wait_for(process.wait(), _ASK_WITHIN_S) == 0
        except TimeoutError:
            process.kill()
            await process.wait()
            return False


class Seen:
    """What was seen on a board's lamp, in the place of a simulated body's record."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []


class RealWearable:
    """A board on a port, with what tests ask of a simulated one. `keys_file`: its row of a gateway's key file, 0600.

    A lamp tells no event number: `number_of(handle)` is asked for it, which is the newest one the desk has.
    """

    def __init__(self, name: str, keys_file: Path, hand: Hand, number_of: Callable[[str], Awaitable[int]]) -> None:
        self.name = name
        self.body = Seen()
        self._row: dict[str, str] = json.loads(keys_file.read_text(encoding="utf-8"))["wearables"][0]
        self._hand = hand
        self._number_of = number_of

    @property
    def handle(self) -> str:
        """Its pseudonym: 16 hex digits."""
        return self._row["wearable"]

    def registry_row(self) -> dict[str, str]:
        """Its row of a gateway's key file."""
        return self._row

    async def hold(self) -> float:
        """Hold the button for longer than a second; return when it was asked for."""
        return await self._do("hold the button for two seconds")

    async def press(self, times: int = 1) -> float:
        """A short press, or so many in a row."""
        return await self._do("press the button shortly" + (f", {times} times in a row" if times > 1 else ""))

    async def power_cut(self) -> None:
        """Take the battery out."""
        await self._do("take the power away")

    async def power_on(self) -> None:
        """Put the battery in."""
        await self._do("give the power back")

    async def shown(self, stage: str, number: int | None = None, within_s: float = 10.0, since: int = 0) -> Shown:  # noqa: ARG002
        """Whether lamp and motor show this stage. Fails the test when they do not."""
        if not await self._hand.act(f"{self.name}: does it show {stage} (firmware/README.md) within {within_s:.0f} s?"):
            pytest.fail(f"{self.name} does not show {stage}")
        seen = Shown(stage, await self._number_of(self.handle) if number is None else number, time.monotonic())
        self.body.shown.append(seen)
        return seen

    async def _do(self, what: str) -> float:
        at_s = time.monotonic()
        if not await self._hand.act(f"{self.name}: {what}"):
            pytest.fail(f"not done: {what}")
        return at_s

    async def stop(self) -> None:
        """Nothing to stop: it goes on living on the desk."""


class RealHouse(House):
    """Real boards, the same gateway, broker and desk."""

    def __init__(self, directory: Path, ports: list[str], hand: str, config: pytest.Config) -> None:
        super().__init__(directory)
        self._ports = [port.rpartition(":") for port in ports]
        self._config_of_pytest = config
        self._hand = Hand(hand, self._ask)

    def _ask(self, what: str) -> bool:
        capture = self._config_of_pytest.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            return input(f"\n{what} [y/n] ").strip().lower().startswith("y")

    async def add_wearable(  # type: ignore[override]
        self,
        name: str,
        *,
        ble: bool = True,  # noqa: ARG002 # a board's radio is always on
        serial: bool = False,
        stranger: bool = False,
        **more: Any,
    ) -> RealWearable:
        """The next board that was given with --port; skips the test when there are no more."""
        if more or stranger:
            pytest.skip(f"needs a simulated wearable: {more or 'stranger'}")
        if len(self.wearables) >= len(self._ports):
            pytest.skip(f"needs {len(self.wearables) + 1} boards, --port gave {len(self._ports)}")
        port, _, keys = self._ports[len(self.wearables)]
        wearable = RealWearable(name, Path(keys), self._hand, self._number_of)
        self.wearables[name] = wearable  # type: ignore[assignment]
        if serial:
            self.serial_ports[name] = port
        return wearable

    async def _number_of(self, handle: str) -> int:
        """The newest event of a wearable that the desk has; 0 when it gets none in time, as without a broker."""
        deadline_s = time.monotonic() + _NUMBER_WITHIN_S
        while self._desk is not None and time.monotonic() < deadline_s:
            numbers = [one["number"] for one in await self.desk.incidents() if one["wearable"] == handle]
            if numbers:
                return int(max(numbers))
            await asyncio.sleep(0.1)
        return 0

    async def open_gateway(
        self, name: str = "gw-1", *, clock: Path | None = None, **settings: dict[str, Any]
    ) -> GatewayProcess:
        """The gateway on this machine's own adapter."""
        file = self.write_gateway(name, settings)
        self.gateways[name] = await GatewayProcess.start(file.parent, file, None, clock=clock)
        return self.gateways[name]
