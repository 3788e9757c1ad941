"""Fences over cuts, as a program: fence_cuts.py STRIDE SEED. Runs on MicroPython; prints one JSON object.

A child leaves home, enters school, leaves it, comes home. Each operation on the chip is cut in every STRIDE-th way;
then the day goes on from where the child was. At its end each event must have been raised once, with the real ledger.
"""

import json
import random
import sys

import vfs
from drivers.steady_flash import SteadyFlash
from nor_chip import Chip, Port, cut, do, ways
from sos.ledger import Ledger
from sos.outbox import Outbox
from sos.positions.fence_news import FenceNews
from sos.positions.files import Folder
from sos.positions.nmea import Fix

from protocol import codes
from protocol.settings import FENCE_HOME, FENCE_TELLS_ENTERED, FENCE_TELLS_LEFT, Fence

BOTH = FENCE_TELLS_ENTERED | FENCE_TELLS_LEFT
HOME = Fence(1, FENCE_HOME | BOTH, 22543210, 114057868, 100)
SCHOOL = Fence(2, BOTH, 22553210, 114057868, 150)
# Beside each other: left and entered by the same position.
YARD = Fence(3, BOTH, 22553210, 114062868, 150)
# North and east of home, in e6 of a degree; each stays for two positions.
DAY = ((0, 0), (3000, 0), (10000, 0), (10000, 5000), (10000, 0), (3000, 0), (0, 0))
EXPECTED = sorted(
    [
        (codes.HOME_LEFT, 0),
        (codes.FENCE_ENTERED, 2),
        (codes.FENCE_LEFT, 2),
        (codes.FENCE_ENTERED, 3),
        (codes.FENCE_LEFT, 3),
        (codes.FENCE_ENTERED, 2),
        (codes.FENCE_LEFT, 2),
        (codes.HOME_RETURNED, 0),
    ]
)


class Run:
    """One start."""

    def __init__(self, chip):
        self.port = Port(chip)
        flash = SteadyFlash(self.port)
        flash.firm_up()
        vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=128), "/flash")
        self.ledger = Ledger()
        self.ledger.load("/flash")
        self.outbox = Outbox(self.ledger, 1, 0)
        folder = Folder("/flash")
        folder.open()
        self.news = FenceNews(folder, self.outbox.alarms, lambda *event: self.outbox.add(*event, 0, False))
        self.news.settled([HOME, SCHOOL, YARD])
        self.news.turn()

    def end(self):
        self.port.cut()
        self.ledger._copies.close()
        vfs.umount("/flash")

    def day(self, begin, tell):
        """The day from a step on; `tell(step)` before each."""
        for step in range(begin * 2, len(DAY) * 2):
            tell(step // 2)
            north, east = DAY[step // 2]
            fix = Fix(HOME.latitude_e6 + north, HOME.longitude_e6 + east, 1795905600 + step * 30, 0)
            fix.accuracy_m = 8
            self.news.look(fix)

    def raised(self):
        return sorted((alarm.kind, alarm.detail) for alarm in self.outbox.alarms if alarm.used)


def live(chip, begin, tell):
    """A day to its end; returns what was raised."""
    run = Run(chip)
    try:
        run.day(begin, tell)
        return run.raised()
    finally:
        run.end()


def main(stride, seed):
    """Returns the object to print."""
    random.seed(seed)
    told = {"seed": seed, "cuts": 0, "broken": []}
    chip = Chip(20)
    vfs.VfsLfs2.mkfs(Port(chip), readsize=32, progsize=128)
    before = Chip(chip.blocks, chip.data)
    steps = [0]
    chip.done, chip.note = [], lambda: steps[-1]
    raised = live(chip, 0, steps.append)
    if raised != EXPECTED:
        told["broken"].append(f"without a cut: {raised}")
    operations, chip.done = chip.done, None
    index = random.getrandbits(16) % stride
    for n, operation in enumerate(operations):
        for way, name in enumerate(ways(operation)):
            index += 1
            if index % stride:
                continue
            hurt = Chip(before.blocks, before.data, before.weak)
            cut(hurt, operation, way)
            told["cuts"] += 1
            try:
                raised = live(hurt, operation[3], lambda step: None)
                if raised != EXPECTED:
                    told["broken"].append(f"operation {n} {name}: {raised}")
            except Exception as error:  # noqa: BLE001  whatever it is, it must not be
                told["broken"].append(f"operation {n} {name}: {error!r}")
        do(before, operation)
    return told


if __name__ == "__main__":
    print(json.dumps(main(*(int(argument) for argument in sys.argv[1:3]))))
