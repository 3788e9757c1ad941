"""Gives this wearable its identity, by a cable: the half that runs here. `pingan provision` is the other.

Owns the order of what is written, so that a cut at any point leaves the old identity, none, or a new one that was
proved. In no image: the tool sends this file over the raw prompt of a development build and calls it there. Says
handles, sealed frames and numbers, never a key. Must not know the tool.

    write()     new keys beside the old identity; the old one goes; ledger and counter begin anew, for no key before
                these used them; the next frame is the new keys' first
    resume()    the identity that is there already is to be proved: its ledger and counter go on
    question()  a frame under the next counter, sealed by the envelope that seals alarms; it proves up, id and trail
    answer()    opens what the other half sealed for that counter; it proves down
    activate()  only then: one rename
"""

import os

import vfs

from protocol import codes
from protocol.ccm import TAG_SIZE
from protocol.frame import BODY_AT, DownOpener
from protocol.keys import hmac_sha256
from protocol.messages import pack_result
from sos import identity
from sos.counter import Counter
from sos.envelope import Envelope
from sos.ledger import SIZE, SLOTS, Ledger, count_of, slot_at

NEW = "/identity.new"
CHALLENGE_SIZE = 16
PROOF_SIZE = 8

_LEDGERS = ("/ledger", "/ledger.new", "/second/ledger", "/second/ledger.new")
_ENOENT = 2
_EIO = 5
# A tool that goes away leaves a board at its prompt: it restarts by itself then.
_ALONE_MS = 60000

# Operations of MicroPython's block device protocol.
_BLOCK_COUNT = 4
_BLOCK_SIZE = 5
_ERASE = 6
# As the boards mount it (boards/contract.py).
_READ_SIZE = 32
_PROGRAM_SIZE = 128
# Stands in the last block while a partition that never held anything is being formatted.
_MARK = b"PAF1 a blank partition of records is being formatted"


class Provisioning:
    """One visit of the tool. Raises OSError where flash fails; `handle` names the identity that is active, or ""."""

    def __init__(self, board):
        self._board = board
        board.watchdog(_ALONE_MS)
        self._folder = _mount(board)
        self._envelope = self._keys = None
        self._proved = False
        self.handle = self._handle(identity.FILE)

    def waiting(self):
        """How many events of the active identity are in its ledger: they go with it."""
        newest = max([_read(self._folder + name) for name in _LEDGERS], key=count_of)
        if count_of(newest) < 0 or len(newest) != SIZE:
            return 0
        return sum([newest[slot_at(slot)] != 0 for slot in range(SLOTS)])

    def write(self, record):
        """Write a new identity beside the old one, which goes. Raises NotProvisioned for a record that is not whole."""
        identity.unpack(record)
        self._board.feed()
        with open(self._folder + NEW, "wb") as file:
            if file.write(record) != len(record):
                raise OSError(_EIO)
        if _read(self._folder + NEW) != record:
            raise OSError(_EIO)
        # RTC memory may hold the old one, too, and would give it back at the next start.
        self._board.rtc_store(b"")
        # In this order: counters that begin anew are for no key that has used some.
        _remove(self._folder + identity.FILE)
        for name in _LEDGERS:
            _remove(self._folder + name)
        self.handle = ""
        self._begin(NEW)

    def resume(self):
        """The identity that is active is to be proved."""
        self._board.feed()
        self._begin(identity.FILE)

    def question(self, challenge):
        """A sealed frame that says `challenge` and proves the trail key by it."""
        self._challenge = challenge
        proof = hmac_sha256(self._keys.trail, challenge)[:PROOF_SIZE]
        return self._envelope.report(codes.RESULT, pack_result(0, codes.RESULT_DONE) + challenge + proof)

    def answer(self, frame):
        """Whether this is the other half's answer to the question. No other lets activate() through."""
        buf = bytearray(frame)
        opened = DownOpener(self._keys.down).open(buf, len(buf), self._envelope.last_question())
        self._proved = opened and bytes(buf[BODY_AT : len(buf) - TAG_SIZE]) == self._challenge
        return self._proved

    def activate(self):
        """Make the proved identity the wearable's own and return its handle; "" when nothing was proved."""
        if not self._proved:
            return ""
        if _read(self._folder + NEW):
            os.rename(self._folder + NEW, self._folder + identity.FILE)
        self.handle = self._handle(identity.FILE)
        return self.handle

    def _begin(self, name):
        """Keys as flash gives them back, and the next counter."""
        self._proved = False
        self._keys = identity.unpack(_read(self._folder + name))
        ledger = Ledger()
        ledger.load(self._folder)
        counter = Counter(ledger)
        counter.start()
        ledger.mirror()
        if ledger.unsound or ledger.lost_count:
            raise OSError(_EIO)
        self._envelope = Envelope(self._keys, counter)

    def _handle(self, name):
        """The handle in an identity file: "" for none, "?" for one that is not whole."""
        record = _read(self._folder + name)
        try:
            return identity.unpack(record).handle.hex()
        except identity.NotProvisioned:
            return "?" if record else ""


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        if error.errno == _ENOENT:
            return b""
        raise


def _remove(path):
    try:
        os.remove(path)
    except OSError as error:
        if error.errno != _ENOENT:
            raise


# ---- a partition that never held anything ----


def _mount(board):
    """The folder of the data file system. Formats only what is blank, or what such a formatting was cut in."""
    flash = board.records()
    try:
        vfs.umount("/flash")
    except OSError:
        pass  # it was not mounted
    try:
        folder = board.mount_flash()
    except OSError:
        if not (_is_blank(flash) or _is_marked(flash)):
            raise
        _format(flash)
        folder = board.mount_flash()
    if _is_marked(flash):
        flash.ioctl(_ERASE, flash.ioctl(_BLOCK_COUNT, 0) - 1)
    return folder


def _is_blank(flash):
    """Every block but the last is as it came; a file system in use always has something in its first two.

    The last one may have a mark that was cut in its writing.
    """
    size = flash.ioctl(_BLOCK_SIZE, 0)
    buf, blank = bytearray(size), b"\xff" * size
    blocks = range(flash.ioctl(_BLOCK_COUNT, 0) - 1)
    return all(flash.readblocks(block, buf) == 0 and buf == blank for block in blocks)


def _is_marked(flash):
    buf = bytearray(len(_MARK))
    return flash.readblocks(flash.ioctl(_BLOCK_COUNT, 0) - 1, buf, 0) == 0 and buf == _MARK


def _format(flash):
    last = flash.ioctl(_BLOCK_COUNT, 0) - 1
    if flash.ioctl(_ERASE, last) or flash.writeblocks(last, _MARK, 0):
        raise OSError(_EIO)
    vfs.VfsLfs2.mkfs(flash, readsize=_READ_SIZE, progsize=_PROGRAM_SIZE)
