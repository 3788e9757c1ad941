"""The bytes that must outlive a power cut: next event number, reserved counters, sixteen events.

Owns the layout and the one write that replaces all of it. Must not know what an event means, nor the files
(copies.py). A file fits into littlefs's directory block (boards/contract.py says why), so commit() is one atomic
append: after a cut at any byte the file is wholly the old or wholly the new. Of the two files the later written counts.
Each record has its CRC besides, against whatever littlefs does not see.

    header  "PAL2" | next event number (3) | flags (1) | counters reserved below (4) | commits so far (4) | CRC-32 (4)
    slot    state (1) | kind (1) | number (3) | detail (1) | stage (1) | 0 | power epoch (4)
            | start of the run since power-on, ms (6) | raised since then, ms (4) | 0 0 | CRC-32 (4)
Numbers are big endian, CRCs little endian. State 0: free.
Flags: 1 several ranges of counters are tried (counter.py), 2 the count was lost once.
"""

from . import crc
from .copies import Copies

SLOTS = 16
HEADER_SIZE = 20
SLOT_SIZE = 28
SIZE = HEADER_SIZE + SLOTS * SLOT_SIZE

_MAGIC = b"PAL2"
_SUM_AT = HEADER_SIZE - crc.SIZE
_ANEW = 1
_WAS_LOST = 2


class Ledger:
    """`image` is what commit() writes. `failed`: flash does not take what we give it, so `image` lives in RAM alone."""

    def __init__(self):
        self.image = bytearray(SIZE)
        self.next_number = 1
        self.reserved = 0
        self.failed = True
        # The header could not be read, so where numbers and counters stood is not known.
        self.lost_count = True
        # Several ranges of counters are tried: the count was lost, and nobody has answered.
        self.anew = False
        self.was_lost = False
        # Commits that were tried, in all lives.
        self.written = 0
        self._copies = Copies()
        self._mounted = False

    @property
    def unsound(self):
        """Whether this wearable should be exchanged: flash fails, or has lost one of its two places, or once all."""
        return self.failed or self._copies.worn or self.was_lost

    def begin_anew(self, next_number, first_counter):
        """What was used before is lost; commit() is the caller's."""
        self.anew = self.was_lost = True
        self.set_header(next_number, first_counter)

    def load(self, folder):
        """Read the files in `folder`, made now if this wearable never had them. Whole records are kept, others dropped.

        Raises OSError when flash cannot be read or no file can be made; `image` is then empty.
        """
        self._mounted = True
        found = self._copies.open(folder, SIZE)
        if found == [None, None]:
            self.set_header(1, 0)
            self.lost_count = False
        else:
            self._adopt_latest([image or b"" for image in found])
        self._make([copy for copy, image in enumerate(found) if image is None])
        self.failed = False

    def _adopt_latest(self, images):
        if count_of(images[1]) > count_of(images[0]):
            images.reverse()
        self.adopt(*images)

    def _make(self, missing):
        """Raises OSError when there is none then."""
        for copy in missing:
            try:
                self._copies.make(copy, self.image)
            except OSError:
                if not self._copies.usable and copy == missing[-1]:
                    raise

    def adopt(self, image, other=b""):
        """Take the image of an earlier run in the place of what is there; from `other` what is not whole in it."""
        self.image = bytearray(SIZE)
        self.lost_count = count_of(image) < 0
        self.set_header(1, 0)
        if not self.lost_count:
            self.written = max(self.written, count_of(image))
            self.anew = bool(image[7] & _ANEW)
            self.was_lost = bool(image[7] & _WAS_LOST)
            self.set_header(int.from_bytes(image[4:7], "big"), int.from_bytes(image[8:12], "big"))
        for slot in range(SLOTS):
            for source in (image, other):
                at = slot_at(slot)
                if len(source) < at + SLOT_SIZE or (source[at] and not crc.holds(source, at, at + 24, at + 24)):
                    continue
                if source[at]:
                    self.image[at : at + SLOT_SIZE] = source[at : at + SLOT_SIZE]
                break

    def set_header(self, next_number, reserved):
        """Set what the header says; commit() makes it last. No heap."""
        image = self.image
        self.next_number = next_number
        self.reserved = reserved
        for i in range(4):
            image[i] = _MAGIC[i]
            image[8 + i] = (reserved >> (24 - 8 * i)) & 0xFF
            image[12 + i] = (self.written >> (24 - 8 * i)) & 0xFF
        image[7] = (_ANEW if self.anew else 0) | (_WAS_LOST if self.was_lost else 0)
        for i in range(3):
            image[4 + i] = (next_number >> (16 - 8 * i)) & 0xFF
        crc.write(image, 0, _SUM_AT, _SUM_AT)

    def commit(self):
        """Make the image last; return whether flash took it. A failing flash is noted and stops nobody. No heap."""
        self.written += 1
        self.set_header(self.next_number, self.reserved)
        self.failed = not self._copies.write(self.image)
        return not self.failed

    def mirror(self):
        """When there is time: what was committed into the other file, too."""
        if not self.failed:
            self._copies.mirror(self.image)

    def reopen(self, mount):
        """After a failure, or a start that could not open it: open the files anew and write the image.

        `mount()` mounts flash where the start could not. Returns whether flash took it.
        """
        self._copies.close()
        try:
            if not self._mounted:
                self._copies.folder = mount()
                self._mounted = True
            found = self._copies.open(self._copies.folder, SIZE)
            self._make([copy for copy, image in enumerate(found) if image is None])
        except OSError:
            return False
        return self.commit()


def count_of(image):
    """How many commits an image counts, -1 when its header is not whole."""
    if len(image) < HEADER_SIZE or image[:4] != _MAGIC or not crc.holds(image, 0, _SUM_AT, _SUM_AT):
        return -1
    return int.from_bytes(image[12:16], "big")


def slot_at(slot):
    """Where a slot begins in the image."""
    return HEADER_SIZE + SLOT_SIZE * slot
