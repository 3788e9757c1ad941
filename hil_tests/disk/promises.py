"""What had been promised when the power went, and whether a disk keeps it. Owns the verdict over one image.

A promise is a mark in the disk's log: of writer.py in its own words, of the daemon the very frames it wrote to a
wearable's line. It counts from the moment it is written.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal
from edge_daemon.journal import Journal
from hil_tests.disk.record import Record
from hil_tests.faults.campaign import Outcome
from hil_tests.independent import wire
from protocol import codes

# What says to a wearer, or means, that the gateway has it on disk. From ACCEPTED on the platform has it.
_ON_DISK = ("STORED", "NO_PATH")
Key = tuple[str, int]


@dataclass(frozen=True)
class Told:
    """What one frame down told whom. `counter`: of the wearable's first frame with this event."""

    wearable: str
    number: int
    stage: str
    counter: int


@dataclass
class Promises:
    """`stored`: what must be on the disk, with the counter its window must have reached; `leaving`: what may go."""

    told: Mapping[bytes, Told] = field(default_factory=dict)
    stored: dict[Key, int] = field(default_factory=dict)
    leaving: set[Key] = field(default_factory=set)
    _lines: dict[str, wire.FromLine] = field(default_factory=dict)

    def take(self, record: Record) -> list[Key]:
        """Note what a mark promises; returns what it promised for the first time."""
        if record.op != "M":
            return []
        before = set(self.stored)
        if record.path:
            for frame in self._lines.setdefault(record.path, wire.FromLine()).feed(record.data):
                said = self.told.get(frame)
                if said is not None and said.stage in _ON_DISK:
                    self.stored.setdefault((said.wearable, said.number), said.counter)
        else:
            for word, (wearable, number, *counter) in json.loads(record.data).items():
                if word == "stored":
                    self.stored[wearable, number] = counter[0]
                else:
                    self.leaving.add((wearable, number))
        return [key for key in self.stored if key not in before]


async def judge(file: Path, promises: Promises, outcome: Outcome, where: str) -> None:
    """Start from this journal as the daemon would, and hold what it has against what was promised."""
    journal = Journal(file, Counters())
    try:
        await journal.open()
    except Refusal as refusal:
        outcome.wrong.append(f"{where}: does not open: {refusal}")
        return
    await journal.close()
    if journal.trouble is not None:
        outcome.wrong.append(f"{where}: does not open: {journal.trouble}")
        return
    aside = [path.name for path in file.parent.glob(f"{file.name}.*")]
    if aside:
        outcome.wrong.append(f"{where}: {aside} set aside")
    for (wearable, number), counter in promises.stored.items():
        alarm = journal.alarms.get((wearable, number))
        if (wearable, number) not in promises.leaving and (alarm is None or alarm.stage == codes.HEARD):
            outcome.lost.append(f"{where}: {wearable}-{number:06x} was told STORED and is not there")
        if journal.windows.get(wearable, -1) < counter:
            window = journal.windows.get(wearable)
            outcome.lost.append(
                f"{where}: {wearable}-{number:06x} was told STORED, its window is {window}, not {counter}"
            )
    _look_inside(file, len(journal.alarms), outcome, where)


def _look_inside(file: Path, alarms: int, outcome: Outcome, where: str) -> None:
    """With SQLite alone: sound, and each event once, by the table as by its index."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        check = [row[0] for row in db.execute("PRAGMA integrity_check")]
        if check != ["ok"]:
            outcome.wrong.append(f"{where}: integrity_check: {check[:3]}")
        rows = db.execute("SELECT wearable, number FROM events NOT INDEXED").fetchall()
    if len(set(rows)) != len(rows) or len(rows) != alarms:
        outcome.twice.append(f"{where}: {len(rows)} rows, {len(set(rows))} events, {alarms} alarms loaded")
