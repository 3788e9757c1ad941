"""The serial loader of an ESP32: its ROM's commands, and those of esptool's stub once it has been put into RAM.

Owns the protocol (Espressif's "Serial Protocol" and what esptool sends). The stub is not executed: when a whole program
has been loaded and entered, its commands are answered. Must not know wires; packets in, packets out.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

from hil_tests.board.chip import Chip
from hil_tests.board.flash import SECTOR, Flash
from hil_tests.board.registers import Registers
from hil_tests.board.writing import Writing

_SYNC = b"\x07\x07\x12\x20" + b"\x55" * 32
_SYNC_ANSWERS = 8
_ROM_SYNC_VALUE = 0x20120707
_CHECKED = (0x03, 0x07, 0x11)
_OK, _BAD_MESSAGE, _FAILED, _BAD_CHECKSUM = 0, 0x05, 0x06, 0x07
_SLOW_READ = 64


class Failed(Exception):
    """The command ends with this status."""

    def __init__(self, code: int = _FAILED) -> None:
        super().__init__(code)
        self.code = code


class Loader:
    """`send`: one packet to the host. `leave`: the chip resets; True: into its ROM loader again."""

    def __init__(
        self,
        chip: Chip,
        registers: Registers,
        flash: Flash,
        send: Callable[[bytes], None],
        leave: Callable[[bool], None],
    ) -> None:
        self.stub = False
        self.baud = 115200
        self._chip = chip
        self._registers = registers
        self._flash = flash
        self._send = send
        self._leave = leave
        self._writing = Writing(flash)
        self._ram: list[tuple[int, int]] = []
        self._loading = (0, 0)
        self._reading: Reading | None = None
        self._commands: dict[int, Callable[[bytes], bytes | int]] = {
            0x02: self._flash_begin,
            0x03: self._flash_data,
            0x04: self._flash_end,
            0x05: self._mem_begin,
            0x06: self._mem_end,
            0x07: self._mem_data,
            0x08: lambda _data: _ROM_SYNC_VALUE if not self.stub else 0,
            0x09: self._write_register,
            0x0A: lambda data: self._registers.read(_words(data, 1)[0]),
            0x0B: lambda _data: b"",
            0x0D: lambda _data: b"",
            0x0E: self._read_slow,
            0x0F: self._change_baud,
            0x10: self._deflated_begin,
            0x11: self._flash_data,
            0x12: self._flash_end,
            0x13: self._md5,
            0x14: self._security_info,
        }
        self._of_stub: dict[int, Callable[[bytes], bytes | int]] = {
            0xD0: lambda _data: self._erase(0, self._flash.size),
            0xD1: lambda data: self._erase(*_words(data, 2)),
            0xD2: self._read_begin,
        }

    def take(self, packet: bytes) -> None:
        """One packet of the host. Raises faults.Cut when the power goes within it."""
        self.idle()
        if self._reading is not None:
            self._reading.acknowledged(packet)
            if self._reading.whole:
                self._reading = None
            return
        if len(packet) < 8 or packet[0] != 0:
            return
        _, code, size, checksum = struct.unpack_from("<BBHI", packet)
        data = packet[8:]
        command = self._commands.get(code) or (self._of_stub.get(code) if self.stub else None)
        if len(data) != size or command is None:
            self._answer(code, 0, b"", _BAD_MESSAGE)
        elif code in _CHECKED and _checksum(data[16:]) != checksum:
            self._answer(code, 0, b"", _BAD_CHECKSUM)
        else:
            self._run(code, data, command)

    def idle(self) -> None:
        """Nothing comes: the stub writes what it has acknowledged. Raises faults.Cut."""
        self._writing.catch_up()

    def _run(self, code: int, data: bytes, command: Callable[[bytes], bytes | int]) -> None:
        try:
            result = command(data)
        except Failed as failed:
            self._answer(code, 0, b"", failed.code)
            return
        value, body = (result, b"") if isinstance(result, int) else (0, result)
        for _ in range(_SYNC_ANSWERS if code == 0x08 else 1):
            self._answer(code, value, body)
        self._after(code, data)

    def _after(self, code: int, data: bytes) -> None:
        """What a command does once it has been answered."""
        if code == 0x06 and _words(data, 2)[1] and self._entered(_words(data, 2)[1]):
            self.stub = True
            self._send(b"OHAI")
        elif code == 0xD2 and self._reading is not None:
            self._reading.fill()
        elif code in (0x04, 0x12) and (not self.stub or _words(data, 1)[0] == 0):
            # The ROM runs the flash's program in any case; the stub goes back to where it came from.
            self._leave(self.stub)

    def _answer(self, code: int, value: int, body: bytes, status: int = _OK) -> None:
        told = bytes([1, status]) if status else b"\0\0"
        body += told if self.stub else told + b"\0\0"
        self._send(struct.pack("<BBHI", 1, code, len(body), value) + body)

    def _mem_begin(self, data: bytes) -> bytes:
        size, _blocks, _block, offset = _words(data, 4)
        self._loading = offset, offset + size
        return b""

    def _mem_data(self, data: bytes) -> bytes:
        at, end = self._loading
        at += _words(data, 1)[0]
        if at > end:
            raise Failed
        self._loading = at, end
        if at == end:
            self._ram.append((end - _words(data, 1)[0], end))
        return b""

    def _mem_end(self, _data: bytes) -> bytes:
        return b""

    def _entered(self, entry: int) -> bool:
        """Code was loaded, all of it, and the entry lies in the memory that code runs from (IRAM of either chip)."""
        at, end = self._loading
        return bool(self._ram) and at == end and 0x40370000 <= entry < 0x403E0000

    def _flash_begin(self, data: bytes) -> bytes:
        size, _blocks, _block, offset = _words(data, 4)
        self._begin(offset, size, deflated=False)
        return b""

    def _deflated_begin(self, data: bytes) -> bytes:
        size, _blocks, _block, offset = _words(data, 4)
        self._begin(offset, size, deflated=True)
        return b""

    def _begin(self, offset: int, size: int, *, deflated: bool) -> None:
        if offset + size > self._flash.size:
            raise Failed
        self._writing.begin(offset, size, deflated=deflated, late=self.stub)

    def _flash_data(self, data: bytes) -> bytes:
        if not self._writing.take(data[16 : 16 + _words(data, 1)[0]]):
            raise Failed
        return b""

    def _flash_end(self, _data: bytes) -> bytes:
        self.idle()
        return b""

    def _erase(self, offset: int, size: int) -> bytes:
        if offset % SECTOR or size % SECTOR or offset + size > self._flash.size:
            raise Failed
        self._flash.erase(offset, size)
        return b""

    def _md5(self, data: bytes) -> bytes:
        digest = self._flash.md5(*_words(data, 2))
        return digest if self.stub else digest.hex().encode()

    def _read_slow(self, data: bytes) -> bytes:
        offset, size = _words(data, 2)
        if size > _SLOW_READ:
            raise Failed
        return self._flash.read(offset, size).ljust(_SLOW_READ, b"\0")

    def _read_begin(self, data: bytes) -> bytes:
        offset, size, block, ahead = _words(data, 4)
        if offset + size > self._flash.size:
            raise Failed
        self._reading = Reading(self._flash.read(offset, size), block, ahead, self._send)
        return b""

    def _change_baud(self, data: bytes) -> bytes:
        self.baud = _words(data, 1)[0]
        return b""

    def _security_info(self, _data: bytes) -> bytes:
        return bytes(12) + struct.pack("<II", self._chip.chip_id, 0)

    def _write_register(self, data: bytes) -> bytes:
        for at in range(0, len(data) - 15, 16):
            address, value, mask, _delay = struct.unpack_from("<IIII", data, at)
            self._registers.write(address, value, mask)
        return b""


class Reading:
    """The stub's answer to READ_FLASH: blocks, at most `ahead` of them unacknowledged, then the MD5 of all."""

    def __init__(self, data: bytes, block: int, ahead: int, send: Callable[[bytes], None]) -> None:
        self._data = data
        self._block = block
        self._ahead = ahead * block
        self._send = send
        self._sent = 0
        self.whole = False

    def acknowledged(self, packet: bytes) -> None:
        """The host has so many bytes."""
        if len(packet) == 4:
            self.fill(_words(packet, 1)[0])

    def fill(self, received: int = 0) -> None:
        """Send on."""
        while self._sent < len(self._data) and self._sent - received < self._ahead:
            self._send(self._data[self._sent : self._sent + self._block])
            self._sent += self._block
        if received >= len(self._data):
            self._send(hashlib.md5(self._data, usedforsecurity=False).digest())
            self.whole = True


def _words(data: bytes, count: int) -> tuple[int, ...]:
    if len(data) < 4 * count:
        raise Failed(_BAD_MESSAGE)
    return struct.unpack_from(f"<{count}I", data)


def _checksum(data: bytes) -> int:
    state = 0xEF
    # All bytes folded onto one another, a half at a time: a loop over them would be most of the bench's work.
    while len(data) > 64:
        half = len(data) // 2
        low, high, odd = data[:half], data[half : 2 * half], data[2 * half :]
        data = (int.from_bytes(low, "big") ^ int.from_bytes(high, "big")).to_bytes(half, "big") + odd
    for byte in data:
        state ^= byte
    return state
