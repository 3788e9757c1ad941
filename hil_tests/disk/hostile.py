"""One hostile disk: a directory, what is recorded of it, and what is to go wrong with it. Owns log and control file.

Give `environment()` to each process that is to live on it, one process at a time.
"""

from __future__ import annotations

import errno
import mmap
import struct
from pathlib import Path

from hil_tests.disk import build, record
from hil_tests.disk.model import Disk
from hil_tests.disk.record import Record

# The classes of operations, in the order of hostile_disk.c.
CLASSES = ("write", "sync", "truncate", "name", "open_write", "open_read")
_ROOM = struct.Struct("=q")
_HURT = struct.Struct("=qqqqqq")
_SIZE = _ROOM.size + len(CLASSES) * _HURT.size
FOREVER = -1


def unseen(records: list[Record], directory: Path) -> list[Record]:
    """What must be added to a log for it to lead to what is in the directory: nothing, if it has seen everything."""
    disk = Disk()
    for entry in records:
        disk.take(entry)
    return disk.difference(directory)


class HostileDisk:
    """The directory `place`/`name`, in which the processes work; log and control lie in `place`, too.

    What is in the directory already is taken to be safe.
    """

    def __init__(self, place: Path, name: str = "disk") -> None:
        place = place.resolve()
        self.directory = place / name
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._library = build.library()
        self._place = place
        self._lives = 0
        self._settle(safe=True)
        control = place / "control"
        control.write_bytes(_ROOM.pack(-1) + bytes(_SIZE - _ROOM.size))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _SIZE)

    def environment(self) -> dict[str, str]:
        """What makes a process live on this disk. The one before it must have ended."""
        self._settle()
        self._lives += 1
        return {
            "LD_PRELOAD": str(self._library),
            "PINGAN_DISK_DIR": str(self.directory),
            "PINGAN_DISK_CONTROL": str(self._place / "control"),
            "PINGAN_DISK_LOG": str(self._log(self._lives)),
        }

    def records(self) -> list[Record]:
        """All that has happened so far, over all lives."""
        return [entry for life in range(1, self._lives + 1) for entry in record.read(self._log(life))]

    def _log(self, life: int) -> Path:
        return self._place / f"log-{life:04}"

    def written(self) -> int:
        """How many bytes of log the newest process has made."""
        log = self._log(self._lives)
        return log.stat().st_size if log.exists() else 0

    def _settle(self, *, safe: bool = False) -> None:
        """Note what a killed process did and could not write down any more: to the next one it is in the cache."""
        lost = unseen(self.records(), self.directory)
        if safe:
            touched = {entry.path for entry in lost}
            parents = {str(Path(path).parent).removeprefix(".") for path in touched}
            lost += [Record("S", path) for path in sorted(touched | parents)]
        if lost:
            self._lives += 1
            self._log(self._lives).write_bytes(b"".join(entry.packed() for entry in lost))

    def hurt(self, what: str, error: int = 0, *, hang_s: float = 0, skip: int = 0, times: int = FOREVER) -> None:
        """From now on `times` operations of a class fail with `error` (errno) or hang, after `skip` that do not."""
        self._write(what, 0, 0, 0, 0, 0, self.hits(what))
        self._write(what, error, int(hang_s * 1000), skip, times, 0, self.hits(what))

    def read_only(self) -> None:
        """As after an error of the file system that remounts it."""
        for what in ("write", "sync", "truncate", "name", "open_write"):
            self.hurt(what, errno.EROFS)

    def full(self, room: int) -> None:
        """Files can grow by so many bytes more."""
        _ROOM.pack_into(self._control, 0, room)

    @property
    def room(self) -> int:
        """How many bytes files can still grow by; -1 when there is no end."""
        return int(_ROOM.unpack_from(self._control, 0)[0])

    def heal(self) -> None:
        """From now on an honest disk; what hangs goes on at once."""
        for what in CLASSES:
            self._write(what, 0, 0, 0, 0, 0, self.hits(what))
        self.full(-1)

    def hits(self, what: str | None = None) -> int:
        """How many operations have been hurt since the beginning, of one class or of all."""
        wanted = CLASSES if what is None else (what,)
        return sum(int(_HURT.unpack_from(self._control, self._at(name))[5]) for name in wanted)

    def close(self) -> None:
        """Let the control file go."""
        self._control.close()

    def _at(self, what: str) -> int:
        return _ROOM.size + CLASSES.index(what) * _HURT.size

    def _write(self, what: str, *values: int) -> None:
        _HURT.pack_into(self._control, self._at(what), *values)
