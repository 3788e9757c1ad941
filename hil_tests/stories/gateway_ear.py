# ruff: noqa: ARG002 - the methods' arguments are bleak's
"""bleak's back end on the air of a story: what is advertised there, and connections to who advertises.

Owns the gateway's end of the line. Errors are those that bleak's BlueZ back end raises. Must not know frames, nor the
daemon. There is no loss here and no time: a connection comes about, or the wearable is not there any more.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable
from typing import Any

import bleak
from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDBusError, BleakError

from hil_tests.stories.line import Line, Word
from protocol import codes

_MTU = 247
_ATT_HEADER = 3
_RSSI_DBM = -60
_UP_HANDLE, _DOWN_HANDLE = 3, 6
# Flags (3 bytes), then length, type, company (2), frame: as firmware/sos/link_ble.py advertises.
_FRAME_AT = 7


class GatewayEar:
    """What the back end shares: the line, who scans, who is connected."""

    def __init__(self) -> None:
        self.line: Line | None = None
        self.scanners: set[StoryScanner] = set()
        self.clients: dict[str, StoryClient] = {}
        self._calls: dict[str, asyncio.Future[bool]] = {}

    def heard(self, word: Word) -> None:
        """A word of the air."""
        address = word["address"]
        if word["do"] == "advertised":
            for scanner in self.scanners:
                scanner.advertised(address, bytes.fromhex(word["data"]))
        elif word["do"] == "connected":
            call = self._calls.pop(address, None)
            if call is not None and not call.done():
                call.set_result(word["is"])
        elif address in self.clients:
            client = self.clients[address]
            if word["do"] == "notified":
                client.notified(bytes.fromhex(word["data"]))
            else:
                client.gone()

    async def call(self, address: str) -> bool:
        """Whether a connection came about."""
        call: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._calls[address] = call
        self.tell(do="connect", address=address)
        return await call

    def tell(self, **word: Any) -> None:
        """Say it to the air."""
        if self.line is not None:
            self.line.tell(**word)


class StoryScanner(BaseBleakScanner):
    """Made by bleak, but for `ear`."""

    def __init__(
        self,
        ear: GatewayEar,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._ear = ear

    async def start(self) -> None:
        """Begin."""
        self.seen_devices = {}
        self._ear.scanners.add(self)

    async def stop(self) -> None:
        """End."""
        self._ear.scanners.discard(self)

    def advertised(self, address: str, data: bytes) -> None:
        """Somebody advertises this."""
        self.seen_devices.clear()
        frame = {codes.COMPANY_ID: data[_FRAME_AT:]}
        advertisement = AdvertisementData(None, frame, {}, [], None, _RSSI_DBM, ())
        device = self.create_or_update_device(address, address, None, address, advertisement)
        self.call_detection_callbacks(device, advertisement)


class StoryClient(BaseBleakClient):
    """Made by bleak, but for `ear`."""

    def __init__(
        self,
        ear: GatewayEar,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._ear = ear
        self._connected = False
        self._notify: NotifyCallback | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return self.address

    @property
    def mtu_size(self) -> int:
        """ATT MTU, in bytes."""
        return _MTU

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands."""
        return self._connected

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect. Raises BleakError, in BlueZ's words, when nobody is there."""
        self._ear.clients[self.address] = self
        self._connected = await self._ear.call(self.address)
        if not self._connected:
            self._ear.clients.pop(self.address, None)
            raise BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"])
        self.services = _services()

    async def disconnect(self) -> None:
        """End the connection; nothing to do when it has ended."""
        if self._connected:
            self._ear.tell(do="disconnect", address=self.address)
            self.gone()

    def gone(self) -> None:
        """The connection has ended."""
        self._ear.clients.pop(self.address, None)
        if self._connected:
            self._connected, self.services = False, None
            if self._disconnected_callback is not None:
                self._disconnected_callback()

    def notified(self, data: bytes) -> None:
        """The wearable hands something over."""
        if self._notify is not None:
            self._notify(bytearray(data))

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Nothing here pairs."""
        raise BleakError("pairing is not part of this back end")

    async def unpair(self) -> None:
        """See pair."""
        raise BleakError("pairing is not part of this back end")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """A wearable has nothing to be read."""
        raise BleakError("there is nothing to read")

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """A wearable has nothing to be read."""
        raise BleakError("there is nothing to read")

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a characteristic's value."""
        if not self._connected:
            raise BleakError("not connected")
        self._ear.tell(do="write", address=self.address, data=bytes(data).hex())

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """A wearable has no such."""
        raise BleakError("there is nothing to write")

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        """Let `callback` have each notification."""
        self._notify = callback

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """No more notifications."""
        self._notify = None


def _services() -> BleakGATTServiceCollection:
    """What discovery would find on any wearable."""
    found = BleakGATTServiceCollection()
    service = BleakGATTService(None, 1, codes.SERVICE_UUID)
    found.add_service(service)
    for handle, uuid, can in ((_UP_HANDLE, codes.UP_UUID, "notify"), (_DOWN_HANDLE, codes.DOWN_UUID, "write")):
        properties: list[Any] = [can]
        found.add_characteristic(
            BleakGATTCharacteristic(None, handle, uuid, properties, lambda: _MTU - _ATT_HEADER, service)
        )
    return found


def install(ear: GatewayEar) -> None:
    """From now on bleak works on `ear`."""
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent/no-system-bus-in-a-story"
    names: Any = bleak
    names.get_platform_scanner_backend_type = lambda: (functools.partial(StoryScanner, ear), "story")
    names.get_platform_client_backend_type = lambda: (functools.partial(StoryClient, ear), "story")
