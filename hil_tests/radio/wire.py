"""The wire between an interpreter's `bluetooth` and the radio process. Owns the codes and layouts, no more.

The other ends are hil_tests/micropython/variant/radio_link.c with modbluetooth_radio.c, and shim/bluetooth.py.
A connection begins with one line, `wearable NAME`. Then, both ways: size of what follows (u16) | code (u8) |
payload. Numbers are little endian; addresses are written as people read them, most significant byte first.
"""

from __future__ import annotations

import asyncio
import enum
import struct
from dataclasses import dataclass

HELLO_WORD = b"wearable"
REPLY = 0x80
AS_BEFORE = 0xFF
UUID_SIZES = (2, 4, 16)
_NAME_MOST = 100


class Command(enum.IntEnum):
    """From the interpreter. Those of `REPLIED` are answered with REPLY: errno (u8), then their result."""

    INIT = 0x01
    DEINIT = 0x02
    ADVERTISE = 0x03
    ADVERTISE_STOP = 0x04
    SERVICES_BEGIN = 0x05
    SERVICE = 0x06
    SERVICES_END = 0x07
    NOTIFY = 0x08
    UPDATE = 0x09
    DISCONNECT = 0x0A
    MTU = 0x0B
    NAME = 0x0C
    ADDRESS_MODE = 0x0D
    ANSWER_WRITE = 0x50
    ANSWER_READ = 0x51


REPLIED = frozenset(
    {
        Command.INIT,
        Command.DEINIT,
        Command.SERVICES_BEGIN,
        Command.SERVICE,
        Command.SERVICES_END,
        Command.ADDRESS_MODE,
    }
)


class Event(enum.IntEnum):
    """To the interpreter."""

    CONNECTED = 0x41
    DISCONNECTED = 0x42
    WRITE = 0x43
    READ = 0x44
    MTU = 0x45
    CONNECTION_UPDATED = 0x46
    INDICATED = 0x47


class Broken(Exception):
    """The interpreter sent what this wire does not know."""


@dataclass(frozen=True)
class Advertise:
    """One `gap_advertise`. None for data or response: as in the last one."""

    connectable: bool
    interval_us: int
    data: bytes | None
    response: bytes | None


@dataclass(frozen=True)
class Attribute:
    """A characteristic or descriptor to register. `uuid` little endian, 2, 4 or 16 bytes; `flags` as MicroPython's."""

    uuid: bytes
    flags: int
    descriptors: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Service:
    """A service to register."""

    uuid: bytes
    characteristics: tuple[Attribute, ...]


def frame(code: int, payload: bytes) -> bytes:
    """One frame, ready for the socket."""
    return struct.pack("<HB", len(payload) + 1, code) + payload


async def read_name(reader: asyncio.StreamReader) -> str:
    """The first line. Raises Broken, or IncompleteReadError when the other end goes."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise Broken("no hello line") from error
    word, _, name = line.rstrip(b"\n").partition(b" ")
    if word != HELLO_WORD or not name or len(name) > _NAME_MOST:
        raise Broken(f"not a hello: {line[:40]!r}")
    return name.decode("utf-8", "replace")


async def read_frame(reader: asyncio.StreamReader) -> tuple[Command, bytes]:
    """The next command and its payload. Raises Broken, or IncompleteReadError when the other end goes."""
    (size,) = struct.unpack("<H", await reader.readexactly(2))
    if size < 1:
        raise Broken("empty frame")
    body = await reader.readexactly(size)
    try:
        return Command(body[0]), body[1:]
    except ValueError as error:
        raise Broken(f"unknown command {body[0]:#04x}") from error


def parse_advertise(payload: bytes) -> Advertise:
    """The payload of ADVERTISE."""
    connectable, interval_us, data_size, response_size = struct.unpack_from("<BIBB", payload)
    at = 7
    data = response = None
    if data_size != AS_BEFORE:
        data = payload[at : at + data_size]
        at += data_size
    if response_size != AS_BEFORE:
        response = payload[at : at + response_size]
    return Advertise(bool(connectable), interval_us, data, response)


def parse_service(payload: bytes) -> Service:
    """The payload of SERVICE: an attribute, a count of characteristics, each with its descriptors behind it."""
    service, at = _attribute(payload, 0)
    count = payload[at]
    at += 1
    characteristics = []
    for _ in range(count):
        characteristic, at = _attribute(payload, at)
        descriptors = []
        descriptor_count = payload[at]
        at += 1
        for _ in range(descriptor_count):
            descriptor, at = _attribute(payload, at)
            descriptors.append(descriptor)
        characteristics.append(Attribute(characteristic.uuid, characteristic.flags, tuple(descriptors)))
    return Service(service.uuid, tuple(characteristics))


def _attribute(payload: bytes, at: int) -> tuple[Attribute, int]:
    size = payload[at]
    if size not in UUID_SIZES:
        raise Broken(f"a UUID of {size} bytes")
    end = at + 1 + size
    (flags,) = struct.unpack_from("<H", payload, end)
    return Attribute(payload[at + 1 : end], flags), end + 2


def address(little_endian: bytes, *, public: bool) -> bytes:
    """An address as the wire carries it: its type (0 public, 1 random), then as people read it."""
    return bytes([0 if public else 1]) + little_endian[::-1]
