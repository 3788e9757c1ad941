"""What earlier runs left: ledger, identity and what RTC memory kept, made whole at the start of a run.

Owns which of them to believe. Must not know what they are for. Nothing is ever formatted or thrown away here: what
cannot be read is worked around, and the heartbeat says so.
"""

import os

from . import identity, kept
from .ledger import Ledger, count_of

# machine.reset_cause()'s, and the application's own (boards/contract.py).
_DEEP_SLEEP = 4
_SOFT = 5
_FAULT = 7

# Event numbers for a memory that is lost: 010000 to DFFFFF.
_NUMBERS_FROM = 0x010000
_NUMBERS = 0xE00000 - _NUMBERS_FROM


class Start:
    """`ledger`; `keys` (raises NotProvisioned while being made); `kept` or None; `reset_cause` for the heartbeat.

    `folder`: where flash is mounted, "" where it cannot be.
    `saved`: the count of commits up to which RTC memory still holds what flash did not take, 0 for none.
    """

    def __init__(self, board):
        record = board.rtc_load()
        self.reset_cause = _FAULT if board.reset_cause == _SOFT and kept.is_fault(record) else board.reset_cause
        self.kept = kept.unpack(record) if board.reset_cause == _DEEP_SLEEP else None
        self.ledger = Ledger()
        self.folder = ""
        self.identity = self._read_flash(board)
        saved = kept.unpack_saved(record)
        self.saved = 0 if saved is None else 1
        if saved is None:
            # At once: from the first frame on, the counter in there is a used one.
            board.rtc_store(b"")
        if self.kept is not None or saved is not None:
            self._believe(self.kept or saved)
        if self.ledger.lost_count:
            self._guess_count(board)
        self.keys = identity.unpack(self.identity)

    def _read_flash(self, board):
        """The identity's record, b"" when there is none; the ledger loaded as far as it can be."""
        try:
            folder = self.folder = board.mount_flash()
        except OSError as error:
            board.log("flash cannot be mounted: %s" % error)
            return b""
        try:
            self.ledger.load(folder)
        except OSError as error:
            board.log("the ledger cannot be read: %s" % error)
        try:
            return identity.read(folder)
        except OSError as error:
            board.log("the identity cannot be read: %s" % error)
            return b""

    def _believe(self, record):
        """RTC memory has what was in RAM: the same as flash, or more where flash had failed."""
        if not self.identity:
            self.identity = record.identity
        elif self.identity != record.identity:
            return  # provisioned anew in between
        if count_of(record.ledger) > self.ledger.written or (self.ledger.lost_count and count_of(record.ledger) >= 0):
            self.ledger.adopt(record.ledger)
            self.ledger.commit()

    def _guess_count(self, board):
        """Neither flash nor RTC memory says what was used: begin at random (protocol/README.md section 5.1).

        A pendant uses about 20,000 counters a year: beyond 65,536 they are fresh, and below 131,072 a gateway finds
        them. Event numbers come from nearly all there are: an old one that is closed would answer for a new alarm.
        """
        board.log("numbers and counters are lost: guessing")
        number = _NUMBERS_FROM + int.from_bytes(os.urandom(4), "big") % _NUMBERS
        self.ledger.begin_anew(number, 0x10000 + int.from_bytes(os.urandom(2), "big"))
        self.ledger.commit()
