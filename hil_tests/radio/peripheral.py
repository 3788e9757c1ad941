"""A wearable's Bluetooth stack on the air: one Bumble host and its controller, from power-on to power-off.

Owns addresses, advertising, services and connections. Must not know the wire: what happens is told through `tell`.
Refusals are errnos, those NimBLE's bindings on a board give.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import struct
from collections.abc import Callable

from bumble import gatt, gatt_server, hci
from bumble.core import BaseBumbleError
from bumble.device import AdvertisingType, Connection, Device
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from hil_tests.radio import wire
from hil_tests.radio.air import Air
from hil_tests.radio.attributes import Attributes
from hil_tests.radio.controller import AirController

log = logging.getLogger(__name__)

# MicroPython's addr_mode. Mode 2, resolvable, needs bonding, which the wearable has not.
_PUBLIC, _STATIC, _NON_RESOLVABLE = 0, 1, 3
_INDICATION_LOST = 13  # BLE_HS_ETIMEOUT, as NimBLE says it
# The interpreter waits five seconds for a reply; a disconnection that the peer never hears ends by itself.
_LEAVE_WITHIN_S = 2.0
_US = 1000


class Refused(Exception):
    """What was asked fails as it would on a board. `number`: errno."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode.get(number, str(number)))
        self.number = number


def address_of(name: str) -> hci.Address:
    """The public address of a place in the room: the same at every start."""
    return hci.Address(hashlib.sha256(name.encode()).digest()[:6], hci.Address.PUBLIC_DEVICE_ADDRESS)


class Peripheral:
    """Make it with `power_on`. Whatever Bumble raises passes through: BaseBumbleError, HCI_Error."""

    def __init__(
        self, name: str, air: Air, attributes: Attributes, mtu: int, tell: Callable[[wire.Event, bytes], None]
    ) -> None:
        self._name = name
        self._air = air
        self._attributes = attributes
        self._tell = tell
        self._mtu = mtu
        self._own_address_type = hci.OwnAddressType.PUBLIC
        self._data = self._response = b""
        self._tasks: set[asyncio.Task[None]] = set()
        rng = air.conditions.rng
        self._controller = AirController(name, air, address_of(name), rng, gateway=False)
        host = Host(self._controller, AsyncPipeSink(self._controller))
        self._device = Device(name=name, address=hci.Address.generate_static_address(), host=host)
        self._device.gatt_server.max_mtu = mtu
        self._device.on(Device.EVENT_CONNECTION, self._connected)

    # ---- power and identity ----

    async def power_on(self) -> hci.Address:
        """Start; returns the address it has until `set_address_mode`."""
        await self._device.power_on()
        return address_of(self._name)

    async def power_off(self) -> None:
        """As NimBLE stops: every connection is ended properly, then the radio is off."""
        await self._device.stop_advertising()
        leaving = [asyncio.ensure_future(self._end(one)) for one in list(self._device.connections.values())]
        if leaving:
            await asyncio.wait(leaving, timeout=_LEAVE_WITHIN_S)
        for one in leaving:
            one.cancel()
        self.lose_power()

    def lose_power(self) -> None:
        """Gone, without a word to anybody."""
        for task in self._tasks:
            task.cancel()
        self._air.remove_controller(self._controller)

    async def set_address_mode(self, mode: int) -> hci.Address:
        """A new address. Refused while advertising, where NimBLE's own refusal is an assertion that stops a board."""
        if mode not in (_PUBLIC, _STATIC, _NON_RESOLVABLE):
            raise Refused(errno.EOPNOTSUPP)
        if self._controller.advertiser.enabled:
            raise Refused(errno.EBUSY)
        if mode == _PUBLIC:
            self._own_address_type = hci.OwnAddressType.PUBLIC
            return address_of(self._name)
        fresh = hci.Address.generate_static_address()
        if mode == _NON_RESOLVABLE:
            fresh = hci.Address.generate_private_address()
        await self._device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=fresh))
        self._device.random_address = fresh
        self._own_address_type = hci.OwnAddressType.RANDOM
        return fresh

    def set_mtu(self, mtu: int) -> None:
        """The MTU to agree to from the next exchange on."""
        self._mtu = self._device.gatt_server.max_mtu = mtu

    def set_name(self, name: bytes) -> None:
        """The device name of the generic access service."""
        self._device.name = name.decode("utf-8", "replace")
        for attribute in self._device.gatt_server.attributes:
            if attribute.type == gatt.GATT_DEVICE_NAME_CHARACTERISTIC:
                attribute.value = name

    # ---- advertising ----

    async def advertise(self, wanted: wire.Advertise) -> None:
        """Advertise until stopped or connected to; what went before ends."""
        if wanted.data is not None:
            self._data = wanted.data
        if wanted.response is not None:
            self._response = wanted.response
        kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
        if not wanted.connectable:
            kind = AdvertisingType.UNDIRECTED_SCANNABLE if self._response else AdvertisingType.UNDIRECTED
        await self._device.start_advertising(
            kind,
            own_address_type=self._own_address_type,
            advertising_data=self._data,
            scan_response_data=self._response,
            advertising_interval_min=wanted.interval_us / _US,
            advertising_interval_max=wanted.interval_us / _US,
        )

    async def stop_advertising(self) -> None:
        """Silence."""
        await self._device.stop_advertising()

    # ---- services and values ----

    def begin_services(self) -> None:
        """Forget all services but the stack's own."""
        self._device.gatt_server = gatt_server.Server(self._device)
        self._device.gatt_server.max_mtu = self._mtu
        self._device.add_default_services()
        self._attributes.by_handle.clear()

    def add_service(self, wanted: wire.Service) -> bytes:
        """Add one; returns the handles of its characteristics and descriptors, u16 each."""
        service, order = self._attributes.build(wanted)
        self._device.add_service(service)
        return self._attributes.added(order)

    async def notify(self, number: int, handle: int, value: bytes) -> None:
        """Notify one central, subscribed or not; one that has just gone is passed over, as on a board."""
        connection = self._device.connections.get(number)
        if connection is not None and handle in self._attributes.by_handle:
            await self._device.notify_subscriber(connection, self._attributes.by_handle[handle], value, force=True)

    def indicate(self, number: int, handle: int, value: bytes) -> None:
        """Indicate; how it ended is told."""
        connection = self._device.connections.get(number)
        if connection is not None and handle in self._attributes.by_handle:
            self._start(self._indicate(connection, handle, value))

    async def _indicate(self, connection: Connection, handle: int, value: bytes) -> None:
        status = 0
        try:
            await self._device.indicate_subscriber(connection, self._attributes.by_handle[handle], value, force=True)
        except (BaseBumbleError, TimeoutError):
            status = _INDICATION_LOST
        self._tell(wire.Event.INDICATED, struct.pack("<HHB", connection.handle, handle, status))

    async def update(self, handle: int, value: bytes) -> None:
        """Notify every subscriber of a value that was written here."""
        if handle in self._attributes.by_handle:
            await self._device.notify_subscribers(self._attributes.by_handle[handle], value)

    # ---- connections ----

    def disconnect(self, number: int) -> None:
        """Begin to end a connection; that it has ended is told."""
        connection = self._device.connections.get(number)
        if connection is not None:
            self._start(self._end(connection))

    async def _end(self, connection: Connection) -> None:
        try:
            await connection.disconnect()
        except (BaseBumbleError, hci.HCI_Error) as error:
            log.info("%s: already disconnected: %s", self._name, error)

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _connected(self, connection: Connection) -> None:
        handle = struct.pack("<H", connection.handle)
        peer = wire.address(bytes(connection.peer_address), public=connection.peer_address.is_public)
        self._tell(wire.Event.CONNECTED, handle + peer)
        connection.on(Connection.EVENT_DISCONNECTION, lambda _: self._tell(wire.Event.DISCONNECTED, handle + peer))
        connection.on(
            Connection.EVENT_CONNECTION_ATT_MTU_UPDATE,
            lambda: self._tell(wire.Event.MTU, handle + struct.pack("<H", connection.att_mtu)),
        )
        connection.on(Connection.EVENT_CONNECTION_PARAMETERS_UPDATE, lambda: self._updated(connection))

    def _updated(self, connection: Connection) -> None:
        now = connection.parameters
        values = (now.connection_interval / 1.25, now.peripheral_latency, now.supervision_timeout / 10, 0)
        payload = struct.pack("<HHHHH", connection.handle, *(int(value) for value in values))
        self._tell(wire.Event.CONNECTION_UPDATED, payload)
