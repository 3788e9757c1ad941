"""Every cut of a trail's life, as a program: trail_cuts.py STRIDE SEED. Runs on MicroPython; prints one JSON object.

Owns where and how it is cut. Each operation on the chip is cut in every `STRIDE`-th of all its ways; after that come a
start with its checks, a position, an alarm, and three starts more.
"""

import json
import random
import sys

import trail_life as life
from nor_chip import Chip, cut, do, ways


def survive(chip, promises):
    """Starts after a cut. Returns how many."""
    promises = life.Promises(promises)
    life.next_start(chip, promises)
    for _ in range(3):
        run = life.Run(chip, promises)
        run.check()
        run.end()
    return 4


def cut_everywhere(chip, script, stride, told):
    """Live `script` on `chip`, and survive every `stride`-th way of being cut in it."""
    before = Chip(chip.blocks, chip.data)
    chip.done = []
    script(chip, life.Promises())
    operations, chip.done = chip.done, None
    index = random.getrandbits(16) % stride
    for n, operation in enumerate(operations):
        for way, name in enumerate(ways(operation)):
            told["ways"] += 1
            index += 1
            if index % stride:
                continue
            hurt = Chip(before.blocks, before.data, before.weak)
            cut(hurt, operation, way)
            told["cuts"] += 1
            try:
                told["starts"] += survive(hurt, operation[3])
            except Exception as error:  # noqa: BLE001  whatever it is, it must not be
                told["broken"].append(f"{script.__name__} operation {n} {name}: {error!r}")
        do(before, operation)
    if before.data != chip.data:
        raise life.Broken("the record of operations is not what was done")
    told["operations"] += len(operations)


def main(stride, seed):
    """Returns the object to print."""
    random.seed(seed)
    told = {"seed": seed, "ways": 0, "cuts": 0, "starts": 0, "operations": 0, "broken": []}
    cut_everywhere(life.fresh(), life.life, stride, told)
    cut_everywhere(life.fresh(), life.long_life, stride * 20, told)
    return told


if __name__ == "__main__":
    print(json.dumps(main(*(int(argument) for argument in sys.argv[1:3]))))
