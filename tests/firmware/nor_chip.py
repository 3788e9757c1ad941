"""A flash chip as it is when power fails: bits programmed one way only, half-programmed pages, cells that waver.

Owns the chip, the record of what was done to it, and every way an operation can be left half done. Must not know file
systems. Runs on MicroPython. Programming can only turn 1 to 0, as NOR flash does; erasing sets a whole block. A cell
whose programming or erasing was broken off may read differently each time until it is erased or programmed again.
"""

import random

BLOCK = 4096
PAGE = 256
_EIO = 5
_ERASED = b"\xff" * BLOCK

PROGRAM = 0
ERASE = 1


class Chip:
    """`data`; `weak`: address -> bits that read at random. `worn`: blocks that take nothing any more.

    `done`: where not None, each operation is noted there as (PROGRAM or ERASE, address, bytes, note()) before it is
    carried out. `dead`: nothing works.
    """

    def __init__(self, blocks, data=None, weak=None, worn=()):
        self.blocks = blocks
        self.data = bytearray(b"\xff" * (BLOCK * blocks)) if data is None else bytearray(data)
        self.weak = dict(weak) if weak else {}
        self.worn = worn
        self.dead = False
        self.done = None
        self.note = None
        self.erases = {}

    def read(self, at, buf):
        """Fill `buf` from `at` on; what wavers, wavers."""
        if self.dead:
            raise OSError(_EIO)
        end = at + len(buf)
        buf[:] = self.data[at:end]
        for address, bits in self.weak.items():
            if at <= address < end:
                buf[address - at] ^= bits & random.getrandbits(8)

    def program(self, at, new):
        """Turn bits to 0, without a look at what was there."""
        self._begin(PROGRAM, at, new)
        if at // BLOCK not in self.worn:
            program(self.data, self.weak, at, new)

    def erase(self, block):
        """Turn all bits of a block to 1."""
        self._begin(ERASE, block * BLOCK, _ERASED)
        self.erases[block] = self.erases.get(block, 0) + 1
        if block not in self.worn:
            erase(self.data, self.weak, block * BLOCK)

    def _begin(self, what, at, new):
        if self.dead:
            raise OSError(_EIO)
        if self.done is not None:
            self.done.append((what, at, bytes(new), self.note() if self.note is not None else None))


class Port:
    """The chip as one run of the interpreter has it, by MicroPython's extended block protocol."""

    def __init__(self, chip):
        self._chip = chip

    def cut(self):
        """The run is over: what its file objects still write when they are closed goes into a chip of no account.

        (A file that was opened for writing counts as changed, for the time of its change is: closing it writes.)
        """
        self._chip = Chip(self._chip.blocks, self._chip.data)

    def readblocks(self, block, buf, offset=0):
        self._chip.read(block * BLOCK + offset, buf)

    def writeblocks(self, block, buf, offset=0):
        self._chip.program(block * BLOCK + offset, buf)

    def ioctl(self, operation, argument):
        if operation == 4:
            return self._chip.blocks
        if operation == 5:
            return BLOCK
        if operation == 6:
            self._chip.erase(argument)
        return 0


def program(data, weak, at, new):
    """As the chip does it. What is programmed to 0 does not waver any more."""
    for i in range(len(new)):
        byte = new[i]
        if byte != 0xFF:
            data[at + i] &= byte
    if weak:
        _firm(weak, at, new)


def _firm(weak, at, new):
    for i in range(len(new)):
        if at + i in weak:
            weak[at + i] &= new[i]


def erase(data, weak, at):
    """As the chip does it."""
    data[at : at + BLOCK] = _ERASED
    for address in [address for address in weak if at <= address < at + BLOCK]:
        del weak[address]


# ---- power goes in the middle ----


def _random_byte(share):
    """A byte whose bits are 1 with a chance of about `share` quarters."""
    a, b = random.getrandbits(8), random.getrandbits(8)
    return (0, a & b, a, a | b, 0xFF)[share]


def _both(was, new, size):
    """The first `size` bytes as programming leaves them."""
    return bytes(was[i] & new[i] for i in range(size))


def _prefix(data, _weak, at, new, was):
    """The first bytes are done, the rest untouched."""
    size = random.getrandbits(16) % len(new)
    data[at : at + size] = _both(was, new, size)


def _bits(data, weak, at, new, was, page, share, wavering):
    """Up to `page` all is done; in it each bit is done with a chance of `share` quarters, or wavers if it is to."""
    begin = page * PAGE
    data[at : at + begin] = _both(was, new, begin)
    for i in range(begin, min(begin + PAGE, len(new))):
        change = was[i] & ~new[i] & 0xFF
        if not change:
            continue
        done = change & _random_byte(share)
        data[at + i] = was[i] & ~done
        left = change & ~done & _random_byte(2) if wavering else 0
        if left:
            weak[at + i] = left


def _page_of(new):
    return random.getrandbits(8) % ((len(new) + PAGE - 1) // PAGE)


def _some_done(data, weak, at, new, was):
    _bits(data, weak, at, new, was, _page_of(new), random.getrandbits(2) + 1, False)


def _some_waver(data, weak, at, new, was):
    _bits(data, weak, at, new, was, _page_of(new), random.getrandbits(2), True)


def _garbage(data, _weak, at, new, was):
    """The page holds anything, also where nothing was to be programmed."""
    begin = _page_of(new) * PAGE
    data[at : at + begin] = _both(was, new, begin)
    for i in range(begin, min(begin + PAGE, len(new))):
        data[at + i] = was[i] & _random_byte(2)


def _nearly(data, weak, at, new, was):
    """All is done, but one to three cells waver: the next reading may find it whole, and the one after not."""
    data[at : at + len(new)] = _both(was, new, len(new))
    _waver(weak, at, new, was)


def _hardly(_data, weak, at, new, was):
    """Nothing is done, but one to three cells waver."""
    _waver(weak, at, new, was)


def _waver(weak, at, new, was):
    changing = [i for i in range(len(new)) if was[i] & ~new[i] & 0xFF]
    for _ in range(1 + random.getrandbits(8) % 3):
        if changing:
            i = random.choice(changing)
            change = was[i] & ~new[i] & 0xFF
            bits = [bit for bit in range(8) if change >> bit & 1]
            weak[at + i] = 1 << random.choice(bits)


def _erase_prefix(data, _weak, at):
    size = 1 + random.getrandbits(16) % (BLOCK - 1)
    data[at : at + size] = _ERASED[:size]


def _erase_some(data, _weak, at):
    """Each 0 has become a 1, or not."""
    share = 1 + random.getrandbits(8) % 3
    for i in range(at, at + BLOCK):
        if data[i] != 0xFF:
            data[i] |= _random_byte(share)


def _erase_garbage(data, _weak, at):
    for i in range(at, at + BLOCK):
        data[i] = random.getrandbits(8)


def _erase_wavering(data, weak, at):
    for i in range(at, at + BLOCK):
        if data[i] != 0xFF:
            left = ~data[i] & _random_byte(1)
            data[i] |= _random_byte(3)
            if left:
                weak[i] = left & 0xFF


def _erase_nearly(data, weak, at):
    was = [i for i in range(at, at + BLOCK) if data[i] != 0xFF]
    data[at : at + BLOCK] = _ERASED
    for _ in range(3):
        if was:
            weak[random.choice(was)] = 1 << random.getrandbits(8) % 8


def _erase_hardly(data, weak, at):
    was = [i for i in range(at, at + BLOCK) if data[i] != 0xFF]
    for _ in range(3):
        if was:
            i = random.choice(was)
            weak[i] = (~data[i] & 0xFF) & (1 << random.getrandbits(8) % 8)


# Where much is left to chance, twice.
_PROGRAM_CUTS = (_prefix, _some_done, _garbage, _some_waver, _nearly) * 2 + (_hardly,)
_ERASE_CUTS = (_erase_prefix, _erase_some, _erase_garbage, _erase_wavering, _erase_nearly, _erase_hardly)


def ways(operation):
    """The names of all the ways to be cut in an operation: before it, so many in the middle, after it."""
    what, middle = ("erase", _ERASE_CUTS) if operation[0] == ERASE else ("program", _PROGRAM_CUTS)
    names = [cut.__name__.replace("_erase", "").replace("_", " ") for cut in middle]
    return [what + " before"] + [what + name for name in names] + [what + " after"]


def cut(chip, operation, way):
    """Leave `chip`, which is as it was before `operation`, as a cut leaves it; `way` is an index into ways()."""
    what, at, new, _ = operation
    middle = _PROGRAM_CUTS if what == PROGRAM else _ERASE_CUTS
    if way == 0 or at // BLOCK in chip.worn:
        return
    if way > len(middle):
        do(chip, operation)
    elif what == ERASE:
        middle[way - 1](chip.data, chip.weak, at)
    else:
        middle[way - 1](chip.data, chip.weak, at, new, bytes(chip.data[at : at + len(new)]))


def do(chip, operation):
    """Carry the operation out on `chip`."""
    what, at, new, _ = operation
    if at // BLOCK in chip.worn:
        return
    if what == ERASE:
        erase(chip.data, chip.weak, at)
    else:
        program(chip.data, chip.weak, at, new)
