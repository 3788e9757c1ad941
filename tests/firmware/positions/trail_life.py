"""A trail's life on a hostile chip, and what must be so whenever it starts again. Runs on MicroPython.

Owns the script, the list of what was promised, and the checks. Must not know how cells are left (nor_chip.py). Real
littlefs, the ledger beside the trail as on a wearable, the real Store and Trail.
"""

import vfs
from drivers.steady_flash import SteadyFlash
from nor_chip import Chip, Port
from sos.ledger import Ledger
from sos.positions import store as store_module
from sos.positions.store import Store
from sos.positions.trail import Trail

from protocol.trail_code import Position, unpack

BLOCKS = 26
NOW_S = 1795905600
STEP_S = 300
MOST = 3


class Broken(Exception):
    """What must not be is."""


class Promises:
    """`kept`: sequence -> trail as flash has it; `ended`: may be gone; `handed`: as they were; `highest`: sequence."""

    def __init__(self, other=None):
        self.kept = dict(other.kept) if other else {}
        self.ended = set(other.ended) if other else set()
        self.highest = other.highest if other else 0
        self.handed = dict(other.handed) if other else {}
        self.now_s = other.now_s if other else NOW_S
        self.ledger = other.ledger if other else 0


class Run:
    """One start: mounted flash, ledger and trail."""

    mounted = None

    def __init__(self, chip, promises, asleep=None):
        if Run.mounted is not None:
            Run.mounted.end()  # a check has failed
        Run.mounted = self
        self.port = Port(chip)
        flash = SteadyFlash(self.port)
        if asleep is None:
            flash.firm_up()
        vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=128), "/flash")
        self.ledger = Ledger()
        self.ledger.load("/flash")
        if self.ledger.written < promises.ledger:
            raise Broken("the ledger went back")
        self.promises = promises
        self.store = Store("/flash", MOST)
        if asleep is not None:
            self.store.resume(asleep)
        self.trail = Trail(self.store)

    def end(self):
        """As a power cut leaves things."""
        Run.mounted = None
        self.port.cut()
        self.ledger._copies.close()
        vfs.umount("/flash")

    def alarm(self):
        """What an alarm does to flash."""
        self.ledger.commit()
        self.promises.ledger = self.ledger.written

    def add(self, number=0, step_s=STEP_S, far=40):
        """A position more."""
        promises = self.promises
        promises.now_s += step_s
        n = promises.now_s // step_s
        position = Position(promises.now_s, 2254321 + n * far % 977, 11394238 - n * far % 1013, 1, sos=number != 0)
        self._oldest_may_go()
        before = self.store.open
        kept = self.trail.add(position, number, step_s)
        record = self.store.open
        if record is not before and record.sequence <= promises.highest:
            raise Broken(f"sequence {record.sequence} after {promises.highest}")
        if kept:
            promises.kept[record.sequence] = record.trail
            promises.highest = record.sequence
        return kept

    def close(self):
        """The open trail is written on no more."""
        self._oldest_may_go()
        self.store.close()

    def _oldest_may_go(self):
        """Where all files are there, those of the oldest have been kept for long enough."""
        files = self.store._files
        if len(files) == MOST:
            for sequence in list(self.promises.kept):
                if sequence < files[1]:
                    self.promises.ended.add(sequence)
                    del self.promises.kept[sequence]

    def there(self):
        """All trails that it has, by sequence."""
        there = {}
        skip = []
        while True:
            record = self.store.next(skip)
            if record is None:
                break
            skip.append(record.sequence)
            there[record.sequence] = (record.number, record.trail)
        order = [(there[sequence][0] == 0, -sequence) for sequence in skip]
        if order != sorted(order):
            raise Broken(f"handed over as {skip}")
        if self.store.open is not None and self.store.open.trail:
            if self.store.open.sequence in there:
                raise Broken("open and closed")
            there[self.store.open.sequence] = (self.store.open.number, self.store.open.trail)
        return there

    def hand_over(self, most):
        """A gateway takes so many, then flash forgets them."""
        self.close()
        for _ in range(most):
            record = self.store.next(())
            if record is None:
                break
            had = self.promises.handed.get(record.sequence)
            if had is not None and had != record.trail:
                raise Broken(f"{record.sequence} was handed over as another")
            self.promises.handed[record.sequence] = record.trail
            self.promises.ended.add(record.sequence)
            self.promises.kept.pop(record.sequence, None)
            self.store.taken(record.sequence)
        self.store.settle()

    def check(self):
        """Raises Broken when something that was promised is not there."""
        promises = self.promises
        there = self.there()
        for sequence, trail in promises.kept.items():
            if sequence not in there:
                raise Broken(f"trail {sequence} is forgotten")
            if there[sequence][1][: len(trail)] != trail:
                raise Broken(f"trail {sequence} is another")
        for sequence, (_, trail) in there.items():
            times = [position.unix_s for position in unpack(trail)]
            if times != sorted(times):
                raise Broken("order")
            if sequence in promises.handed and promises.handed[sequence] != trail:
                raise Broken(f"{sequence} was handed over, and written on")


def fresh():
    """A chip with an empty file system."""
    chip = Chip(BLOCKS)
    vfs.VfsLfs2.mkfs(Port(chip), readsize=32, progsize=128)
    return chip


def life(chip, promises):
    """About everything that ever writes the trail, over some starts."""
    run = Run(chip, promises)
    chip.note = lambda: Promises(promises)
    for _ in range(3):
        run.add()
    run.alarm()
    run = again(chip, run, asleep=True)
    run.add()
    run = again(chip, run)
    run.add()
    run.hand_over(9)
    for _ in range(2):
        run.add(7, 10)
    run.hand_over(1)
    run.add(7, 10)
    for _ in range(3):
        run.add(8, 1)
        run.hand_over(1)
    run.add()
    run.alarm()
    run.hand_over(1)
    run.add()
    run.end()


def long_life(chip, promises):
    """Until the oldest go, with alarms between."""
    store_module.BLOCK = 1024  # files that are soon full
    run = Run(chip, promises)
    chip.note = lambda: Promises(promises)
    dropped = 0
    for n in range(120):
        for _ in range(2):
            run.add(0, STEP_S, 90000)
        run.close()
        dropped = max(dropped, len(promises.ended))
        if n % 20 == 0:
            run.alarm()
    if not dropped or len(run.there()) + dropped < 120:
        raise Broken(f"{len(run.there())} there, {dropped} gone")
    run.hand_over(30)
    run.hand_over(90)
    run.end()
    store_module.BLOCK = 4096


def again(chip, run, asleep=False):
    """The next start, by a deep sleep or by none."""
    sequence = run.store.open.sequence if asleep else None
    run.end()
    return Run(chip, run.promises, sequence)


def next_start(chip, promises):
    """After a cut: is all there, and does it go on?"""
    run = Run(chip, promises)
    try:
        run.check()
        if not run.add():
            raise Broken("the next position is not kept")
        run.alarm()
        run.check()
    finally:
        run.end()
