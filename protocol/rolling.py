"""Rolling ids: who sent a frame and under which counter, told to key holders only.

Owns: id = first 8 bytes of AES-ECB(id key, counter). Must not know: windows, replay rules (the gateway's admission).
"""

import sys
from array import array

from .aes import Block

SIZE = 8
COUNTER_MAX = 0xFFFFFFFF


class RollingIds:
    """The ids of one wearable, for any counter 0..2^32-1."""

    def __init__(self, id_key: bytes) -> None:
        self._aes = Block(id_key)
        self._scratch = bytearray(16)

    def write_id(self, counter: int, buf: bytearray, offset: int) -> None:
        """Write the id of `counter` to buf[offset:offset+8]. Takes no heap on MicroPython."""
        scratch = self._scratch
        for i in range(12):
            scratch[i] = 0
        scratch[12] = (counter >> 24) & 0xFF
        scratch[13] = (counter >> 16) & 0xFF
        scratch[14] = (counter >> 8) & 0xFF
        scratch[15] = counter & 0xFF
        self._aes.encrypt(scratch, scratch)
        for i in range(SIZE):
            buf[offset + i] = scratch[i]

    def id_at(self, counter: int) -> bytes:
        """The id of one counter."""
        out = bytearray(SIZE)
        self.write_id(counter, out, 0)
        return bytes(out)

    def table(self, start: int, count: int) -> "list[bytes]":
        """The ids of `count` counters from `start` on, in one AES call."""
        blocks = bytearray(16 * count)
        for i in range(count):
            counter = start + i
            blocks[16 * i + 12] = (counter >> 24) & 0xFF
            blocks[16 * i + 13] = (counter >> 16) & 0xFF
            blocks[16 * i + 14] = (counter >> 8) & 0xFF
            blocks[16 * i + 15] = counter & 0xFF
        self._aes.encrypt(blocks, blocks)
        return [bytes(blocks[16 * i : 16 * i + SIZE]) for i in range(count)]

    def find(self, rolling_id: bytes, start: int, count: int) -> int:
        """The counter in start..start+count-1 whose id this is, or -1. For hosts: it needs extended slices."""
        return self.find_any({rolling_id}, start, count).get(rolling_id, -1)

    def find_any(self, wanted: "set[bytes]", start: int, count: int) -> "dict[bytes, int]":
        """Which of the wanted ids are those of start..start+count-1: id -> counter. For hosts, as find().

        131,072 ids cost some 6 ms on a desktop processor, nearly all in C, however many are wanted.
        """
        numbers = array("I", range(start, start + count))
        if sys.byteorder == "little":
            numbers.byteswap()  # type: ignore[attr-defined,unused-ignore]  # CPython's array has it
        packed = numbers.tobytes()  # type: ignore[attr-defined,unused-ignore]
        blocks = bytearray(16 * count)
        for i in range(4):
            blocks[12 + i :: 16] = packed[i::4]
        self._aes.encrypt(blocks, blocks)
        # The first half of each block, as the machine's own 64-bit numbers.
        ids = memoryview(blocks).cast("Q")[::2].tolist()
        by_number = {int.from_bytes(rolling_id, sys.byteorder): rolling_id for rolling_id in wanted}
        return {by_number[number]: start + ids.index(number) for number in set(by_number).intersection(ids)}
