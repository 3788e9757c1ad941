"""The trail that has come to the desk, against where the wearer was. Owns the judgement.

Each position is where the wearer was at its time, and there is none too few: from the first to the last minute no hole
is longer than what the settings ask for at rest, but where there was no power.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from hil_tests.stories.books import Verdict, clock
from hil_tests.stories.route import Place
from protocol import box, trail_code

if TYPE_CHECKING:
    from hil_tests.stories.child import Child

# A receiver's place, rounded to 1.1 m, of a wearer who goes 20 m in a second, told a second late.
_OFF_MOST_M = 60.0
# Half an hour at rest, one look, and one heartbeat by which the newest are handed over.
_HOLE_MS = 2_600_000


def judge(tale: Child, database: Path, verdict: Verdict) -> None:
    """Add to `verdict` what is missing of the trail, and what nobody was at."""
    key, route, wall_0_ms = tale.watch.keys.trail, tale.route, tale.world.wall_of_0_ms
    with contextlib.closing(sqlite3.connect(database)) as desk:
        rows = desk.execute("SELECT sequence, box FROM trails ORDER BY sequence").fetchall()
    times_ms = []
    for sequence, sealed in rows:
        inside = box.opened(key, box.TRAIL, sealed)
        if inside is None:
            verdict.invented.append(f"box {sequence} of the trail is not genuine")
            continue
        for position in trail_code.unpack(inside):
            if not position.found:
                continue  # the hole it stands in is one
            times_ms.append(position.unix_s * 1000 - wall_0_ms)
            truth = route.at(times_ms[-1])
            off_m = truth.metres_to(Place(position.latitude_e5 / 1e5, position.longitude_e5 / 1e5))
            if off_m > _OFF_MOST_M:
                verdict.invented.append(f"a position {off_m:.0f} m off at {clock(position.unix_s * 1000)}")
    tale.boxes, tale.positions = len(rows), len(times_ms)
    tale.box_bytes = sum(len(sealed) for _, sealed in rows)
    verdict.missing += [
        f"positions from {clock(wall_0_ms + from_ms)} to {clock(wall_0_ms + to_ms)}"
        for from_ms, to_ms in itertools.pairwise([tale.begin_ms, *sorted(times_ms), tale.world.at_ms])
        if to_ms - from_ms > _HOLE_MS and not any(from_ms <= dark <= to_ms for dark, _ in tale.dark)
    ]
