"""What RTC memory keeps over a deep sleep: exact counter, schedules, what was told. And over a restart: less.

Owns the records' layouts. Must not know why things are what they are. The one of a sleep holds for the one start that
follows: whoever reads it clears it, for after a crash the counters in it have been used. With it come the ledger and
the identity, so that a wearable whose flash fails still has its keys and its alarms as long as power lasts. These two
alone are saved while flash fails, for a restart that nobody planned.
"""

import struct

from . import crc
from .identity import SIZE as IDENTITY_SIZE
from .ledger import SIZE as LEDGER_SIZE
from .ledger import SLOTS

_MAGIC = b"PAK2"
_FAULT = b"PAF1"
_SAVED = b"PAS1"
# Counter, ask due and gap, heartbeat due, feedback stage, number and begin, battery level. Times: ms since power-on.
_HEAD = ">IqIqBIqB"
# The question that runs (prompting.py) and the clock (clock.py), as these say it.
_CARE = ">BHBqqqIIh"
_ASKED = 6
# What parts keep (parts.py), filled up with 00: three of them, 40 bytes each and two of head; and who of them is out.
PARTS_SIZE = 130
# Per slot: tries, gap, due, first try, unsent.
_SLOT = ">HIqqB"
_HEAD_SIZE = struct.calcsize(_HEAD)
_CARE_SIZE = struct.calcsize(_CARE)
_SLOT_SIZE = struct.calcsize(_SLOT)
_SIZE = 4 + _HEAD_SIZE + _CARE_SIZE + PARTS_SIZE + SLOTS * _SLOT_SIZE + LEDGER_SIZE + IDENTITY_SIZE + crc.SIZE
_SAVED_SIZE = 4 + LEDGER_SIZE + IDENTITY_SIZE + crc.SIZE
_TRIES_MOST = 0xFFFF


class Kept:
    """The record, read or to be written. Times are ms since power-on; `slots` has (tries, gap, due, first, unsent).

    `asked` and `clock`: what Prompting.keep() and Clock.keep() say; `parts`: what Parts.keep() says.
    """

    def __init__(self, counter, ask_due, ask_gap, heartbeat_due, stage, number, stage_began, battery_level):
        self.counter = counter
        self.ask_due = ask_due
        self.ask_gap = ask_gap
        self.heartbeat_due = heartbeat_due
        self.stage = stage
        self.number = number
        self.stage_began = stage_began
        self.battery_level = battery_level
        self.asked = (0, 0, 0, 0, 0, 0)
        self.clock = (0, 0, 0)
        self.parts = b""
        self.slots = []
        self.ledger = b""
        self.identity = b""

    def pack(self):
        """The bytes for board.rtc_store()."""
        record = bytearray(_MAGIC)
        record += struct.pack(
            _HEAD,
            self.counter,
            self.ask_due,
            self.ask_gap,
            self.heartbeat_due,
            self.stage,
            self.number,
            self.stage_began,
            self.battery_level,
        )
        record += struct.pack(_CARE, *(self.asked + self.clock))
        record += self.parts + bytes(PARTS_SIZE - len(self.parts))
        for tries, gap, due, first, unsent in self.slots:
            record += struct.pack(_SLOT, min(tries, _TRIES_MOST), gap, due, first, unsent)
        record += self.ledger + self.identity + bytes(crc.SIZE)
        crc.write(record, 0, _SIZE - crc.SIZE, _SIZE - crc.SIZE)
        return bytes(record)


def unpack(record):
    """A Kept from what board.rtc_load() gave; None when it is not whole."""
    if len(record) != _SIZE or record[:4] != _MAGIC or not crc.holds(record, 0, _SIZE - crc.SIZE, _SIZE - crc.SIZE):
        return None
    kept = Kept(*struct.unpack(_HEAD, record[4 : 4 + _HEAD_SIZE]))
    at = 4 + _HEAD_SIZE
    care = struct.unpack(_CARE, record[at : at + _CARE_SIZE])
    kept.asked, kept.clock = care[:_ASKED], care[_ASKED:]
    at += _CARE_SIZE
    kept.parts = record[at : at + PARTS_SIZE]
    at += PARTS_SIZE
    for _ in range(SLOTS):
        kept.slots.append(struct.unpack(_SLOT, record[at : at + _SLOT_SIZE]))
        at += _SLOT_SIZE
    kept.ledger = record[at : at + LEDGER_SIZE]
    kept.identity = record[at + LEDGER_SIZE : at + LEDGER_SIZE + IDENTITY_SIZE]
    return kept


class Saved:
    """Ledger and identity as they were in RAM when flash had failed."""

    def __init__(self, ledger, identity):
        self.ledger = ledger
        self.identity = identity


def pack_saved(ledger, identity):
    """The bytes for board.rtc_store()."""
    record = bytearray(_SAVED)
    record += ledger
    record += identity + bytes(IDENTITY_SIZE - len(identity) + crc.SIZE)
    crc.write(record, 0, _SAVED_SIZE - crc.SIZE, _SAVED_SIZE - crc.SIZE)
    return bytes(record)


def unpack_saved(record):
    """A Saved from what board.rtc_load() gave, with or without a fault's note; None when there is none."""
    if is_fault(record):
        record = record[len(_FAULT) :]
    sum_at = _SAVED_SIZE - crc.SIZE
    if len(record) != _SAVED_SIZE or record[:4] != _SAVED or not crc.holds(record, 0, sum_at, sum_at):
        return None
    return Saved(record[4 : 4 + LEDGER_SIZE], record[4 + LEDGER_SIZE : sum_at])


def fault_note(record):
    """What is kept over a restart that a fault made, so that the heartbeat can say so; what was saved stays."""
    if unpack_saved(record) is None:
        return _FAULT
    return record if is_fault(record) else _FAULT + record


def is_fault(record):
    """Whether the last run ended by a fault."""
    return record[:4] == _FAULT
