"""Where a visit takes place: a bare board on a cable, a home with a gateway, a platform with its key.

Owns what stands there, and the hand on the button. Must not know which commands are typed (visit.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Self

from hil_tests.board.bench import Bench
from hil_tests.board.board import Board, Kind
from hil_tests.board.chip import ESP32_C3, MIB
from hil_tests.board.program import Around, Program
from hil_tests.board.release import known, release
from hil_tests.gateway.process import GatewayProcess
from hil_tests.gateway.steered_clock import Machine
from hil_tests.house import House
from hil_tests.wearable.body import Body
from hil_tests.wearable.process import PRESS_MS
from tests.edge_daemon.certificates import Authority
from tools.control import client

BOARD = "pendant_xiao_esp32c3"
_MAC = bytes.fromhex("6055f9000001")
_RELEASE_SIZE = 0x180000
_FLASH_BYTES = 4 * MIB
_PAUSE_S = 2.0
_CYAN = 0x00FFFF


class Place(contextlib.AsyncExitStack):
    """`async with Place() as place`. The board's program is in reach of the gateway as soon as it runs."""

    directory: Path
    house: House
    body: Body
    board: Board
    bench: Bench

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        try:
            await self._build()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def _build(self) -> None:
        # A socket wants a short path.
        self.directory = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="pat-")))
        self.house = await House.build(self.directory / "house")
        self.push_async_callback(self.house.leave)
        self._write_empty(self.desk_keys)
        await self.house.open_desk("--keys", str(self.desk_keys))
        await self._open_gateway()
        self.body = await Body.listen(self.directory / "body", self.directory / "body.log")
        self.push_async_callback(self.body.close)
        self.bench = self.enter_context(Bench(self.directory / "bench"))
        self.micropython.write_bytes(release(ESP32_C3, size=_RELEASE_SIZE))
        kind = Kind(ESP32_C3, _FLASH_BYTES, mac=_MAC, known=known(self.micropython.read_bytes()), program=self._program)
        self.board = await asyncio.to_thread(self.bench.board, "pendant", kind)

    async def _open_gateway(self) -> None:
        """One with a certificate, for who signs, and a clock that somebody vouches for, as a home has it."""
        certificate, key = Authority(self.directory, "platform").issue("gw-1", common_name="gw-1")
        clock = self.directory / "clock.json"
        Machine("test_only boot").write(clock)
        file = self.house.write_gateway("gw-1", {"platform": {"cert_file": str(certificate), "key_file": str(key)}})
        hci = self.house.radio.hci("gw-1")
        gateway = await GatewayProcess.start(file.parent, file, hci, name="gw-1", clock=clock)
        self.house.gateways["gw-1"] = gateway

    @property
    def micropython(self) -> Path:
        """The stand-in for MicroPython's release file."""
        return self.directory / "test_only_micropython.bin"

    @property
    def pin(self) -> str:
        """Its SHA-256."""
        return hashlib.sha256(self.micropython.read_bytes()).hexdigest()

    @property
    def desk_keys(self) -> Path:
        """What the desk knows of wearables' keys."""
        return self.directory / "desk_keys.json"

    @property
    def socket(self) -> Path:
        """The gateway's control socket."""
        return self.house.directory / "gw-1" / "state" / "control.sock"

    async def press(self, times: int = 1) -> None:
        """A short press, or some in a row."""
        self.body.finger.press()
        await self.body.finger.release_after(PRESS_MS / 1000, times - 1)

    async def take_back(self) -> None:
        """A press, a pause of more than a second, and exactly three in a row."""
        await self.press()
        await asyncio.sleep(_PAUSE_S)
        await self.press(3)

    async def armed(self, within_s: float) -> None:
        """Put it into its cradle, where it says a heartbeat at once, until the lamp says that a press is a test: cyan.

        Enrolled a moment ago, it would else be heard with its next heartbeat, half an hour later.
        """

        def cyan() -> bool | None:
            return any(signal.what == "led" and signal.value == _CYAN for signal in self.body.signals) or None

        self.body.set_usb(True)
        self.body.changed()
        await self.body.until(cyan, within_s, "armed")
        self.body.set_usb(False)
        self.body.changed()

    async def closed(self) -> None:
        """Wait until the gateway knows that an event from now on is closed."""
        async with contextlib.aclosing(client.watch(self.socket)) as lines:
            async for line in lines:
                if line["saw"] == "stage" and line["stage"] == "closed":
                    return

    def _program(self, directory: Path, flash: Path, console: str) -> Program:
        radio = self.house.radio.wearables_socket
        around = Around(mac=_MAC.hex(":"), body=self.directory / "body", radio_socket=radio)
        return Program(directory, flash, console, around)

    def _write_empty(self, file: Path) -> None:
        file.touch(mode=0o600)
        file.write_text(json.dumps({"v": 1, "wearables": []}))
