# ruff: noqa: ARG002 - the methods' arguments are bleak's
"""bleak's client on the adapter. Owns one connection and its attributes. Must not know scanning.

Errors are those that bleak's BlueZ back end raises: BleakError and its kinds, TimeoutError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError
from bumble import core, hci
from bumble.att import ATT_Error
from bumble.device import Connection, Peer

from hil_tests.gateway.adapter import Adapter
from hil_tests.gateway.race import unless_ended
from hil_tests.gateway.scanner import uuid_text

_T = TypeVar("_T")
_MTU_WANTED = 517  # as BlueZ asks
_MTU_LEAST = 23
_ATT_HEADER = 3
_DISCONNECT_WITHIN_S = 5.0
_PROPERTIES: tuple[Any, ...] = (
    "broadcast",
    "read",
    "write-without-response",
    "write",
    "notify",
    "indicate",
    "authenticated-signed-writes",
    "extended-properties",
)


class BumbleClient(BaseBleakClient):
    """Made by bleak, but for `adapter`."""

    def __init__(
        self,
        adapter: Adapter,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._adapter = adapter
        self._address = hci.Address(self.address)
        self._name: str | None = None
        if isinstance(address_or_ble_device, BLEDevice):
            self._address = address_or_ble_device.details
            self._name = address_or_ble_device.name
        self._connection: Connection | None = None
        self._ended: asyncio.Future[str] | None = None
        self._subscribed: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """What the device calls itself, else its address."""
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """ATT MTU, in bytes."""
        return self._connection.att_mtu if self._connection is not None else _MTU_LEAST

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect and discover everything. Raises TimeoutError, BleakError."""
        if pair:
            raise BleakError("pairing is not part of this back end")
        if self._connection is not None:
            raise BleakError("already connected")
        try:
            async with asyncio.timeout(kwargs.get("timeout", self._timeout)):
                connection = await self._adapter.connect(self._address)
                self._take(connection)
                await self._do(self._discover(Peer(connection)))
        except BaseException as error:
            lost = self._ended is not None and self._ended.done()
            await self.disconnect()
            if lost and isinstance(error, BleakError):
                # A request that got lost in the air, mostly. BlueZ's words, for bleak_retry_connector reads them.
                raise BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]) from error
            raise

    def _take(self, connection: Connection) -> None:
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._ended = ended

        def gone(reason: int) -> None:
            if ended.done():
                return
            ended.set_result(f"disconnected ({reason:#04x})")
            established = self.services is not None
            self._connection = self.services = None
            self._subscribed.clear()
            if established and self._disconnected_callback is not None:
                self._disconnected_callback()

        connection.on(Connection.EVENT_DISCONNECTION, gone)

    async def _discover(self, peer: Peer) -> None:
        await peer.request_mtu(_MTU_WANTED)
        found = BleakGATTServiceCollection()
        for service in await peer.discover_services():
            ours = BleakGATTService(service, service.handle, uuid_text(service.uuid))
            found.add_service(ours)
            for characteristic in await service.discover_characteristics():
                properties = [name for bit, name in enumerate(_PROPERTIES) if characteristic.properties >> bit & 1]
                mine = BleakGATTCharacteristic(
                    characteristic,
                    characteristic.handle,
                    uuid_text(characteristic.uuid),
                    properties,
                    lambda: self.mtu_size - _ATT_HEADER,
                    ours,
                )
                found.add_characteristic(mine)
                for descriptor in await characteristic.discover_descriptors():
                    found.add_descriptor(
                        BleakGATTDescriptor(descriptor, descriptor.handle, uuid_text(descriptor.type), mine)
                    )
        self.services = found

    async def disconnect(self) -> None:
        """End the connection; nothing to do when it has ended."""
        connection = self._connection
        if connection is None:
            return
        with suppress(core.BaseBumbleError, hci.HCI_Error, BleakError, TimeoutError):
            await asyncio.wait_for(self._do(connection.disconnect()), _DISCONNECT_WITHIN_S)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Frames are sealed by the protocol; nothing here pairs."""
        raise BleakError("pairing is not part of this back end")

    async def unpair(self) -> None:
        """See pair."""
        raise BleakError("pairing is not part of this back end")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a characteristic's value."""
        return bytearray(await self._do(characteristic.obj.read_value()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a descriptor's value."""
        return bytearray(await self._do(descriptor.obj.read_value()))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a characteristic's value; with `response` it returns when the wearable has taken it."""
        await self._do(characteristic.obj.write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor's value."""
        await self._do(descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        """Let `callback` have each notification."""

        def heard(value: bytes) -> None:
            callback(bytearray(value))

        await self._do(characteristic.obj.subscribe(heard, prefer_notify=True))
        self._subscribed[characteristic.handle] = heard

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """No more notifications."""
        await self._do(characteristic.obj.unsubscribe(self._subscribed.pop(characteristic.handle, None)))

    async def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run something on the connection; its end, and Bumble's errors, become bleak's."""
        if self._connection is None or self._ended is None:
            work.close()
            raise BleakError("not connected")
        try:
            return await unless_ended(work, self._ended)
        except ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.TimeoutError as error:
            raise BleakError(f"no answer: {error}") from error
        except (core.BaseBumbleError, hci.HCI_Error) as error:
            raise BleakError(str(error)) from error
