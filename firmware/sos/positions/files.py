"""The folder that the trail lies in: closed trails as records, and files that are wholly the old or wholly the new.

Owns the layout of a record and what flash said last. Must not know which record belongs where (store.py).
    record: sequence (4) | number of its event (3) | size (1) | trail | CRC-32 of all, little endian (4)
"""

from binascii import crc32
from os import ilistdir, mkdir, remove, statvfs

BLOCK = 4096
SUM_SIZE = 4
_HEAD_SIZE = 8
# What others may need: so many blocks are left free.
_FREE_LEAST = 10
_ENOENT = 2
_EEXIST = 17


class Record:
    """A trail that is closed, or is written on: `sequence` of its box, `number` of its event (0: of none), `trail`."""

    def __init__(self, sequence, number, trail):
        self.sequence = sequence
        self.number = number
        self.trail = trail

    def pack(self):
        """As it lies in a file."""
        head = self.sequence.to_bytes(4, "big") + self.number.to_bytes(3, "big") + bytes([len(self.trail)])
        return with_sum(head + self.trail)


def sum_of(data):
    """CRC-32 as four bytes. Quick, where sos/crc.py takes no heap: this is no alarm's way."""
    return (crc32(data) & 0xFFFFFFFF).to_bytes(SUM_SIZE, "little")


def with_sum(data):
    """The same with its CRC-32 behind it."""
    return bytes(data) + sum_of(data)


def content(data):
    """What lies before a CRC-32 that is right; b"" where it is not."""
    end = len(data) - SUM_SIZE
    return data[:end] if end > 0 and sum_of(data[:end]) == data[end:] else b""


def records(data):
    """The whole records in a row. One that is rotten is passed over, as long as it knows its own size."""
    at = 0
    while at + _HEAD_SIZE + SUM_SIZE <= len(data) and data[at + 7]:
        end = at + _HEAD_SIZE + data[at + 7]
        if end + SUM_SIZE <= len(data) and content(data[at : end + SUM_SIZE]):
            sequence, number = int.from_bytes(data[at : at + 4], "big"), int.from_bytes(data[at + 4 : at + 7], "big")
            yield Record(sequence, number, bytes(data[at + _HEAD_SIZE : end]))
        at = end + SUM_SIZE


def name_of(sequence):
    """The file of records from this sequence on."""
    return "%08x" % sequence


class Folder:
    """`failed`: flash did not take the last that it was given, or does not give what it has."""

    def __init__(self, flash):
        """`flash`: the folder where flash is mounted; "": it could not be, so nothing is taken."""
        self._path = flash + "/trail" if flash else ""
        self.failed = not flash

    def open(self):
        """Make it, where it is not. Returns the sequences that name files, in order. Raises OSError, which is noted."""
        if not self._path:
            return []
        try:
            self._make()
            return sorted(int(entry[0], 16) for entry in ilistdir(self._path) if _is_number(entry[0]))
        except OSError:
            self.failed = True
            raise

    def _make(self):
        try:
            mkdir(self._path)
        except OSError as error:
            if error.errno != _EEXIST:
                raise

    def room(self):
        """Whether a file may take one more block."""
        try:
            return self._path != "" and statvfs(self._path)[3] >= _FREE_LEAST
        except OSError:
            return False

    def read(self, name):
        """What a file holds; b"" where there is none. Raises OSError, which is noted."""
        if not self._path:
            return b""
        try:
            with open(self._path + "/" + name, "rb") as file:
                return file.read(BLOCK)
        except OSError as error:
            if error.errno == _ENOENT:
                return b""
            self.failed = True
            raise

    def write(self, name, data):
        """All of a file anew. Returns whether flash took it."""
        self.failed = True
        if self._path:
            try:
                with open(self._path + "/" + name, "wb") as file:
                    self.failed = file.write(data) != len(data)
            except OSError:
                self.failed = True
        return not self.failed

    def remove(self, name):
        """No such file is there."""
        try:
            remove(self._path + "/" + name)
        except OSError as error:
            self.failed = self.failed or error.errno != _ENOENT


def _is_number(name):
    return len(name) == 8 and all(letter in "0123456789abcdef" for letter in name)
