"""Who this wearable is and its keys: the record that provisioning writes once.

Owns the record's layout; must not know how it got there. Nothing here is ever logged.
    "PAT1" | handle (8) | up (16) | down (16) | id (16) | trail (16) | CRC-32 little endian (4): 80 bytes
"""

from protocol.keys import DeviceKeys

from . import crc

SIZE = 80
FILE = "/identity"
_MAGIC = b"PAT1"


class NotProvisioned(Exception):
    """There is no whole identity: nothing can be sealed."""


def unpack(record):
    """The keys in a record. Raises NotProvisioned when it is not whole."""
    if len(record) != SIZE or record[:4] != _MAGIC or not crc.holds(record, 0, SIZE - 4, SIZE - 4):
        raise NotProvisioned("no whole identity record")
    return DeviceKeys(record[4:12], record[12:28], record[28:44], record[44:60], record[60:76])


def pack(keys):
    """The record of these keys, for provisioning."""
    record = bytearray(_MAGIC + keys.handle + keys.up + keys.down + keys.id + keys.trail + bytes(crc.SIZE))
    crc.write(record, 0, SIZE - 4, SIZE - 4)
    return bytes(record)


def read(folder):
    """The record as it lies in the flash folder, b"" when there is none. Raises OSError when flash cannot be read."""
    try:
        with open(folder + FILE, "rb") as file:
            return file.read(SIZE)
    except OSError as error:
        if error.errno == 2:  # ENOENT
            return b""
        raise
