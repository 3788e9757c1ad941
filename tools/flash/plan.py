"""The steps of flashing one board, in order, each with the exact command: what --dry-run says is what is done.

Owns which steps there are. The partition `records` (identity, outbox) is in none of them but `erase`. Must not run
anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.flash import esptool
from tools.flash.boards import Board
from tools.flash.image import BLANK, Part
from tools.image import Image

# Reading over the cable costs seconds per MiB, so the chip is asked first which blocks hold anything: by their MD5.
LOOK_BYTES = 0x10000


@dataclass(frozen=True)
class Job:
    """One board at one port. `work`: a directory of this run, with a file per part in it; `image`: the application."""

    port: str
    board: Board
    parts: list[Part]
    work: Path
    erase: bool
    replace_identity: bool
    image: Image | None = None

    def file(self, name: str) -> Path:
        """Of this port in `work`; the parts are shared by all ports."""
        return self.work / f"{self.port.strip('/').replace('/', '-')}.{name}"


@dataclass(frozen=True)
class Step:
    """What esptool is told to do."""

    name: str
    command: list[str]


def steps(job: Job) -> list[Step]:
    """Find, then back up or erase, write, check. The application follows, over MicroPython's prompt: application.py."""
    records = job.board.partitions["records"]
    # A board that is refused is somebody's: it starts again as it was.
    whole = [Step("find", _command(job, ["flash-id"], chip="auto", after="hard-reset"))]
    if job.erase:
        if not job.replace_identity:
            blank = [hex(records.offset), str(job.work / "records")]
            whole.append(Step("identity", _command(job, ["verify-flash", *blank], after="hard-reset")))
        whole.append(Step("erase", _command(job, ["erase-flash"])))
    else:
        blocks = range(0, records.offset - LOOK_BYTES + 1, LOOK_BYTES)
        blank = [word for at in blocks for word in (hex(at), str(job.work / "block"))]
        whole.append(Step("look", _command(job, ["verify-flash", *blank])))
        whole.append(backup(job, records.offset))
    pairs = [word for part in job.parts for word in (hex(part.offset), str(job.work / part.name))]
    whole.append(Step("write", _command(job, ["write-flash", "--flash-size", "keep", *pairs])))
    check = ["read-flash", "0x0", hex(program_end(job.parts)), str(job.file("check"))]
    whole.append(Step("check", _command(job, check, after="hard-reset")))
    return whole


def backup(job: Job, size: int) -> Step:
    """Copy `size` bytes from the start of the flash; all that comes before the records, at most."""
    return Step("backup", _command(job, ["read-flash", "0x0", hex(size), str(job.file("backup"))]))


def program_end(parts: list[Part]) -> int:
    """The first byte behind the application; what is blank behind it is told by the chip's own MD5 alone."""
    return max(part.offset + len(part.data) for part in parts if part.name != BLANK)


def _command(job: Job, arguments: list[str], *, chip: str = "", after: str = "no-reset") -> list[str]:
    return esptool.command(job.port, chip or job.board.chip, arguments, after=after)
