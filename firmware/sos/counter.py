"""The frame counter: never the same one twice, as far as flash keeps anything at all. take() takes no heap.

Owns reserving ahead, and the jump of counters and event numbers where flash fails. Must not know sealing. Counters
below the ledger's `reserved` may have been used; after a cut we go on from there. The gateway expects the next 2,048:
even after several cuts in a row the next frame is one of them.
"""

import os

RESERVE = 256
# How far to go on where we cannot know what was used: beyond what a failing flash may have let us use unreserved,
# and well inside the 131,072 that the gateway's wide search looks ahead.
JUMP = 4096
# And by how much more, at random: flash that reads and never takes anything would have each life begin where the last
# one did, with the same counters under the same key.
JUMP_MORE = 0x10000
# Event numbers that may have been given in RAM alone by earlier runs whose flash failed.
NUMBER_JUMP = 64
# A number that was given before is an old alarm to whoever has it.
NUMBER_JUMP_MORE = 0x100000
NUMBER_JUMP_BELOW = 0xE00000


# A wearable that has lost its count begins anew at random, in so many ranges at once, so far apart: the look-ahead of a
# gateway's wide search. One of them is ahead of whatever a gateway has taken (protocol/README.md section 5.1).
RANGES = 4
RANGE = 131072


class Counter:
    """`next` is the one that take() gives; where the count is begun anew, in the lowest of the ranges."""

    def __init__(self, ledger):
        self._ledger = ledger
        self.next = self._first = ledger.reserved
        # Which range is next, while the count is begun anew.
        self._turn = 0

    def start(self, exact=-1):
        """Begin a run. `exact`: the next counter as RTC memory kept it over a deep sleep, else -1.

        Where flash does not take the reservation now, it may not have taken earlier ones either: jump ahead.
        """
        if 0 <= exact <= self._ledger.reserved:
            self._begin(exact)
            return
        self.next = self._ledger.reserved
        if not self._reserve():
            self.next += JUMP + _random(JUMP_MORE)
            number = (self._ledger.next_number + NUMBER_JUMP + _random(NUMBER_JUMP_MORE)) % NUMBER_JUMP_BELOW
            self._ledger.set_header(number, self._ledger.reserved)
            self._reserve()
        self._begin(self.next)

    def _begin(self, first):
        self.next = self._first = first
        # A run may be over after one frame, and must not try the lowest range each time.
        self._turn = first % RANGES if self._ledger.anew else 0

    @property
    def exact(self):
        """What start() may be given after a sleep: nothing from there on has been used in any range."""
        return self.next + 1 if self._turn else self.next

    def take(self):
        """The next counter. Writes flash only when what was reserved is used up. No heap."""
        if self.next >= self._ledger.reserved:
            self._reserve()
        counter = self.next + self._turn * RANGE
        self._turn = (self._turn + 1) % RANGES if self._ledger.anew else 0
        if not self._turn:
            self.next += 1
        return counter

    def answered(self, counter):
        """Somebody has opened the frame of this counter: where several ranges are tried, go on in its own."""
        if self._ledger.anew:
            self._ledger.anew = False
            self.next = self.exact + max(0, counter - self._first) // RANGE * RANGE
            self._turn = 0
            self._reserve()

    def widen(self):
        """Nobody answers where we count. If the count was lost once, try the ranges above, too. No heap.

        For a frame of ours in one of them, which nobody had heard then, may have been heard since, or played back; and
        whoever has taken that takes none below.
        """
        ledger = self._ledger
        if ledger.was_lost and not ledger.anew:
            ledger.anew = True
            self._first = self.next
            # So that a sleep keeps it: who sleeps after each burst would try the lowest range each time it wakes.
            ledger.set_header(ledger.next_number, ledger.reserved)

    def refill(self):
        """When there is time: reserve anew if half is gone, so that an alarm need not. Returns whether it wrote."""
        if self._ledger.reserved - self.next > RESERVE // 2:
            return False
        return self._reserve()

    def _reserve(self):
        self._ledger.set_header(self._ledger.next_number, self.next + RESERVE)
        return self._ledger.commit()


def _random(below):
    """A number from 0 on; `below` is a power of two, 2^24 at most."""
    return int.from_bytes(os.urandom(3), "big") % below
