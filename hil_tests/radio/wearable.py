"""One interpreter on the air: its commands become a Bumble peripheral's doings, the peripheral's events become its own.

Owns one host and its controller, from INIT to DEINIT or death. Must not know firmware. An interpreter that dies
loses its power: nobody is told, the other end notices by its supervision timeout. One that connects again under the
same name stands in the same place of the room.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import struct
from collections.abc import Awaitable, Callable

from bumble import gatt, gatt_server, hci
from bumble.core import BaseBumbleError
from bumble.device import AdvertisingType, Connection, Device
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from hil_tests.radio import wire
from hil_tests.radio.air import Air
from hil_tests.radio.attributes import Attributes
from hil_tests.radio.controller import AirController
from hil_tests.radio.exchange import Exchange

log = logging.getLogger(__name__)

# MicroPython's addr_mode. Mode 2, resolvable, needs bonding, which the wearable has not.
_PUBLIC, _STATIC, _NON_RESOLVABLE = 0, 1, 3
_NOTIFY = 1
_INDICATION_LOST = 13  # BLE_HS_ETIMEOUT, as NimBLE says it
# The interpreter waits five seconds for a reply; a disconnection that the peer never hears ends by itself.
_LEAVE_WITHIN_S = 2.0
_US = 1000


def address_of(name: str) -> hci.Address:
    """The public address of a place in the room: the same at every start."""
    return hci.Address(hashlib.sha256(name.encode()).digest()[:6], hci.Address.PUBLIC_DEVICE_ADDRESS)


class _Refused(Exception):
    """A command that fails as it would on a board. `args[0]`: errno."""


class Wearable:
    """Serves one connection of one interpreter until it ends."""

    def __init__(self, name: str, air: Air, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._name = name
        self._air = air
        self._reader = reader
        self._exchange = Exchange(writer)
        self._attributes = Attributes(self._exchange.read, self._exchange.write)
        self._controller: AirController | None = None
        self._device: Device | None = None
        self._own_address_type = hci.OwnAddressType.PUBLIC
        self._data = self._response = b""
        self._mtu = 256
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: dict[wire.Command, Callable[[bytes], Awaitable[bytes]]] = {
            wire.Command.INIT: self._init,
            wire.Command.DEINIT: self._deinit,
            wire.Command.ADVERTISE: self._advertise,
            wire.Command.ADVERTISE_STOP: self._advertise_stop,
            wire.Command.SERVICES_BEGIN: self._services_begin,
            wire.Command.SERVICE: self._service,
            wire.Command.SERVICES_END: self._nothing,
            wire.Command.NOTIFY: self._notify,
            wire.Command.UPDATE: self._update,
            wire.Command.DISCONNECT: self._disconnect,
            wire.Command.MTU: self._set_mtu,
            wire.Command.NAME: self._set_name,
            wire.Command.ADDRESS_MODE: self._address_mode,
        }

    async def run(self) -> None:
        """Do what the interpreter says until its socket ends."""
        try:
            while True:
                command, payload = await wire.read_frame(self._reader)
                if command in (wire.Command.ANSWER_READ, wire.Command.ANSWER_WRITE):
                    self._exchange.answered(payload)
                else:
                    await self._do(command, payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            log.info("%s: gone", self._name)
        except (wire.Broken, struct.error, IndexError) as error:
            log.error("%s: broken wire: %s", self._name, error)
        finally:
            self._lose_power()

    async def _do(self, command: wire.Command, payload: bytes) -> None:
        number, result = 0, b""
        try:
            result = await self._commands[command](payload)
        except _Refused as refused:
            number = int(refused.args[0])
        except (BaseBumbleError, hci.HCI_Error) as error:
            log.error("%s: %s failed: %s", self._name, command.name, error)
            number = errno.EIO
        if command in wire.REPLIED:
            self._exchange.send(wire.REPLY, bytes([number]) + result)
        elif number:
            log.warning("%s: %s: %s", self._name, command.name, errno.errorcode[number])

    def _lose_power(self) -> None:
        self._exchange.close()
        for task in self._tasks:
            task.cancel()
        if self._controller is not None:
            self._air.remove_controller(self._controller)
        self._controller = self._device = None

    @property
    def _on(self) -> Device:
        if self._device is None:
            raise _Refused(errno.ENODEV)
        return self._device

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _nothing(self, _: bytes) -> bytes:
        return b""

    # ---- power and identity ----

    async def _init(self, payload: bytes) -> bytes:
        if self._device is not None:
            raise _Refused(errno.EALREADY)
        (self._mtu,) = struct.unpack("<H", payload)
        public = address_of(self._name)
        self._controller = AirController(self._name, self._air, public, self._air.conditions.rng, gateway=False)
        host = Host(self._controller, AsyncPipeSink(self._controller))
        device = Device(name=self._name, address=hci.Address.generate_static_address(), host=host)
        device.gatt_server.max_mtu = self._mtu
        device.on(Device.EVENT_CONNECTION, self._connected)
        await device.power_on()
        self._device = device
        self._own_address_type = hci.OwnAddressType.PUBLIC
        return _address(public)

    async def _deinit(self, _: bytes) -> bytes:
        """As NimBLE stops: every connection is ended properly, then the radio is off."""
        device = self._on
        await device.stop_advertising()
        leaving = [asyncio.ensure_future(one.disconnect()) for one in list(device.connections.values())]
        if leaving:
            done_and_late = await asyncio.wait(leaving, timeout=_LEAVE_WITHIN_S)
            for one in done_and_late[1]:
                one.cancel()
        if self._controller is not None:
            self._air.remove_controller(self._controller)
        self._controller = self._device = None
        return b""

    async def _address_mode(self, payload: bytes) -> bytes:
        """A new address. NimBLE's own refusal while advertising is an assertion that stops a board: say it louder."""
        mode, device = payload[0], self._on
        if mode not in (_PUBLIC, _STATIC, _NON_RESOLVABLE):
            raise _Refused(errno.EOPNOTSUPP)
        if self._controller is not None and self._controller.advertiser.enabled:
            raise _Refused(errno.EBUSY)
        if mode == _PUBLIC:
            self._own_address_type = hci.OwnAddressType.PUBLIC
            return _address(address_of(self._name))
        fresh = hci.Address.generate_static_address()
        if mode == _NON_RESOLVABLE:
            fresh = hci.Address.generate_private_address()
        await device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=fresh))
        device.random_address = fresh
        self._own_address_type = hci.OwnAddressType.RANDOM
        return _address(fresh)

    async def _set_mtu(self, payload: bytes) -> bytes:
        (self._mtu,) = struct.unpack("<H", payload)
        self._on.gatt_server.max_mtu = self._mtu
        return b""

    async def _set_name(self, payload: bytes) -> bytes:
        device = self._on
        device.name = payload.decode("utf-8", "replace")
        for attribute in device.gatt_server.attributes:
            if attribute.type == gatt.GATT_DEVICE_NAME_CHARACTERISTIC:
                attribute.value = payload
        return b""

    # ---- advertising ----

    async def _advertise(self, payload: bytes) -> bytes:
        wanted = wire.parse_advertise(payload)
        if wanted.data is not None:
            self._data = wanted.data
        if wanted.response is not None:
            self._response = wanted.response
        kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
        if not wanted.connectable:
            kind = AdvertisingType.UNDIRECTED_SCANNABLE if self._response else AdvertisingType.UNDIRECTED
        await self._on.start_advertising(
            kind,
            own_address_type=self._own_address_type,
            advertising_data=self._data,
            scan_response_data=self._response,
            advertising_interval_min=wanted.interval_us / _US,
            advertising_interval_max=wanted.interval_us / _US,
        )
        return b""

    async def _advertise_stop(self, _: bytes) -> bytes:
        await self._on.stop_advertising()
        return b""

    # ---- services and values ----

    async def _services_begin(self, _: bytes) -> bytes:
        device = self._on
        device.gatt_server = gatt_server.Server(device)
        device.gatt_server.max_mtu = self._mtu
        device.add_default_services()
        self._attributes.by_handle.clear()
        return b""

    async def _service(self, payload: bytes) -> bytes:
        service, order = self._attributes.build(wire.parse_service(payload))
        self._on.add_service(service)
        return self._attributes.added(order)

    async def _notify(self, payload: bytes) -> bytes:
        number, handle, operation = struct.unpack_from("<HHB", payload)
        connection = self._on.connections.get(number)
        attribute = self._attributes.by_handle.get(handle)
        if connection is None or attribute is None:
            return b""  # it went while the call was under way: on a board, too, nobody would say so
        if operation == _NOTIFY:
            await self._on.notify_subscriber(connection, attribute, payload[5:], force=True)
        else:
            self._start(self._indicate(connection, handle, payload[5:]))
        return b""

    async def _indicate(self, connection: Connection, handle: int, value: bytes) -> None:
        status = 0
        try:
            await self._on.indicate_subscriber(connection, self._attributes.by_handle[handle], value, force=True)
        except (BaseBumbleError, TimeoutError):
            status = _INDICATION_LOST
        self._exchange.send(wire.Event.INDICATED, struct.pack("<HHB", connection.handle, handle, status))

    async def _update(self, payload: bytes) -> bytes:
        (handle,) = struct.unpack_from("<H", payload)
        if handle in self._attributes.by_handle:
            await self._on.notify_subscribers(self._attributes.by_handle[handle], payload[2:])
        return b""

    # ---- connections ----

    async def _disconnect(self, payload: bytes) -> bytes:
        connection = self._on.connections.get(struct.unpack("<H", payload)[0])
        if connection is not None:
            self._start(self._end(connection))
        return b""

    async def _end(self, connection: Connection) -> None:
        try:
            await connection.disconnect()
        except (BaseBumbleError, hci.HCI_Error) as error:
            log.info("%s: already disconnected: %s", self._name, error)

    def _connected(self, connection: Connection) -> None:
        handle = struct.pack("<H", connection.handle)
        peer = _address(connection.peer_address)
        self._exchange.send(wire.Event.CONNECTED, handle + peer)
        connection.on(
            Connection.EVENT_DISCONNECTION, lambda _: self._exchange.send(wire.Event.DISCONNECTED, handle + peer)
        )
        connection.on(
            Connection.EVENT_CONNECTION_ATT_MTU_UPDATE,
            lambda: self._exchange.send(wire.Event.MTU, handle + struct.pack("<H", connection.att_mtu)),
        )
        connection.on(Connection.EVENT_CONNECTION_PARAMETERS_UPDATE, lambda: self._updated(connection))

    def _updated(self, connection: Connection) -> None:
        now = connection.parameters
        values = (now.connection_interval / 1.25, now.peripheral_latency, now.supervision_timeout / 10, 0)
        payload = struct.pack("<HHHHH", connection.handle, *(int(value) for value in values))
        self._exchange.send(wire.Event.CONNECTION_UPDATED, payload)


def _address(address: hci.Address) -> bytes:
    return bytes([0 if address.is_public else 1]) + bytes(address)[::-1]
