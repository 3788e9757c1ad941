"""Every cut of a wearable's life, as a program: flash_cuts.py AGE WANTED SEED. Runs on MicroPython.

Owns where and how it is cut, and how often what follows is lived. Prints one JSON object: what was done (`ways` is all
there were) and what was broken. hil_tests/faults/wearable_flash.py starts it. Not WANTED but all ways are cut where
WANTED is as many or more.
"""

import json
import random
import sys

# The deepest imports first: a host's stack for them is small, and on 32 bits smaller.
from protocol import frame  # noqa: F401

# isort: split
import flash_life as life
from nor_chip import Chip, cut, do, ways
from sos.ledger import SLOTS


class Tally:
    """What a campaign of cuts has done and found."""

    def __init__(self):
        self.cuts = self.second_cuts = self.starts = 0
        # Which cut, and what was not as it must be.
        self.broken = []
        self.by_way = {}

    def start(self, chip, script, promises):
        """One more run of a script on the chip."""
        self.starts += 1
        life.run(chip, script, promises)


def survive(chip, promises, again, tally, name):
    """Start after a cut, check, press, and start three times more; cut that recovery, too, where `again` > 0."""
    promises = life.Promises(promises)
    before = Chip(chip.blocks, chip.data, chip.weak, chip.worn)
    chip.done = []
    try:
        # Sixteen alarms that nobody has: the seventeenth press becomes one with the newest.
        tally.start(chip, life.still_there if len(promises.must) >= SLOTS else life.next_press, promises)
        operations, chip.done = chip.done, None
        for _ in range(3):
            tally.start(chip, life.still_there, life.Promises(promises))
    except Exception as error:  # noqa: BLE001  whatever it is, it must not be
        tally.broken.append(f"{name}: {error!r}")
        return
    if again and operations:
        at = random.getrandbits(16) % len(operations)
        for operation in operations[:at]:
            do(before, operation)
        operation = operations[at]
        way = random.getrandbits(16) % len(ways(operation))
        cut(before, operation, way)
        tally.second_cuts += 1
        survive(before, operation[3], again - 1, tally, name + ", then " + ways(operation)[way])


def cut_everywhere(chip, script, promises, tally, stride=1, again=1):
    """Live `script`, and survive every way (every `stride`-th) of being cut in every operation of it."""
    before = Chip(chip.blocks, chip.data, chip.weak, chip.worn)
    chip.done = []
    life.run(chip, script, promises)
    operations, chip.done = chip.done, None
    index = random.getrandbits(16) % stride
    for n, operation in enumerate(operations):
        for way, name in enumerate(ways(operation)):
            index += 1
            if index % stride == 0:
                hurt = Chip(before.blocks, before.data, before.weak, before.worn)
                cut(hurt, operation, way)
                tally.cuts += 1
                tally.by_way[name] = tally.by_way.get(name, 0) + 1
                survive(hurt, operation[3], again, tally, f"operation {n} {name}")
        do(before, operation)
    if before.data != chip.data:
        raise life.Broken("the record of operations is not what was done")
    return len(operations)


def ways_in(chip, script):
    """In how many ways `script` can be cut on this chip, which is used up by it."""
    chip.done = []
    life.run(chip, script, life.Promises())
    return sum(len(ways(operation)) for operation in chip.done)


def main(age, wanted, seed):
    """Returns the object to print."""
    random.seed(seed)
    all_ways = ways_in(life.aged(age), life.life)
    tally = Tally()
    chip = life.aged(age)
    stride = max(1, all_ways // wanted)
    operations = cut_everywhere(chip, life.life, life.Promises(), tally, stride)
    return {
        "ways": all_ways,
        "operations": operations,
        "erases": chip.erases,
        "cuts": tally.cuts,
        "second_cuts": tally.second_cuts,
        "starts": tally.starts,
        "broken": tally.broken,
        "by_way": tally.by_way,
    }


if __name__ == "__main__":
    print(json.dumps(main(*(int(argument) for argument in sys.argv[1:4]))))
