"""A ledger in memory, and the outbox and the counter of a later life on what it says. Runs under both Pythons."""

from firmware.sos import outbox as o
from firmware.sos.ledger import Ledger


class RamLedger(Ledger):
    """Flash that always takes it, or never does; `kept`: what a start would find after each write."""

    def __init__(self, takes=True):
        super().__init__()
        self.takes = takes
        self.commits = 0
        self.kept = bytes(self.image)
        self.set_header(1, 0)

    def commit(self):
        self.commits += 1
        self.failed = not self.takes
        if self.takes:
            self.kept = bytes(self.image)
        return self.takes


def make(takes=True):
    ledger = RamLedger(takes)
    return ledger, o.Outbox(ledger, 0xABCD, 5000)


def again(ledger, epoch=0xABCD, started_ms=5000):
    later = RamLedger()
    later.adopt(bytes(ledger.image))
    return later, o.Outbox(later, epoch, started_ms)
