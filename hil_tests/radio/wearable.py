"""One interpreter on the radio's socket: its commands become its peripheral's doings, and the other way round.

Owns the conversation from the hello to the end of the socket. Must not know Bluetooth (peripheral.py). An interpreter
that dies loses its power: nobody is told, the other end notices by its supervision timeout.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import struct
from collections.abc import Awaitable, Callable

from bumble import hci
from bumble.core import BaseBumbleError

from hil_tests.radio import wire
from hil_tests.radio.air import Air
from hil_tests.radio.attributes import Attributes
from hil_tests.radio.exchange import Exchange
from hil_tests.radio.peripheral import Peripheral, Refused

log = logging.getLogger(__name__)

_NOTIFY = 1


class Wearable:
    """Serves one connection of one interpreter until it ends."""

    def __init__(self, name: str, air: Air, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._name = name
        self._air = air
        self._reader = reader
        self._exchange = Exchange(writer)
        self._peripheral: Peripheral | None = None
        self._commands: dict[wire.Command, Callable[[bytes], Awaitable[bytes]]] = {
            wire.Command.INIT: self._init,
            wire.Command.DEINIT: self._deinit,
            wire.Command.ADVERTISE: self._advertise,
            wire.Command.ADVERTISE_STOP: self._advertise_stop,
            wire.Command.SERVICES_BEGIN: self._services_begin,
            wire.Command.SERVICE: self._service,
            wire.Command.SERVICES_END: self._services_end,
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
            self._exchange.close()
            if self._peripheral is not None:
                self._peripheral.lose_power()

    async def _do(self, command: wire.Command, payload: bytes) -> None:
        number, result = 0, b""
        try:
            result = await self._commands[command](payload)
        except Refused as refused:
            number = refused.number
        except (BaseBumbleError, hci.HCI_Error) as error:
            log.error("%s: %s failed: %s", self._name, command.name, error)
            number = errno.EIO
        if command in wire.REPLIED:
            self._exchange.send(wire.REPLY, bytes([number]) + result)
        elif number:
            log.warning("%s: %s: %s", self._name, command.name, errno.errorcode[number])

    @property
    def _on(self) -> Peripheral:
        if self._peripheral is None:
            raise Refused(errno.ENODEV)
        return self._peripheral

    # ---- commands: the payloads are in wire.py ----

    async def _init(self, payload: bytes) -> bytes:
        if self._peripheral is not None:
            raise Refused(errno.EALREADY)
        (mtu,) = struct.unpack("<H", payload)
        attributes = Attributes(self._exchange.read, self._exchange.write)
        self._peripheral = Peripheral(self._name, self._air, attributes, mtu, self._exchange.send)
        address = await self._peripheral.power_on()
        return wire.address(bytes(address), public=address.is_public)

    async def _deinit(self, _: bytes) -> bytes:
        peripheral, self._peripheral = self._on, None
        await peripheral.power_off()
        return b""

    async def _address_mode(self, payload: bytes) -> bytes:
        address = await self._on.set_address_mode(payload[0])
        return wire.address(bytes(address), public=address.is_public)

    async def _set_mtu(self, payload: bytes) -> bytes:
        self._on.set_mtu(*struct.unpack("<H", payload))
        return b""

    async def _set_name(self, payload: bytes) -> bytes:
        self._on.set_name(payload)
        return b""

    async def _advertise(self, payload: bytes) -> bytes:
        await self._on.advertise(wire.parse_advertise(payload))
        return b""

    async def _advertise_stop(self, _: bytes) -> bytes:
        await self._on.stop_advertising()
        return b""

    async def _services_begin(self, _: bytes) -> bytes:
        self._on.begin_services()
        return b""

    async def _service(self, payload: bytes) -> bytes:
        return self._on.add_service(wire.parse_service(payload))

    async def _services_end(self, _: bytes) -> bytes:
        return b""

    async def _notify(self, payload: bytes) -> bytes:
        number, handle, operation = struct.unpack_from("<HHB", payload)
        if operation == _NOTIFY:
            await self._on.notify(number, handle, payload[5:])
        else:
            self._on.indicate(number, handle, payload[5:])
        return b""

    async def _update(self, payload: bytes) -> bytes:
        (handle,) = struct.unpack_from("<H", payload)
        await self._on.update(handle, payload[2:])
        return b""

    async def _disconnect(self, payload: bytes) -> bytes:
        self._on.disconnect(*struct.unpack("<H", payload))
        return b""
