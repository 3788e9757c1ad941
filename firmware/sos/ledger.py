"""The bytes that must outlive a power cut: next event number, reserved counters, sixteen events. One file.

Owns the layout and the one write that replaces all of it. Must not know what an event means. The file fits into
littlefs's directory block (boards/contract.py says why), so commit() is one atomic append: after a cut at any byte
the file is wholly the old or wholly the new. Each record has its CRC besides, against whatever littlefs does not see.

    header  "PAL1" | next event number (3) | 0 | counters reserved below (4) | CRC-32 (4)
    slot    state (1) | kind (1) | number (3) | detail (1) | stage (1) | 0 | power epoch (4)
            | start of the run since power-on, ms (6) | raised since then, ms (4) | 0 0 | CRC-32 (4)
Numbers are big endian, CRCs little endian. State 0: free.
"""

from os import rename, stat

from . import crc

SLOTS = 16
HEADER_SIZE = 16
SLOT_SIZE = 28
SIZE = HEADER_SIZE + SLOTS * SLOT_SIZE

_MAGIC = b"PAL1"
_NAME = "/ledger"
_NEW = "/ledger.new"
_ENOENT = 2
_EIO = 5


class Ledger:
    """`image` is what commit() writes. `failed`: flash does not take what we give it, so `image` lives in RAM alone."""

    def __init__(self):
        self.image = bytearray(SIZE)
        self.next_number = 1
        self.reserved = 0
        self.failed = True
        # The header could not be read, so where numbers and counters stood is not known.
        self.lost_count = True
        self._file = None
        self._folder = None

    def load(self, folder):
        """Read the file in `folder`, made now if this wearable never had one. Whole records are kept, others dropped.

        Raises OSError when flash cannot be read or the file cannot be made; `image` is then empty.
        """
        self._folder = folder
        if not self._exists():
            self.set_header(1, 0)
            self._make()
        self._file = open(folder + _NAME, "r+b")
        self.adopt(self._file.read(SIZE))
        self.failed = False

    def adopt(self, image):
        """Take the image of an earlier run, from flash or from RTC memory, in the place of what is there."""
        self.image = bytearray(SIZE)
        whole = len(image) >= HEADER_SIZE and image[:4] == _MAGIC and crc.holds(image, 0, 12, 12)
        self.lost_count = not whole
        self.set_header(1, 0)
        if whole:
            self.set_header(int.from_bytes(image[4:7], "big"), int.from_bytes(image[8:12], "big"))
        for slot in range(SLOTS):
            at = slot_at(slot)
            if len(image) >= at + SLOT_SIZE and image[at] and crc.holds(image, at, at + 24, at + 24):
                self.image[at : at + SLOT_SIZE] = image[at : at + SLOT_SIZE]

    def set_header(self, next_number, reserved):
        """Set what the header says; commit() makes it last. No heap."""
        image = self.image
        self.next_number = next_number
        self.reserved = reserved
        for i in range(4):
            image[i] = _MAGIC[i]
            image[8 + i] = (reserved >> (24 - 8 * i)) & 0xFF
        for i in range(3):
            image[4 + i] = (next_number >> (16 - 8 * i)) & 0xFF
        crc.write(image, 0, 12, 12)

    def commit(self):
        """Make the image last; return whether flash took it. A failing flash is noted and stops nobody. No heap."""
        self.failed = True
        if self._file is None:
            return False
        try:
            self._file.seek(0)
            # The whole of it, always: after an error littlefs says "done" to a flush() that follows no new write().
            written = self._file.write(self.image)
            self._file.flush()
            self.failed = written != SIZE
        except OSError:
            pass  # noted above
        return not self.failed

    def reopen(self, mount):
        """After a failure, or a start that could not open it: open the file anew and write the image.

        `mount()` mounts flash where the start could not. Returns whether flash took it. Nothing an old file object
        holds in RAM is relied on.
        """
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            pass  # it was broken before
        self._file = None
        try:
            if self._folder is None:
                self._folder = mount()
            if not self._exists():
                self._make()
            self._file = open(self._folder + _NAME, "r+b")
        except OSError:
            return False
        return self.commit()

    def _exists(self):
        try:
            stat(self._folder + _NAME)
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            return False
        return True

    def _make(self):
        with open(self._folder + _NEW, "wb") as file:
            if file.write(self.image) != SIZE:
                raise OSError(_EIO)
        rename(self._folder + _NEW, self._folder + _NAME)


def slot_at(slot):
    """Where a slot begins in the image."""
    return HEADER_SIZE + SLOT_SIZE * slot
