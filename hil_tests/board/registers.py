"""The registers a loader's READ_REG and WRITE_REG reach: fuses, and the controller that passes commands to the flash.

Owns what reading and writing an address does. Everything else is memory that keeps what was written.
"""

from __future__ import annotations

from hil_tests.board.chip import Chip

_CMD, _ADDR, _USR2, _W0 = 0x00, 0x04, 0x20, 0x58
_CMD_USR = 1 << 18
_RDID, _SFDP = 0x9F, 0x5A
_WINBOND = 0xEF
_NOR = 0x40


class Registers:
    """`mac`: 6 bytes as printed. `flash_bytes` tells the flash's ID."""

    def __init__(self, chip: Chip, mac: bytes, flash_bytes: int) -> None:
        self._spi = chip.spi
        self._flash_id = _WINBOND | _NOR << 8 | (flash_bytes.bit_length() - 1) << 16
        self._words = {
            chip.efuse_block1: int.from_bytes(mac[2:], "big"),
            chip.efuse_block1 + 4: int.from_bytes(mac[:2], "big"),
            chip.efuse_block1 + 12: chip.package,
        }

    def read(self, address: int) -> int:
        """32 bits."""
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int) -> None:
        """The bits of `mask` only."""
        value = self.read(address) & ~mask | value & mask
        if address == self._spi + _CMD and value & _CMD_USR:
            self._words[self._spi + _W0] = self._command(self.read(self._spi + _USR2) & 0xFF)
            value &= ~_CMD_USR
        self._words[address] = value

    def _command(self, opcode: int) -> int:
        """What the flash answers to a command of its own language; status registers read as idle."""
        if opcode == _RDID:
            return self._flash_id
        if opcode == _SFDP:
            return {0x00: int.from_bytes(b"SFDP", "little"), 0x10: _WINBOND}.get(self.read(self._spi + _ADDR), 0)
        return 0
