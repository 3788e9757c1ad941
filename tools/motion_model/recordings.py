"""People's own recordings: WEDA-FALL (Marques, 2022), wrist, 50 Hz, young people's falls, young and old people's days.

Owns its folder's layout: dataset/50Hz/<code>/U<user>_R<trial>_accel.csv, m/s^2, and dataset/fall_timestamps.csv. It has
no licence, so it is not here: whoever has it names its folder. Must not know detectors.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.motion_model.sensor import RANGE_MG, Sample

_MG = 1000 / 9.80665
_LEAD_S = 3
_LIES_S = 20
_HZ = 50
FALLS = {
    "F01": "forward, slips",
    "F02": "sideways, slips",
    "F03": "backward, slips",
    "F04": "forward, trips",
    "F05": "backward, misses the chair",
    "F06": "forward from a chair, faints",
    "F07": "backward from a chair, faints",
    "F08": "sideways from a chair, faints",
}
DAILY = {
    "D01": "walks",
    "D02": "jogs",
    "D03": "stairs",
    "D04": "sits down, gets up",
    "D05": "collapses into a chair",
    "D06": "crouches, ties a shoe",
    "D07": "stumbles, does not fall",
    "D08": "jumps up to reach",
    "D09": "hits the table",
    "D10": "claps",
    "D11": "opens a door",
}


@dataclass(frozen=True)
class Recording:
    """One of them. `user` 21 and above are old. `fall`: its end is cut there, for the actors get up at once."""

    code: str
    user: int
    samples: list[Sample]
    fall: list[Sample] | None


def read(folder: Path) -> Iterator[Recording]:
    """All of them. Raises FileNotFoundError when this is not the folder."""
    ends = _ends(folder / "dataset" / "fall_timestamps.csv")
    for code in (*FALLS, *DAILY):
        for file in sorted((folder / "dataset" / "50Hz" / code).glob("U??_R??_accel.csv")):
            timed = list(_rows(file))
            name = f"{code}/{file.name.removesuffix('_accel.csv')}"
            end = ends.get(name)
            upto = [sample for at_s, sample in timed if end is None or at_s <= end]
            whole = [sample for _, sample in timed]
            yield Recording(code, int(file.name[1:3]), whole, upto if code in FALLS else None)


def led_in(samples: list[Sample]) -> list[Sample]:
    """After some seconds in its first posture: a wearable has been worn before a fall."""
    return samples[:1] * (_LEAD_S * _HZ) + samples


def lain(samples: list[Sample]) -> list[Sample]:
    """And then lies as it lay in its last third of a second, motionless."""
    last = samples[-15:]
    x, y, z = (sum(axis) // len(last) for axis in zip(*last, strict=True))
    return samples + [(x, y, z)] * (_LIES_S * _HZ)


def _ends(file: Path) -> dict[str, float]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return {row["filename"]: float(row["end_time"]) for row in csv.DictReader(lines)}


def _rows(file: Path) -> Iterator[tuple[float, Sample]]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for at_s, *axes in rows:
            x, y, z = (max(-RANGE_MG, min(RANGE_MG - 1, int(float(axis) * _MG))) for axis in axes)
            yield float(at_s), (x, y, z)
