"""The same command on a real board, when one is named; else on a whole one of the bench, MicroPython and all.

    pytest tests/tools/flash/test_hardware.py --board-port=/dev/ttyACM0 --board-name=NAME --board-micropython=FILE

Its program is replaced, its records stay. Nothing else here differs between the two.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil_tests import micropython
from hil_tests.board.board import Kind
from hil_tests.board.chip import ESP32_C3
from hil_tests.board.program import Around, Program
from hil_tests.board.release import known, release
from tests.tools.flash.conftest import FlashBench
from tools.flash import boards
from tools.image_sources import find

_WITHIN_S = 120
# The partition's SHA-256 leaves the board, and nothing that is in it.
_HASH_RECORDS = """
import esp32, hashlib, binascii
p = esp32.Partition.find(1, label='records')[0]
digest, block = hashlib.sha256(), bytearray(4096)
for number in range(p.ioctl(4, 0)):
    p.readblocks(number, block)
    digest.update(block)
print(binascii.hexlify(digest.digest()).decode())
"""


@dataclass
class Target:
    """A board at a port, and what goes on it."""

    bench: FlashBench
    port: str
    name: str
    micropython: Path

    def flash(self, *more: str) -> tuple[int, list[dict[str, object]]]:
        """`pingan flash` with the real table of boards."""
        sha256 = hashlib.sha256(self.micropython.read_bytes()).hexdigest()
        words = ["--port", self.port, "--board", self.name, "--micropython", self.micropython, "--sha256", sha256]
        return self.bench.told([*words, *more])

    def mpremote(self, code: str) -> str:
        """What the board prints."""
        command = [sys.executable, "-m", "mpremote", "connect", self.port, "exec", code]
        environment = self.bench.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def target(bench: FlashBench, request: pytest.FixtureRequest) -> Iterator[Target]:
    option = request.config.getoption
    port = option("--board-port", "")
    if port:
        yield Target(bench, port, option("--board-name"), option("--board-micropython"))
        return
    if not micropython.can_build():
        pytest.skip("the bench's program needs our own build")
    file = bench.directory / "test_only.bin"
    file.write_bytes(release(ESP32_C3))
    # Built before a home of its own is put around the command.
    around = Around(interpreter=micropython.binary())
    flash_bytes = boards.chosen("pendant_xiao_esp32c3").flash_bytes
    kind = Kind(
        ESP32_C3,
        flash_bytes,
        known=known(file.read_bytes()),
        program=lambda directory, flash, tty: Program(directory, flash, tty, around),
    )
    board = bench.board("b1", kind)
    board.flash.program(boards.chosen("pendant_xiao_esp32c3").partitions["records"].offset + 0x5000, b"records")
    yield Target(bench, board.port, "pendant_xiao_esp32c3", file)


def test_a_board_is_flashed_runs_our_application_and_keeps_its_records(target: Target) -> None:
    code, rows = target.flash()
    assert code == 0, rows
    facts = {row["step"]: row for row in rows if row["state"] == "done"}
    assert facts["application"]["files"] == len(find(target.name)) + 1
    assert facts["application"]["version"]
    partition = boards.chosen(target.name).partitions["records"]
    said = target.mpremote("import esp32; p = esp32.Partition.find(1, label='records')[0].info(); print(p[2], p[3])")
    assert said == f"{partition.offset} {partition.size}"
    before = target.mpremote(_HASH_RECORDS)
    assert len(before) == 64
    code, rows = target.flash()
    assert code == 0, rows
    assert target.mpremote(_HASH_RECORDS) == before
