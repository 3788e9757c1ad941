"""CRC-32 (IEEE 802.3, zlib's) without heap, as four bytes little endian.

Owns one sum. `binascii.crc32` gives a number beyond 2^30, which on a 32-bit board is an object on the heap: not for
the way from the button to the radio. So this one is kept in two halves of 16 bits, four bits of data at a time.
"""

from array import array

SIZE = 4

_HIGH = array(
    "H",
    [
        0x0000, 0x1DB7, 0x3B6E, 0x26D9, 0x76DC, 0x6B6B, 0x4DB2, 0x5005,
        0xEDB8, 0xF00F, 0xD6D6, 0xCB61, 0x9B64, 0x86D3, 0xA00A, 0xBDBD,
    ],
)  # fmt: skip
_LOW = array(
    "H",
    [
        0x0000, 0x1064, 0x20C8, 0x30AC, 0x4190, 0x51F4, 0x6158, 0x713C,
        0x8320, 0x9344, 0xA3E8, 0xB38C, 0xC2B0, 0xD2D4, 0xE278, 0xF21C,
    ],
)  # fmt: skip


def write(buf, start, end, at):
    """Write the CRC-32 of buf[start:end] to buf[at:at+4]. No heap."""
    high = low = 0xFFFF
    for i in range(start, end):
        for shift in (0, 4):
            n = (low ^ (buf[i] >> shift)) & 15
            low = ((low >> 4) | (high & 15) << 12) ^ _LOW[n]
            high = (high >> 4) ^ _HIGH[n]
    low ^= 0xFFFF
    high ^= 0xFFFF
    buf[at] = low & 0xFF
    buf[at + 1] = low >> 8
    buf[at + 2] = high & 0xFF
    buf[at + 3] = high >> 8


def holds(buf, start, end, at):
    """Whether buf[at:at+4] is the CRC-32 of buf[start:end]."""
    copy = bytearray(buf[start:end]) + bytearray(SIZE)
    write(copy, 0, end - start, end - start)
    return bytes(copy[end - start :]) == bytes(buf[at : at + SIZE])
