"""Real interpreters, the real radio process, and plain bleak on a Bumble adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import bleak
import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from hil_tests import micropython
from hil_tests.gateway.adapter import Adapter
from hil_tests.gateway.backend import install
from hil_tests.micropython import stock
from hil_tests.radio.process import RadioProcess
from protocol import codes

from .bluez_home import bluez  # noqa: F401 - a fixture
from .peripheral import Peripheral

GATEWAY = "gateway-1"
WITHIN_S = 10.0


class Scan:
    """What plain bleak hears of wearables, one by one."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[tuple[BLEDevice, AdvertisementData]] = asyncio.Queue()
        self.frames: list[bytes] = []

    def __call__(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        if codes.COMPANY_ID in advertisement.manufacturer_data:
            self._heard.put_nowait((device, advertisement))
            self.frames.append(advertisement.manufacturer_data[codes.COMPANY_ID])

    @property
    def count(self) -> int:
        return len(self.frames)

    async def next(self, frame: bytes | None = None, within_s: float = WITHIN_S) -> tuple[BLEDevice, AdvertisementData]:
        """The next heard from now on; with `frame`, the next with this one of those not looked at yet."""
        while frame is None and not self._heard.empty():
            self._heard.get_nowait()
        async with asyncio.timeout(within_s):
            while True:
                device, advertisement = await self._heard.get()
                if frame in (None, advertisement.manufacturer_data[codes.COMPANY_ID]):
                    return device, advertisement


class Room:
    """One radio process and who is in it."""

    def __init__(self, radio: RadioProcess, logs: Path, interpreter: Path, ends: AsyncExitStack) -> None:
        self.radio = radio
        self.logs = logs
        self._interpreter = interpreter
        self.ends = ends

    async def peripheral(self, name: str = "pendant-1") -> Peripheral:
        peripheral = await Peripheral.start(self._interpreter, self.radio.wearables_socket, self.logs, name)
        self.ends.push_async_callback(peripheral.child.kill)
        return peripheral

    def use(self, gateway: str = GATEWAY) -> None:
        """Let plain bleak use this gateway's adapter."""
        self.adapter = Adapter(self.radio.hci(gateway))
        self.ends.push_async_callback(self.adapter.close)
        install(self.adapter)

    async def scan(self, gateway: str = GATEWAY) -> Scan:
        """Plain bleak, scanning on this gateway's adapter from now on."""
        self.use(gateway)
        scan = Scan()
        await self.ends.enter_async_context(bleak.BleakScanner(scan))
        return scan


@pytest.fixture
def interpreter(request: pytest.FixtureRequest) -> Path:
    """Our own build; with `BOTH`, also the one for machines without a compiler."""
    return stock.binary() if getattr(request, "param", "own") == "stock" else micropython.binary()


BOTH = pytest.mark.parametrize("interpreter", ["own", "stock"], indirect=True)


NewRoom = Callable[..., Awaitable[Room]]


@pytest.fixture
async def new_room(tmp_path: Path, interpreter: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewRoom]:
    """Opens rooms; everything in them is ended with the test."""
    for name in ("get_platform_scanner_backend_type", "get_platform_client_backend_type"):
        monkeypatch.setattr(bleak, name, getattr(bleak, name))  # put back what install() replaces
    async with AsyncExitStack() as ends:

        async def open_room(gateways: tuple[str, ...] = (GATEWAY,), interval_ms: float = 15, **options: int) -> Room:
            radio = await RadioProcess.start(tmp_path, gateways, interval_ms=interval_ms, **options)
            ends.push_async_callback(radio.stop)
            return Room(radio, tmp_path, interpreter, ends)

        yield open_room
