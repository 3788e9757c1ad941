"""Many cuts of one recorded life, each judged. Owns the moments and what is counted of them."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from hil_tests.disk.cut import Image, cut
from hil_tests.disk.model import Disk
from hil_tests.disk.promises import Promises, judge
from hil_tests.disk.record import Record
from hil_tests.faults.campaign import Outcome

# (the disk that is left, what is promised of it, which cut it was)
Again = Callable[[Path, Promises, str], Awaitable[None]]
_AGAIN_EVERY = 25


class Cuts:
    """`file`: the journal below the disk's directory. `seen`: how many cuts fell into what."""

    def __init__(self, file: str, place: Path, rng: random.Random, outcome: Outcome) -> None:
        self._file = file
        self._place = place
        self._rng = rng
        self._outcome = outcome
        self.seen: Counter[str] = Counter()

    def spread(self, records: list[Record], count: int, since: int = 0) -> list[int]:
        """So many moments after the records from number `since` on: evenly, but for a quarter in the checkpoints.

        Those are short and rare.
        """
        rare = [at for at in range(since, len(records)) if records[at].op in "WT" and records[at].path == self._file]
        share = count // 4 if rare else 0
        chosen = [self._rng.choice(rare) + 1 for _ in range(share)]
        return sorted(chosen + [self._rng.randint(since, len(records)) for _ in range(count - share)])

    async def make(
        self, records: list[Record], moments: list[int], promises: Promises, name: str, again: Again | None = None
    ) -> None:
        """Cut after each of these numbers of records, which ascend, and judge each disk that is left.

        `promises`: what had been promised before the first record. One disk of 25 is given to `again` first.
        """
        disk = Disk(self._rng.randrange(1 << 32))
        at = 0
        for number, moment in enumerate(moments):
            for record in records[at:moment]:
                disk.take(record)
                promises.take(record)
            at = moment
            image = cut(disk, self._rng)
            self._note(image)
            which = f"{name} {number} after record {moment}, {image.temper}"
            laid = image.lay(self._place / "cut")
            if again is not None and number % _AGAIN_EVERY == _AGAIN_EVERY // 2:
                await again(laid, promises, which)
            await judge(laid / self._file, promises, self._outcome, which)
            self.seen["cuts"] += 1
            shutil.rmtree(laid)

    def _note(self, image: Image) -> None:
        self.seen["in_transaction"] += bool(image.unsynced.get(f"{self._file}-wal"))
        self.seen["in_checkpoint"] += bool(image.unsynced.get(self._file))
        self.seen["torn"] += bool(image.torn)
