"""What a disk may hold after a power cut: one image of many that the model allows. Owns the dice.

Everything synced is there. The rest is thrown for: how many of the unsynced changes of names have reached the disk, and
for each unsynced write whether it did, did not, or did in part. Each cut first picks a temper, so that the plain cases
(nothing got through, all did, all up to some moment did) are met as often as the wild ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.disk.model import Disk, File, apply, rename, tear

TEMPERS = ("nothing", "all", "in_order", "any_order", "torn")


@dataclass
class Image:
    """The files by path; `unsynced`: writes under way per path at the moment; `torn`: writes kept in part."""

    temper: str
    files: dict[str, bytes]
    directories: list[str]
    unsynced: dict[str, int] = field(default_factory=dict)
    torn: int = 0

    def lay(self, place: Path) -> Path:
        """Write it into an empty directory."""
        place.mkdir(parents=True)
        for path in self.directories:
            (place / path).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content in self.files.items():
            (place / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        return place


def cut(disk: Disk, rng: random.Random, temper: str | None = None) -> Image:
    """The power goes now."""
    temper = temper or rng.choice(TEMPERS)
    names = dict(disk.durable_names)
    count = len(disk.pending_names)
    kept = {"nothing": 0, "all": count}.get(temper, rng.randint(0, count))
    for change, number in disk.pending_names[:kept]:
        rename(names, change, number)
    image = Image(temper, {}, [path for path, number in names.items() if number < 0])
    for path, number in names.items():
        if number >= 0:
            file = disk.files[number]
            if file.pending:
                image.unsynced[path] = len(file.pending)
            image.files[path] = _content(file, temper, rng, image)
    return image


def _content(file: File, temper: str, rng: random.Random, image: Image) -> bytes:
    content = bytearray(file.durable)
    # In order: all before a moment, and in part the one of the moment.
    moment = rng.randint(0, len(file.pending))
    for at, record in enumerate(file.pending):
        fate = _fate(temper, rng, at, moment)
        if fate == "kept":
            apply(content, record)
        elif fate == "torn":
            image.torn += tear(content, record, rng)
    return bytes(content)


def _fate(temper: str, rng: random.Random, at: int, moment: int) -> str:
    if temper in ("nothing", "all"):
        return "kept" if temper == "all" else "lost"
    if temper == "in_order":
        return "kept" if at < moment else "torn" if at == moment else "lost"
    return rng.choice(("kept", "lost") if temper == "any_order" else ("kept", "lost", "torn"))
