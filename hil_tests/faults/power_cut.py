"""The power goes at any moment of a gateway's life: its journal opens again and keeps every promise.

A life is recorded once, under load, with kills in between; then the disk is made up as it might be after the power went
at each of many moments (hil_tests/disk/model.py says by which rules). Half of the cuts are of the real daemon's life
with four wearables, half of the journal's alone, which can be driven harder: purges, stages, lone windows. Some of the
disks are used again and lose power once more, most likely in the middle of the recovery.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from hil_tests.disk import build, lives
from hil_tests.disk.cuts import Cuts
from hil_tests.disk.hostile import HostileDisk
from hil_tests.disk.lives import Life
from hil_tests.disk.promises import Promises
from hil_tests.faults.campaign import Campaign, Outcome

# Cuts of each disk that is used again.
_SECOND_CUTS = 4
# Fewer, and hardly a checkpoint has been cut.
_WAL_STARTS_LEAST = 4


async def cut_life(life: Life, count: int, place: Path, rng: random.Random, outcome: Outcome) -> Counter[str]:
    """Cut a recorded life in `count` places; returns what the cuts fell into. Cuts that prove nothing are wrong."""
    cuts = Cuts(life.file, place / "first", rng, outcome)
    second = Cuts(life.file, place / "second", rng, outcome)

    async def again(laid: Path, promises: Promises, which: str) -> None:
        """Go on from a copy of this disk, and lose the power again."""
        shutil.copytree(laid, place / "again" / "disk")
        disk = HostileDisk(place / "again")
        since = len(disk.records())
        await lives.write(disk, life.file, rng.randrange(1 << 32), 2)
        known = Promises(promises.told, dict(promises.stored), set(promises.leaving))
        records = disk.records()
        await second.make(records, second.spread(records, _SECOND_CUTS, since), known, f"{which}, then")
        disk.close()
        shutil.rmtree(place / "again")

    promises = Promises(life.told)
    await cuts.make(life.records, cuts.spread(life.records, count), promises, life.name, again)
    outcome.figures[f"{life.name} promised"] = f"{len(promises.stored)}, its log begun {life.wal_starts} times"
    if life.missed:
        outcome.wrong.append(f"{life.name}: done and not in the log: {[(m.op, m.path) for m in life.missed]}")
    if life.wal_starts < _WAL_STARTS_LEAST:
        outcome.wrong.append(f"{life.name}: the write-ahead log was begun {life.wal_starts} times only")
    if not promises.stored or not cuts.seen["in_transaction"]:
        outcome.wrong.append(f"{life.name}: nothing promised, or no cut in a transaction: {dict(cuts.seen)}")
    return cuts.seen + second.seen


async def run(count: int, seed: int, place: Path) -> Outcome:
    """Record both lives, cut each in half of `count` places."""
    rng = random.Random(seed)
    outcome = Outcome()
    journal = await lives.of_journal(place / "journal", rng)
    daemon = await lives.of_daemon(place / "daemon", rng)
    seen = await cut_life(journal, count - count // 2, place, rng, outcome)
    seen += await cut_life(daemon, count // 2, place, rng, outcome)
    outcome.count = seen["cuts"]
    for kind in ("in_transaction", "in_checkpoint", "torn"):
        outcome.figures[kind.replace("_", " a ")] = str(seen[kind])
    return outcome


CAMPAIGN = Campaign("power_cut", "the power goes between or in the middle of writes", 50, 1000, run, build.missing)
