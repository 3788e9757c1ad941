"""`python -m tools.motion_model --n 200 --seed 1`: how the wearable's fall detector does, as shares with intervals.

Owns the command and its tables. With `--recordings FOLDER` it measures on WEDA-FALL instead (recordings.py).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.motion_model import daily, falls, recordings
from tools.motion_model.judge import LEVELS, Share, Verdict, judge
from tools.motion_model.sensor import sensed
from tools.motion_model.wearer import PLACES, WRIST, Wearer


def main(arguments: list[str]) -> int:
    """Print the tables; 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.motion_model", description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="traces of each kind and place (default 200)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed, the same traces (default: random)")
    parser.add_argument("--recordings", type=Path, help="folder of WEDA-FALL")
    asked = parser.parse_args(arguments)
    lines = _recorded(asked.recordings) if asked.recordings else _modelled(asked.n, asked.seed)
    for line in lines:
        print(line, flush=True)
    return 0


def _modelled(n: int, seed: int | None) -> Iterator[str]:
    seed = random.SystemRandom().randrange(1 << 31) if seed is None else seed
    yield f"{n} traces of each kind and place, seed {seed}; shares with their 95 % intervals"
    for place in PLACES:
        yield f"\n{place}: falls whose SOS went out (of `recovered`: it should not)"
        made = {**falls.KINDS, "recovered": falls.recovered}
        for name, make in made.items():
            verdicts = _verdicts(place, name, make, n, seed)
            yield _row(name, {level: [verdict.sent > 0 for verdict in of] for level, of in verdicts.items()})
        yield f"{place}: daily life, false countdowns each; of so many a day (older person, child)"
        yield from _days(place, n, seed)


def _days(place: str, n: int, seed: int) -> Iterator[str]:
    a_day = {(level, who): 0.0 for level in LEVELS for who in (daily.OLDER, daily.CHILD)}
    for name, kind in daily.KINDS.items():
        verdicts = _verdicts(place, name, kind.make, n, seed)
        hits = {level: [verdict.falls > 0 for verdict in of] for level, of in verdicts.items()}
        yield f"{_row(name, hits)}   {kind.older:g}, {kind.child:g}"
        for level, of in hits.items():
            a_day[level, daily.OLDER] += kind.older * sum(of) / n
            a_day[level, daily.CHILD] += kind.child * sum(of) / n
    for level in LEVELS:
        yield f"  a day, {level}: {a_day[level, daily.OLDER]:.2f} older person, {a_day[level, daily.CHILD]:.2f} child"


def _verdicts(place: str, name: str, make: daily.Maker, n: int, seed: int) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = {level: [] for level in LEVELS}
    for i in range(n):
        rng = random.Random(f"{seed} {place} {name} {i}")
        samples = sensed(make(Wearer(rng, place)), rng)
        for level, of in found.items():
            of.append(judge(samples, level=level, wrist=place == WRIST))
    return found


def _row(name: str, hits: dict[str, list[bool]]) -> str:
    return f"  {name:18}" + "".join(f"  {level} {Share(sum(of), len(of))!s:24}" for level, of in hits.items())


def _recorded(folder: Path) -> Iterator[str]:
    all_of = list(recordings.read(folder))
    yield f"WEDA-FALL, wrist: {len(all_of)} recordings; thresholds were set on users of odd number"
    for half, odd in (("odd users", 1), ("even users", 0)):
        for level in LEVELS:
            yield f"\n{half}, {level}"
            yield from _recorded_half([each for each in all_of if each.user % 2 == odd], level)


def _recorded_half(half: list[recordings.Recording], level: str) -> Iterator[str]:
    totals = {
        "falls, lain": Share(),
        "falls, as recorded": Share(),
        "daily, as recorded": Share(),
        "daily, lain": Share(),
    }
    for code, name in {**recordings.FALLS, **recordings.DAILY}.items():
        lain, plain = Share(), Share()
        for each in half:
            if each.code == code:
                end = each.fall if each.fall is not None else each.samples
                lain.add(_found(recordings.lain(recordings.led_in(end)), level))
                plain.add(_found(recordings.led_in(each.samples), level))
        what = "falls" if code in recordings.FALLS else "daily"
        for of, share in (("lain", lain), ("as recorded", plain)):
            totals[f"{what}, {of}"].hits += share.hits
            totals[f"{what}, {of}"].of += share.of
        yield f"  {code} {name:30}  lain {lain.hits}/{lain.of}  as recorded {plain.hits}/{plain.of}"
    for name, share in totals.items():
        yield f"  {name:20} {share}"


def _found(samples: list[tuple[int, int, int]], level: str) -> bool:
    return judge(samples, level=level, wrist=True).falls > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
