"""A bench of boards, and `pingan flash` run on it as a technician runs it: a command in a process of its own.

test_hardware.py says how to put a real board in the place of the bench's.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from hil_tests.board.bench import SMALL_BOARDS, Bench
from hil_tests.board.board import Board, Kind
from hil_tests.board.chip import CHIPS, MIB, Chip
from hil_tests.board.release import known, release
from tools import cli


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line."""
    group = parser.getgroup("flash")
    group.addoption("--board-port", default="", metavar="TTY", help="a real board; else one of the bench")
    group.addoption("--board-name", default="", metavar="NAME", help="which board that is")
    group.addoption("--board-micropython", type=Path, metavar="FILE", help="the release file for it")
    group.addoption("--pulls", type=int, default=6, help="at how many places the cable is pulled")


NAMES = {"esp32c3": "pendant_xiao_esp32c3", "esp32s3": "watch_t_watch_s3"}
# What is on a board before, in whole blocks.
FACTORY_BYTES = 0x20000
RECORDS_AT, RECORDS_SIZE = 0x30000, 0x10000


class FlashBench(Bench):
    """A bench with a stand-in release file per chip."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.files = {}
        for chip in CHIPS.values():
            self.files[chip.name] = directory / f"test_only_{chip.name}.bin"
            self.files[chip.name].write_bytes(release(chip, size=0xC000))

    def small(
        self, name: str, chip: Chip = CHIPS["esp32c3"], pull_at: int | None = None, *, blank: bool = False, **more: Any
    ) -> Board:
        """A board with 1 MiB, its records full of what must not change; `blank`: nothing before them."""
        board = self.board(name, self.kind(chip, **more))
        board.flash.program(RECORDS_AT, records_of(name))
        for at in () if blank else (0x1000, FACTORY_BYTES - 0x100):
            board.flash.program(at, b"its factory's own program")
        board.faults.odometer = 0
        board.faults.pull_at = pull_at
        return board

    def kind(self, chip: Chip, flash_bytes: int = MIB, **more: Any) -> Kind:
        """A board that runs the stand-in and nothing else."""
        return Kind(chip, flash_bytes, known=known(self.files[chip.name].read_bytes()), **more)

    def flash(
        self, *arguments: str | Path, chip: str = "esp32c3", sha256: str = ""
    ) -> tuple[int, list[dict[str, Any]]]:
        """Exit code and JSON lines of `pingan flash --no-application`."""
        return self.told(["--no-application", *self.arguments(chip, sha256), *arguments])

    def told(self, arguments: list[str | Path]) -> tuple[int, list[dict[str, Any]]]:
        """Exit code and JSON lines of `pingan flash`, run here; esptool is a process of its own and sees the boards."""
        words = ["flash", "--json", *arguments]
        told = io.StringIO()
        with mock.patch.dict(os.environ, self.environment), contextlib.redirect_stdout(told):
            code = cli.main([str(word) for word in words])
        return code, [json.loads(line) for line in told.getvalue().splitlines()]

    def flash_all(self) -> tuple[int, list[dict[str, Any]]]:
        """Every board that a computer finds on its ports, by the command in a process of its own."""
        done = self.pingan("flash", "--json", "--no-application", *self.arguments(), "--port", "all")
        assert not done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def arguments(self, chip: str = "esp32c3", sha256: str = "") -> list[str | Path]:
        """For a board of 1 MiB with its stand-in."""
        pin = sha256 or hashlib.sha256(self.files[chip].read_bytes()).hexdigest()
        which = ["--boards", SMALL_BOARDS, "--board", NAMES[chip]]
        return [*which, "--micropython", self.files[chip], "--sha256", pin]


def records_of(name: str) -> bytes:
    """What the records of a board hold before and after."""
    return (f"records of {name} ".encode() * 0x2000)[:RECORDS_SIZE]


def intact(board: Board) -> bool:
    """The records are as they were."""
    return board.flash.read(RECORDS_AT, RECORDS_SIZE) == records_of(board.directory.name)


def verdicts(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Port -> how it ended."""
    return {row["of"]: row["state"] for row in rows if row["step"] == "all"}


@pytest.fixture
def bench() -> Iterator[FlashBench]:
    """Sockets want short paths, shorter than tmp_path is."""
    with tempfile.TemporaryDirectory(prefix="pat-") as directory, FlashBench(Path(directory)) as made:
        yield made


@pytest.fixture
def seed() -> int:
    """Printed when a test fails; give it again as PINGAN_SEED."""
    value = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={value}")
    return value
