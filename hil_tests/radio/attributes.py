"""A wearable's GATT services as Bumble attributes whose values live in the interpreter.

Owns permissions and handles. Must not know sockets: reading and writing go through the two calls it is given.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bumble import att
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Descriptor, Service

from hil_tests.radio import wire

Read = Callable[[int, int], Awaitable[bytes]]
Write = Callable[[int, int, bytes], Awaitable[None]]

# MicroPython's FLAG_*, which are the Core Specification's characteristic properties (Vol 3 Part G 3.3.1.1).
_READ = 0x0002
_WRITE_NO_RESPONSE = 0x0004
_WRITE = 0x0008
_PROPERTIES = 0xFF
_Permissions = att.Attribute.Permissions
# MicroPython's FLAG_* above the properties. The wearable asks for none of them; a test peripheral may.
_PERMISSIONS = (
    (0x0200, _Permissions.READ_REQUIRES_ENCRYPTION),
    (0x0400, _Permissions.READ_REQUIRES_AUTHENTICATION),
    (0x1000, _Permissions.WRITE_REQUIRES_ENCRYPTION),
    (0x2000, _Permissions.WRITE_REQUIRES_AUTHENTICATION),
)


@dataclass
class Attributes:
    """All registered ones by handle. `read` and `write` ask the firmware: (connection, handle[, value])."""

    read: Read
    write: Write
    by_handle: dict[int, att.Attribute[bytes]] = field(default_factory=dict)

    def build(self, wanted: wire.Service) -> tuple[Service, list[att.Attribute[bytes]]]:
        """The service, and its attributes in the order in which MicroPython wants their handles."""
        characteristics = []
        order: list[att.Attribute[bytes]] = []
        for one in wanted.characteristics:
            descriptors = [self._descriptor(descriptor) for descriptor in one.descriptors]
            characteristic = self._characteristic(one, descriptors)
            characteristics.append(characteristic)
            order += [characteristic, *descriptors]
        return Service(UUID.from_bytes(wanted.uuid), characteristics), order

    def added(self, order: list[att.Attribute[bytes]]) -> bytes:
        """Note the handles the server gave; returns them as the wire carries them."""
        self.by_handle.update({attribute.handle: attribute for attribute in order})
        return struct.pack(f"<{len(order)}H", *(attribute.handle for attribute in order))

    def _characteristic(self, wanted: wire.Attribute, descriptors: list[Descriptor]) -> Characteristic[bytes]:
        properties = Characteristic.Properties(wanted.flags & _PROPERTIES)
        uuid = UUID.from_bytes(wanted.uuid)
        made: Characteristic[bytes] = Characteristic(uuid, properties, _permissions(wanted.flags), b"", descriptors)
        made.value = self._value(made, wanted.flags)
        return made

    def _descriptor(self, wanted: wire.Attribute) -> Descriptor:
        made = Descriptor(UUID.from_bytes(wanted.uuid), _permissions(wanted.flags), b"")
        made.value = self._value(made, wanted.flags)
        return made

    def _value(self, attribute: att.Attribute[bytes], flags: int) -> CharacteristicValue[bytes]:
        """Bumble checks neither of the two plain permissions, and without an ATT error its client waits 30 s."""

        async def read(connection: Connection) -> bytes:
            if not flags & _READ:
                raise att.ATT_Error(att.ATT_READ_NOT_PERMITTED_ERROR, attribute.handle)
            return await self.read(connection.handle, attribute.handle)

        async def write(connection: Connection, value: bytes) -> None:
            if not flags & (_WRITE | _WRITE_NO_RESPONSE):
                raise att.ATT_Error(att.ATT_WRITE_NOT_PERMITTED_ERROR, attribute.handle)
            await self.write(connection.handle, attribute.handle, value)

        return CharacteristicValue(read=read, write=write)


def _permissions(flags: int) -> att.Attribute.Permissions:
    permissions = _Permissions(0)
    if flags & _READ:
        permissions |= _Permissions.READABLE
    if flags & (_WRITE | _WRITE_NO_RESPONSE):
        permissions |= _Permissions.WRITEABLE
    for flag, permission in _PERMISSIONS:
        if flags & flag:
            permissions |= permission
    return permissions
