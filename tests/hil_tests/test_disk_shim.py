"""The hostile disk between a real process and libc: it sees everything, and hurts what it is told to, and no more."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.disk import build
from hil_tests.disk.hostile import HostileDisk, unseen
from hil_tests.disk.record import NotFollowed

pytestmark = pytest.mark.skipif(bool(build.missing()), reason=build.missing())
_WITHIN_S = 60

# Everything that Python and its SQLite do to files, and a few things that only look like it.
_EVERYTHING = """
import mmap, os, shutil, sqlite3, sys
top = sys.argv[1]
os.chdir(top)
os.mkdir("made")
with open("made/a", "wb", buffering=0) as file:
    file.write(b"x" * 1000)
    os.pwrite(file.fileno(), b"yy", 10)
    os.writev(file.fileno(), [b"1", b"", b"22"])
    os.pwritev(file.fileno(), [b"3", b"44"], 2000)
    os.posix_fallocate(file.fileno(), 0, 5000)
    other = os.dup(file.fileno())
os.write(other, b"by another number")
os.fsync(other)
os.close(other)
with open("made/a", "ab") as file:
    file.write(b"at the end")
os.truncate("made/a", 3000)
shutil.copyfile("made/a", "copied")
os.rename("copied", "made/b")
with open("made/a", "wb") as file:
    file.write(b"anew")
os.unlink("made/b")
db = sqlite3.connect("db")
db.execute("PRAGMA journal_mode = " + sys.argv[2])
db.execute("PRAGMA locking_mode = EXCLUSIVE")
db.execute("CREATE TABLE t (x)")
for _ in range(50):
    with db:
        db.execute("INSERT INTO t VALUES (zeroblob(3000))")
with open("/dev/null", "wb") as elsewhere:
    elsewhere.write(b"not ours")
os._exit(9)
"""

_HURT = """
import errno, os, sys
def attempt(what, *arguments):
    try:
        print(what.__name__, what(*arguments))
    except OSError as error:
        print(what.__name__, errno.errorcode[error.errno])
    sys.stdout.flush()
file = os.open(sys.argv[1] + "/file", os.O_RDWR | os.O_CREAT)
print("ready", flush=True)
for line in sys.stdin:
    {
        "write": lambda: attempt(os.write, file, b"12345678"),
        "again": lambda: attempt(os.pwrite, file, b"12345678", 0),
        "fsync": lambda: attempt(os.fsync, file),
        "truncate": lambda: attempt(os.ftruncate, file, 4),
        "rename": lambda: attempt(os.rename, sys.argv[1] + "/file", sys.argv[1] + "/file2"),
        "open": lambda: attempt(os.open, sys.argv[1] + "/file", os.O_RDONLY),
        "create": lambda: attempt(os.open, sys.argv[1] + "/new", os.O_RDWR | os.O_CREAT),
        "space": lambda: attempt(lambda: os.statvfs(sys.argv[1]).f_bavail),
        "elsewhere": lambda: attempt(os.open, "/dev/null", os.O_WRONLY),
    }[line.strip()]()
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[HostileDisk]:
    made = HostileDisk(tmp_path)
    yield made
    made.close()


def _run(disk: HostileDisk, code: str, *arguments: str) -> int:
    command = [sys.executable, "-c", code, str(disk.directory), *arguments]
    return subprocess.run(command, check=False, env={**os.environ, **disk.environment()}, timeout=_WITHIN_S).returncode


class Hurting:
    """A process that does one operation at a time and says what came of it."""

    def __init__(self, disk: HostileDisk) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HURT, str(disk.directory)],
            env={**os.environ, **disk.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()[-1]

    def does(self, what: str) -> str:
        self.ask(what)
        return self.answer()


@pytest.fixture
def hurting(disk: HostileDisk) -> Iterator[Hurting]:
    made = Hurting(disk)
    assert made.answer() == "ready"
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "PERSIST", "WAL"])
def test_the_log_leads_to_what_is_on_the_disk_whatever_was_done(disk: HostileDisk, mode: str) -> None:
    assert _run(disk, _EVERYTHING, mode) == 9
    records = disk.records()
    assert unseen(records, disk.directory) == []
    assert (disk.directory / "made/a").read_bytes() == b"anew"
    assert {record.op for record in records} == set("CDWTRUS")
    written = sum(len(record.data) for record in records if record.op == "W" and record.path.startswith("db"))
    assert written > 50 * 3000


def test_what_a_killed_process_could_not_write_down_is_added_before_the_next(disk: HostileDisk) -> None:
    assert _run(disk, _EVERYTHING, "WAL") == 9
    (disk.directory / "made/a").write_bytes(b"changed behind its back")
    assert [record.op for record in unseen(disk.records(), disk.directory)] == ["T", "W"]
    disk.environment()
    assert unseen(disk.records(), disk.directory) == []


def test_a_shared_mapping_is_not_passed_over(disk: HostileDisk) -> None:
    code = "import mmap, sys; f = open(sys.argv[1] + '/m', 'w+b'); f.truncate(4096); mmap.mmap(f.fileno(), 4096)"
    assert _run(disk, code) == 0
    with pytest.raises(NotFollowed):
        disk.records()


def test_a_promise_stands_in_the_log_where_it_was_made(disk: HostileDisk) -> None:
    code = """if True:
        import ctypes, os, sys
        near, far = os.openpty()
        with open(sys.argv[1] + "/a", "wb", buffering=0) as file:
            file.write(b"1")
            ctypes.CDLL(None).hostile_disk_mark(b"mine", ctypes.c_size_t(4))
            os.write(far, b"told")
            file.write(b"2")
    """
    assert _run(disk, code) == 0
    records = [(record.op, record.data) for record in disk.records() if record.op in "WM"]
    assert records == [("W", b"1"), ("M", b"mine"), ("M", b"told"), ("W", b"2")]


@pytest.mark.parametrize(
    ("what", "operation", "error"),
    [("write", "write", errno.EIO), ("sync", "fsync", errno.EIO), ("truncate", "truncate", errno.EROFS),
     ("name", "rename", errno.EROFS), ("open_read", "open", errno.EMFILE), ("open_write", "create", errno.EMFILE)],
)  # fmt: skip
def test_one_operation_of_a_class_fails_when_it_is_its_turn(
    disk: HostileDisk, hurting: Hurting, what: str, operation: str, error: int
) -> None:
    disk.hurt(what, error, skip=1, times=1)
    first, second, third = (hurting.does(operation) for _ in range(3))
    assert second == errno.errorcode[error]
    assert first != second != third
    assert disk.hits() == disk.hits(what) == 1
    assert hurting.does("elsewhere").isdigit()


def test_a_full_disk_takes_what_has_room_and_overwrites(disk: HostileDisk, hurting: Hurting) -> None:
    disk.full(12)
    assert [hurting.does("write") for _ in range(3)] == ["8", "4", "ENOSPC"]
    assert (hurting.does("space"), hurting.does("again"), disk.hits()) == ("0", "8", 2)
    assert hurting.does("truncate") == "None"
    assert disk.room == 8
    disk.heal()
    assert hurting.does("write") == "8"
    assert hurting.does("space") != "0"


def test_a_read_only_disk_can_be_read(disk: HostileDisk, hurting: Hurting) -> None:
    assert hurting.does("write") == "8"
    disk.read_only()
    assert [hurting.does(what) for what in ("write", "fsync", "truncate", "rename", "create")] == ["EROFS"] * 5
    assert hurting.does("open").isdigit()
    assert (disk.directory / "file").read_bytes() == b"12345678"


async def test_a_disk_hangs_until_it_is_healed(disk: HostileDisk, hurting: Hurting) -> None:
    disk.hurt("sync", hang_s=3600)
    assert hurting.does("write") == "8"
    hurting.ask("fsync")
    async with asyncio.timeout(_WITHIN_S):
        while not disk.hits():
            await asyncio.sleep(0.01)
    begun_s = time.monotonic()
    answer = asyncio.create_task(asyncio.to_thread(hurting.answer))
    await asyncio.wait({answer}, timeout=0.3)
    assert not answer.done()
    disk.heal()
    async with asyncio.timeout(_WITHIN_S):
        assert await answer == "None"
    assert time.monotonic() - begun_s < 1000
