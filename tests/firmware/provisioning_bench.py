"""The other half of provisioning in a few lines, over a chip that can lose its power. Runs on MicroPython.

Owns the visit of a tool, a start of the application, and the books of counters that were used: sealing two bodies
under one raises Used. Must not know what is tested.
"""

import os

from nor_chip import Port
from sos import identity, provisioning, start
from sos.counter import Counter
from sos.envelope import Envelope
from sos.ledger import Ledger
from sos.provisioning import Provisioning
from virtual_board import Board, Body

from protocol import codes, rolling
from protocol.frame import BODY_AT, DownSealer, UpOpener, UpSealer
from protocol.keys import derive

RUNS = 8
SALT = b"testonly"


class Used(Exception):
    """A counter has sealed two bodies."""


# Rolling id -> frame, of one history; each cut begins another one.
sealed = {}
# What a run had open is closed when it ends: collected later, its files would write, and this chip takes heap.
_ledgers = []
_seal = UpSealer.seal


def _noting(self, frame_type, counter, buf, size):
    frame_size = _seal(self, frame_type, counter, buf, size)
    key = bytes(buf[1:BODY_AT])  # the rolling id: of one key and one counter
    frame = bytes(buf[:frame_size])
    if sealed.setdefault(key, frame) != frame:
        raise Used(f"counter {counter}")
    return frame_size


def new_ledger():
    _ledgers.append(Ledger())
    return _ledgers[-1]


def close_all():
    while _ledgers:
        _ledgers.pop()._copies.close()


UpSealer.seal = _noting
provisioning.Ledger = start.Ledger = new_ledger


class Bench(Board):
    """A board whose records can be had as a block device, too."""

    def records(self):
        from drivers.steady_flash import SteadyFlash

        return SteadyFlash(Port(self._body.chip))

    def feed(self):
        pass


def keys_of(number):
    return derive(b"test_only_%06d" % number)


class Visit:
    """The tool's half over one board that was just given power."""

    def __init__(self, chip):
        self._board = Bench(Body(chip, keys_of(0), None))
        self.of_device = None
        try:
            self.of_device = Provisioning(self._board)
        except BaseException:
            self.over()
            raise

    def prove(self, keys):
        challenge = os.urandom(16)
        frame = self.of_device.question(challenge)
        counter = next(n for n in range(1 << 20) if rolling_id(keys, n) == frame[1:BODY_AT])
        body = UpOpener(keys.up).open(frame, counter)
        assert body[3:19] == challenge
        return self.of_device.answer(DownSealer(keys.down).seal(codes.ANSWER, counter, SALT, challenge))

    def give(self, keys):
        self.of_device.write(identity.pack(keys))
        assert self.of_device.handle == ""
        assert self.prove(keys)
        assert self.of_device.activate() == keys.handle.hex()

    def over(self):
        """Power goes."""
        self._board.unmount()
        close_all()


def rolling_id(keys, counter):
    buf = bytearray(8)
    rolling.RollingIds(keys.id).write_id(counter, buf, 0)
    return bytes(buf)


def lives(chip):
    """The application's own start and one frame. Returns the handle, "" for none."""
    board = Bench(Body(chip, keys_of(0), None))
    try:
        begun = start.Start(board)
        counter = Counter(begun.ledger)
        counter.start()
        envelope = Envelope(begun.keys, counter)
        for _ in range(3):
            envelope.report(codes.HEARTBEAT, os.urandom(12))
        return begun.keys.handle.hex()
    except identity.NotProvisioned:
        return ""
    finally:
        board.unmount()
        close_all()


def provisioned(chip, number):
    visit = Visit(chip)
    visit.give(keys_of(number))
    visit.over()
    for _ in range(RUNS):
        lives(chip)
