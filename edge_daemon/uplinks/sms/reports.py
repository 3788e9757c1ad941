"""What became of each message. Owns the matching of delivery reports, by reference and number; must not know ports.

A reference (TP-MR) has eight bits and comes round again, a service centre may name a number in another form or not at
all, and a report can be late, twice, of another message, or come before the modem has told us the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.uplinks.sms.lines import Report

# TS 23.040, 9.2.3.15: below 0x20 the transaction is complete, below 0x40 the centre still tries, above it has given up.
_DELIVERED = 0x00
_GIVEN_UP = 0x40
# Numbers may come with or without the country's code: so many last digits tell two of ours apart.
_SAME_DIGITS = 7
# The validity that we ask for is a day; then no report comes any more.
_KEPT_MS = 26 * 3_600_000
_EARLY_MS = 60_000


class State(StrEnum):
    """How far a message has come. TAKEN: the network has it. UNCERTAIN: the modem died with it, perhaps it went out."""

    WAITING = "waiting"
    OVER_LIMIT = "over_limit"
    REFUSED = "refused"
    MODEM_FAILED = "modem_failed"
    UNCERTAIN = "uncertain"
    TAKEN = "taken"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"


@dataclass
class Delivery:
    """One message to number `index` (from 0). `code`: of +CMS ERROR, or the report's status. Goes on changing.

    TAKEN becomes DELIVERED or NOT_DELIVERED when a report comes, which may be never.
    """

    index: int
    state: State = State.WAITING
    code: int | None = None

    @property
    def went_out(self) -> bool:
        """Whether the network has taken it."""
        return self.state in (State.TAKEN, State.DELIVERED, State.NOT_DELIVERED)


class Reports:
    """The messages of the last day that may be reported on. `on_change` is called for each that a report changes."""

    def __init__(self, clock: Clock, counters: Counters, on_change: Callable[[Delivery], None]) -> None:
        self._clock = clock
        self._counters = counters
        self._on_change = on_change
        self._open: list[tuple[int, int, str, Delivery]] = []
        self._early: list[tuple[int, Report]] = []

    def sent(self, reference: int, number: str, delivery: Delivery) -> None:
        """The network gave a message its reference. A report that overtook this is heard now."""
        now_ms = self._clock.now_ms()
        self._open = [one for one in self._open if now_ms - one[0] < _KEPT_MS]
        self._open.append((now_ms, reference, number, delivery))
        early = [(at_ms, report) for at_ms, report in self._early if now_ms - at_ms < _EARLY_MS]
        self._early = [(at_ms, report) for at_ms, report in early if not self._match(report)]

    def heard(self, report: Report) -> None:
        """A report: of one of these, of one whose reference is not known yet, of somebody else's, or a repeat."""
        if not self._match(report):
            self._counters.add("sms_report_without_message")
            self._early = [*self._early[-15:], (self._clock.now_ms(), report)]

    def _match(self, report: Report) -> bool:
        # The newest first: an older one with the same reference has been 256 messages ago.
        for _, reference, number, delivery in reversed(self._open):
            if reference == report.reference and _same(number, report.number):
                if _apply(delivery, report.status):
                    self._on_change(delivery)
                else:
                    self._counters.add("sms_report_repeated")
                return True
        return False


def _apply(delivery: Delivery, status: int) -> bool:
    if delivery.state is not State.TAKEN or delivery.code == status:
        return False
    delivery.code = status
    if status == _DELIVERED:
        delivery.state = State.DELIVERED
    elif status >= _GIVEN_UP:
        delivery.state = State.NOT_DELIVERED
    return True


def _same(ours: str, reported: str) -> bool:
    one = "".join(letter for letter in ours if letter.isdecimal())
    other = "".join(letter for letter in reported if letter.isdecimal())
    return not other or one[-_SAME_DIGITS:] == other[-_SAME_DIGITS:]
