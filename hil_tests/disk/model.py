"""What a disk holds while a log is replayed: what is durable, and what the kernel has promised nothing about.

The rules, from ext4 with data=ordered and from what SQLite counts on (sqlite.org/atomiccommit.html, os_unix.c), taken
strictly where the two differ:
- A successful fsync or fdatasync of a file makes all its writes and truncations before it durable. Unsynced ones may or
  may not be on disk, each by itself, in any order, a write also in part: each 512-byte sector by itself.
- Names (create, unlink, rename, mkdir) reach the disk in their order, for the file system journals them (ext4, xfs),
  and for sure only with a sync of a directory that has seen the change itself or a later one. On ext4 the sync of a
  new file also keeps its name; that is not counted on. A rename happens or does not.
- A sync that fails (EIO) forgets: Linux marks the pages clean, so the next sync, which succeeds, does not write them
  again (the "fsyncgate" of 2018). Sectors that had not got through by then are lost for good, though the page cache
  shows them until the power goes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from hil_tests.disk.record import Record

SECTOR = 512
_DIRECTORY = -1


@dataclass
class File:
    """`cached` is what a process reads, `durable` what is surely on disk; `pending` leads from this to that."""

    cached: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)

    def change(self, record: Record) -> None:
        """An unsynced write or truncation."""
        apply(self.cached, record)
        self.pending.append(record)

    def synced(self) -> None:
        """All of it is on disk."""
        for record in self.pending:
            apply(self.durable, record)
        self.pending.clear()

    def sync_failed(self, rng: random.Random) -> None:
        """What has got through has; the rest is not tried again."""
        for record in self.pending:
            tear(self.durable, record, rng)
        self.pending.clear()


def apply(content: bytearray, record: Record) -> None:
    """A write, with zeros where it leaves a hole, or a truncation, on a file's bytes."""
    if record.op == "T":
        del content[record.size :]
        content.extend(bytes(record.size - len(content)))
        return
    end = record.offset + len(record.data)
    content.extend(bytes(max(end - len(content), 0)))
    content[record.offset : end] = record.data


def tear(content: bytearray, record: Record, rng: random.Random) -> bool:
    """Half of a write's sectors, as chance has it, or a truncation or not. Returns whether some, not all, are there."""
    if record.op == "T":
        if rng.random() < 0.5:
            apply(content, record)
        return False
    kept = []
    at, end = record.offset, record.offset + len(record.data)
    while at < end:
        stop = min((at // SECTOR + 1) * SECTOR, end)
        kept.append(rng.random() < 0.5)
        if kept[-1]:
            piece = record.data[at - record.offset : stop - record.offset]
            apply(content, Record("W", offset=at, size=len(piece), data=piece))
        at = stop
    return any(kept) and not all(kept)


class Disk:
    """The files of one directory while `take` is given a log's records in order."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = random.Random(seed)
        self.files: list[File] = []
        # Path -> number of its file, or _DIRECTORY.
        self.names: dict[str, int] = {}
        self.durable_names: dict[str, int] = {}
        self.pending_names: list[tuple[Record, int]] = []

    def take(self, record: Record) -> None:
        """What this record did."""
        if record.op in "CDUR":
            number = _DIRECTORY
            if record.op == "C":
                number = len(self.files)
                self.files.append(File())
            self.pending_names.append((record, number))
            rename(self.names, record, number)
        elif record.op in "SF":
            self._sync(record)
        elif record.op in "WT" and record.path in self.names:
            # Otherwise a file without a name, which no power cut brings back.
            self.files[self.names[record.path]].change(record)

    def _sync(self, record: Record) -> None:
        number = self.names.get(record.path, _DIRECTORY)
        if number != _DIRECTORY:
            file = self.files[number]
            if record.op == "S":
                file.synced()
            else:
                file.sync_failed(self._rng)
        elif record.op == "S" and not record.path.endswith(" (deleted)"):
            seen = [at for at, (change, _) in enumerate(self.pending_names) if record.path in _directories(change)]
            for change, new in self.pending_names[: seen[-1] + 1 if seen else 0]:
                rename(self.durable_names, change, new)
            del self.pending_names[: seen[-1] + 1 if seen else 0]

    def cached(self) -> dict[str, bytes]:
        """What every process sees now."""
        return {path: bytes(self.files[n].cached) for path, n in self.names.items() if n != _DIRECTORY}

    def difference(self, directory: Path) -> list[Record]:
        """What a killed process did last and could not write down: the records that lead to what is really there."""
        found = {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}
        cached = self.cached()
        lost = [Record("U", path) for path in cached.keys() - found.keys()]
        folders = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_dir())
        lost += [Record("D", path) for path in folders if path not in self.names]
        for path, content in found.items():
            if path not in cached:
                lost.append(Record("C", path))
            known = cached.get(path, b"")
            if content != known:
                if len(content) != len(known):
                    lost.append(Record("T", path, size=len(content)))
                lost.append(Record("W", path, size=len(content), data=content))
        return lost


def rename(names: dict[str, int], change: Record, number: int) -> None:
    """Do one change of names."""
    if change.op in "CD":
        names[change.path] = number
    elif change.op == "U":
        names.pop(change.path, None)
    elif change.path in names:
        names[change.path2] = names.pop(change.path)


def _directories(change: Record) -> set[str]:
    """The directories, as paths below the disk's, whose entries a change of names touches."""
    return {str(PurePosixPath(path).parent).removeprefix(".") for path in (change.path, change.path2) if path}
