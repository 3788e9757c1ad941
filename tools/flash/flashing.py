"""Flashing one board: the steps of the plan, each judged before the next begins.

Owns what is refused and what is compared. Nothing is written before `find` has recognised chip and flash. Every end is
told; a board left in the middle stays in its loader, which is in the chip's ROM, and a second run begins anew.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path
from typing import Any

from tools.flash import application, esptool, plan
from tools.flash.image import BLANK
from tools.flash.plan import Job, Step
from tools.kit.telling import Telling

_CHIP = re.compile(r"Connected to (ESP\S+) on ")
_SIZE = re.compile(r"Detected flash size: (\d+)([KM])B")
_VERIFIED = re.compile(r"^Verification (successful|failed) \(", re.MULTILINE)
_MAC = re.compile(r"MAC:\s+([0-9a-f:]{17})")


class Refused(Exception):
    """This board is not to be flashed so."""

    def __init__(self, key: str, **names: object) -> None:
        super().__init__(key)
        self.key = key
        self.names = names


class Flashing:
    """Flashes the board of `job`. `backups`: where what was on it is kept."""

    def __init__(self, job: Job, backups: Path, telling: Telling, stop: threading.Event) -> None:
        self._job = job
        self._backups = backups
        self._telling = telling
        self._stop = stop
        self._mac = ""
        self._used = 0

    def run(self) -> None:
        """All steps. Raises Refused, Refusal, esptool.ToolFailed, Stopped or OSError; the step that failed is open."""
        judge = {
            "find": self._found,
            "look": self._looked,
            "backup": self._kept,
            "check": self._compared,
        }
        for planned in plan.steps(self._job):
            step = plan.backup(self._job, self._used) if planned.name == "backup" else planned
            if step.name == "backup" and not self._used:
                self._telling.end(self._job.port, step.name, "skipped")
                continue
            self._telling.begin(self._job.port, step.name)
            output = self._run(step)
            facts = judge[step.name](output) if step.name in judge else {}
            self._telling.end(self._job.port, step.name, **facts)
        if self._job.image is not None:
            application.install(self._job.port, self._job.board.chip, self._job.image, self._telling, self._stop)

    def _run(self, step: Step) -> str:
        def progress(done: float, whole: float) -> None:
            self._telling.part(self._job.port, step.name, done, whole)

        try:
            return self._tried(step, progress)
        except esptool.ToolFailed as failed:
            if failed.key != "flash.bad_flash":
                raise
            if step.name == "identity":
                raise Refused("flash.provisioned") from failed
            if step.name == "look":
                return failed.output
            raise

    def _tried(self, step: Step, progress: esptool.Progress) -> str:
        """A board that is still plugged in gets a second chance: a busy hub or computer loses a byte now and then."""
        try:
            return esptool.run(step.command, progress, self._stop)
        except esptool.ToolFailed as failed:
            if failed.key != "flash.cable" or not Path(self._job.port).exists():
                raise
        return esptool.run(step.command, progress, self._stop)

    def _found(self, output: str) -> dict[str, Any]:
        board = self._job.board
        chip, size, mac = _CHIP.search(output), _SIZE.search(output), _MAC.search(output)
        found = chip[1].lower().replace("-", "") if chip else "?"
        if found != board.chip:
            raise Refused("flash.wrong_chip", found=found, wanted=board.chip, board=board.name)
        flash_bytes = int(size[1]) << {"K": 10, "M": 20}[size[2]] if size else 0
        if flash_bytes != board.flash_bytes:
            raise Refused("flash.wrong_size", found=_mib(flash_bytes), wanted=_mib(board.flash_bytes), board=board.name)
        self._mac = mac[1].replace(":", "") if mac else "unknown"
        return {"chip": found, "flash_bytes": flash_bytes, "mac": self._mac}

    def _looked(self, output: str) -> dict[str, Any]:
        """How far the flash holds anything, in blocks; a last piece that is no block counts as held."""
        before = self._job.board.partitions["records"].offset
        held = [number for number, word in enumerate(_VERIFIED.findall(output), 1) if word == "failed"]
        whole = before // plan.LOOK_BYTES * plan.LOOK_BYTES
        self._used = before if before > whole else max(held, default=0) * plan.LOOK_BYTES
        return {"bytes": self._used}

    def _kept(self, _output: str) -> dict[str, Any]:
        """The copy gets its lasting name once it is whole and on the disk."""
        self._backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = self._backups / f"{self._job.board.name}-{self._mac}-{when}.bin"
        source = self._job.file("backup")
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(source.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        source.unlink()
        return {"file": str(target), "bytes": target.stat().st_size}

    def _compared(self, _output: str) -> dict[str, Any]:
        """What was read back is what was written, byte for byte; the chip's MD5 of all was its own word for it."""
        read = self._job.file("check").read_bytes()
        for part in self._job.parts:
            if part.name != BLANK and read[part.offset : part.offset + len(part.data)] != part.data:
                raise esptool.ToolFailed("flash.bad_flash", why=part.name)
        self._job.file("check").unlink()
        return {"bytes": sum(len(part.data) for part in self._job.parts)}


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB"
