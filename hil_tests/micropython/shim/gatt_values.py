"""What `bluetooth.py` keeps of services: UUIDs, and values as the board's attribute database keeps them.

Owns truncation and appending. Must not know the radio.
"""

import binascii
import struct

_VALUE_MOST = 20  # MICROPY_PY_BLUETOOTH_DEFAULT_ATTR_LEN


class UUID:
    """From a number (16 bits), text with dashes (128 bits) or little-endian bytes."""

    def __init__(self, value):
        if isinstance(value, int):
            self.little_endian = struct.pack("<H", value)
        elif isinstance(value, str):
            self.little_endian = bytes(reversed(binascii.unhexlify(value.replace("-", ""))))
        else:
            self.little_endian = bytes(value)
        if len(self.little_endian) not in (2, 4, 16):
            raise ValueError("invalid UUID")

    def __eq__(self, other):
        return isinstance(other, UUID) and self.little_endian == other.little_endian

    def __hash__(self):
        return hash(self.little_endian)

    def __repr__(self):
        return "UUID(0x%s)" % binascii.hexlify(bytes(reversed(self.little_endian))).decode()


class Value:
    """One attribute's value: at most `room` bytes of what the other end writes."""

    def __init__(self):
        self.data = b""
        self.room = _VALUE_MOST
        self.append = False

    def written(self, data):
        self.data = ((self.data if self.append else b"") + data)[: self.room]

    def taken(self):
        data = self.data
        if self.append:
            self.data = b""
        return data
