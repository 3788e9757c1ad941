"""Boards of the bench with our application on them, and `pingan provision` run on them.

The bench's boards run the real MicroPython over their flash file, behind a cable that can be pulled at any byte.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hil_tests import micropython
from hil_tests.board.bench import Bench
from hil_tests.board.board import Board, Kind
from hil_tests.board.chip import ESP32_C3, MIB
from hil_tests.board.faults import Faults
from hil_tests.board.program import Around, Program
from hil_tests.board.release import known, release
from tests import on_micropython
from tests.on_micropython import ROOT
from tools import cli, image
from tools.flash import partitions

BOARD = "pendant_xiao_esp32c3"
FLASH_BYTES = 4 * MIB
VFS_AT, RECORDS_AT, RECORDS_SIZE = 0x200000, 0x3C0000, 0x40000
MICROPYTHON = release(ESP32_C3, size=0xC000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where no interpreter can be built there is no board of the bench."""
    if not micropython.can_build():
        for item in items:
            if "bench" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="the chip's prompt needs our own build"))


@pytest.fixture(scope="session")
def flashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flash file as `pingan flash` leaves it: MicroPython's stand-in, our table, our application, blank records."""
    directory = tmp_path_factory.mktemp("flashed")
    data = bytearray(MICROPYTHON.ljust(FLASH_BYTES, b"\xff"))
    table = partitions.read(ROOT / "firmware/boards/partitions_4MiB.csv", FLASH_BYTES)
    data[partitions.OFFSET : partitions.OFFSET + partitions.SIZE] = partitions.encode(table)
    flash = directory / "flash.bin"
    flash.write_bytes(data)
    staged = image.stage(BOARD, directory / "image").directory
    near, far = os.openpty()
    tty.setraw(far)
    program = Program(directory, flash, near)
    program.start()
    try:
        command = [sys.executable, "-m", "mpremote", "connect", os.ttyname(far), "fs", "cp", "-r"]
        subprocess.run([*command, *map(str, staged.iterdir()), ":"], check=True, capture_output=True, timeout=120)
    finally:
        program.stop()
        os.close(near)
        os.close(far)
    return flash


@dataclass
class Ran:
    """How a command ended."""

    code: int
    rows: list[dict[str, Any]]
    said: str = field(repr=False)

    @property
    def verdicts(self) -> dict[str, dict[str, Any]]:
        """The last row of each port."""
        return {row["of"]: row for row in self.rows if row["step"] == "all"}

    @property
    def verdict(self) -> dict[str, Any]:
        """Of the only board."""
        (row,) = self.verdicts.values()
        return row


@dataclass
class PulledOn(Faults):
    """Hears all that goes over the cable; while armed, pulls it a few bytes after a word was heard."""

    word: bytes = b""
    armed: bool = True
    heard: bytearray = field(default_factory=bytearray)

    def passes(self, data: bytes) -> bytes:
        arrived = super().passes(data)
        begun = len(self.heard)
        self.heard += arrived
        if self.armed and self.word and self.word in self.heard[max(0, begun - 64) :] and self.pull_at is None:
            self.pull_at = self.odometer + 5
        return arrived


class KitBench(Bench):
    """A bench with a platform's key and a kit's store."""

    def __init__(self, directory: Path, flashed: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(directory)
        self._flashed = flashed
        self._capsys = capsys
        self.private, self.public = directory / "platform.key", directory / "platform.pub"
        assert cli.main(["desk", "keys", "new", "--private", str(self.private), "--public", str(self.public)]) == 0
        capsys.readouterr()
        self.store = directory / "kit"
        self.desk_keys = directory / "keys.json"

    def flashed(
        self,
        name: str,
        number: int = 1,
        serial: str | None = None,
        faults: Faults | None = None,
        environment: dict[str, str] | None = None,
    ) -> Board:
        """A board as it comes from `pingan flash`, plugged in."""
        (self.directory / name).mkdir()
        shutil.copyfile(self._flashed, self.directory / name / "flash.bin")
        return self.blank(name, number, serial, faults, environment)

    def blank(
        self,
        name: str,
        number: int = 1,
        serial: str | None = None,
        faults: Faults | None = None,
        environment: dict[str, str] | None = None,
    ) -> Board:
        """A board out of its box, plugged in."""
        mac = bytes.fromhex("6055f9000000")[:5] + bytes([number])

        def program(directory: Path, flash: Path, console: str) -> Program:
            around = Around(mac=mac.hex(":"), serial=serial, environment=environment or {})
            return Program(directory, flash, console, around)

        kind = Kind(ESP32_C3, FLASH_BYTES, mac=mac, known=known(MICROPYTHON), program=program)
        return self.board(name, kind, faults)

    def arguments(self, *boards: Board) -> list[str]:
        ports = [word for board in boards for word in ("--port", board.port)]
        return ["provision", *ports, "--platform-key", str(self.public), "--store", str(self.store), "--json"]

    def provision(self, *boards: Board, more: tuple[str, ...] = ()) -> Ran:
        """In this process."""
        self._capsys.readouterr()
        code = cli.main([*self.arguments(*boards), *more])
        said = self._capsys.readouterr()
        assert said.err == ""
        return Ran(code, [json.loads(line) for line in said.out.splitlines()], said.out)

    def files(self, folder: str) -> list[str]:
        """Handles that have a file in a folder of the store."""
        return sorted(file.stem for file in (self.store / folder).glob("*.json"))

    def live(self) -> dict[str, str]:
        """Hardware -> handle of every enrolment that is not revoked; two of one chip would be an error."""
        found: dict[str, str] = {}
        for handle in self.files("enrolments"):
            (row,) = json.loads((self.store / "enrolments" / f"{handle}.json").read_text())["wearables"]
            hardware = json.loads((self.store / "records" / f"{handle}.json").read_text())["hardware"]
            if not row.get("revoked"):
                assert hardware not in found, "two identities of one board"
                found[hardware] = handle
        return found

    def imported(self) -> dict[str, bytes]:
        """Handle -> root, of all records as the platform opens them."""
        arguments = ["desk", "import", "--keys", str(self.desk_keys), "--private", str(self.private)]
        assert cli.main([*arguments, str(self.store / "records")]) == 0
        rows = json.loads(self.desk_keys.read_text())["wearables"]
        return {row["wearable"]: bytes.fromhex(row["root"]) for row in rows}


def on_board(board: Board) -> tuple[str, int]:
    """The active handle in a board's flash, "" for none, "?" for half a one; and the counter that is reserved."""
    board.flash.save()
    script = Path(__file__).with_name("records_reader.py")
    said = on_micropython.interpreter(
        script, board.flash.file, str(RECORDS_AT), str(RECORDS_SIZE), paths=(ROOT / "firmware", ROOT)
    )
    *handle, reserved = said.split()
    return "".join(handle), int(reserved)


@pytest.fixture
def bench(flashed: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[KitBench]:
    """Sockets want short paths, shorter than tmp_path is."""
    with tempfile.TemporaryDirectory(prefix="pat-") as directory, KitBench(Path(directory), flashed, capsys) as made:
        yield made


@pytest.fixture
def seed() -> int:
    """Printed when a test fails; give it again as PINGAN_SEED."""
    value = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={value}")
    return value
