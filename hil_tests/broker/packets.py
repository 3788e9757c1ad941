"""MQTT 5 control packets as bytes: where one ends, what kind it is, a PUBLISH built or repeated.

Owns the framing (OASIS MQTT 5.0, sections 2.1 and 3.3). Must not know topics, payloads or connections.
"""

from __future__ import annotations

CONNACK, PUBLISH, PUBACK = 2, 3, 4
_DUP = 0x08


class Packets:
    """Cuts a byte stream into whole packets. What is no MQTT at all comes out in any pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are whole now."""
        self._rest += data
        found = []
        while (size := _size(self._rest)) is not None and len(self._rest) >= size:
            found.append(bytes(self._rest[:size]))
            del self._rest[:size]
        return found


def _size(data: bytearray) -> int | None:
    """Size of the first packet with its header; None while its length has not come whole."""
    size = 0
    for place, byte in enumerate(data[1:5]):
        size |= (byte & 127) << (7 * place)
        if byte < 128:
            return 2 + place + size
    return None if len(data) < 5 else len(data)


def kind(packet: bytes) -> int:
    """The packet's type: 1 CONNECT, 2 CONNACK, 3 PUBLISH, 4 PUBACK ..."""
    return packet[0] >> 4


def again(packet: bytes, *, marked: bool) -> bytes:
    """The same PUBLISH once more; `marked` with DUP, else as if it were another."""
    return bytes([packet[0] | _DUP if marked else packet[0] & ~_DUP]) + packet[1:]


def publish(
    topic: bytes, payload: bytes, *, qos: int = 1, packet_id: int = 1, flags: int = 0, properties: bytes = b"\x00"
) -> bytes:
    """A PUBLISH of any bytes; `flags` are or-ed into the first byte, `properties` come with their own length."""
    body = len(topic).to_bytes(2, "big") + topic
    if qos:
        body += packet_id.to_bytes(2, "big")
    body += properties + payload
    return bytes([PUBLISH << 4 | qos << 1 | flags]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    found = bytearray()
    while True:
        size, byte = size >> 7, size & 127
        found.append(byte | 128 if size else byte)
        if not size:
            return bytes(found)
