"""SLIP as the ESP32 loaders speak it (RFC 1055 framing). Owns framing; must not know what a packet means."""

from __future__ import annotations

END = 0xC0
_ESCAPE = 0xDB
_END = bytes([END])


def frame(packet: bytes) -> bytes:
    """One packet as it goes over the wire."""
    return _END + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + _END


class Reader:
    """Packets out of bytes as they come. What is no packet is dropped, as the ROM does."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that `data` completes."""
        *whole, self._rest = (self._rest + data).split(_END)
        return [packet for packet in map(_unescaped, whole) if packet]

    def reset(self) -> None:
        """Forget a packet half received."""
        self._rest = b""


def _unescaped(raw: bytes) -> bytes:
    if _ESCAPE not in raw:
        return raw
    return raw.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
