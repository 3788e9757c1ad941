"""The bench's chip: NOR flash, lines, framing and what boots, each by itself; and the real esptool on its bare ROM."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.board import boot, slip
from hil_tests.board.bench import Bench
from hil_tests.board.board import Board, Kind
from hil_tests.board.chip import ESP32_C3, ESP32_S3, MIB, Chip
from hil_tests.board.faults import SECTOR_WEIGHS, Cut, Faults
from hil_tests.board.flash import SECTOR, Flash
from hil_tests.board.lines import Bridge, UsbJtag
from hil_tests.board.loader import _checksum
from hil_tests.board.release import known, release


@pytest.fixture
def seed() -> int:
    """Printed when a test fails; give it again as PINGAN_SEED."""
    value = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={value}")
    return value


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="pat-") as directory, Bench(Path(directory)) as made:
        yield made


def test_programming_only_clears_bits_and_erasing_sets_whole_sectors(tmp_path: Path) -> None:
    flash = Flash(tmp_path / "flash.bin", MIB, Faults())
    flash.program(0xFFE, b"\xf0\x0f\xaa")
    flash.program(0xFFE, b"\x3c")
    assert flash.read(0xFFD, 5) == b"\xff\x30\x0f\xaa\xff"
    flash.erase(0x1000, 1)
    assert flash.read(0xFFD, 5) == b"\xff\x30\x0f\xff\xff"
    assert (tmp_path / "flash.bin").stat().st_size == MIB


def test_a_power_cut_leaves_one_torn_sector_and_nothing_behind_it(tmp_path: Path) -> None:
    faults = Faults(pull_at=2 * SECTOR_WEIGHS)
    flash = Flash(tmp_path / "flash.bin", MIB, faults)
    with pytest.raises(Cut):
        flash.program(0, b"\x55" * 5 * SECTOR)
    whole, torn, rest = flash.read(0, 2 * SECTOR), flash.read(2 * SECTOR, SECTOR), flash.read(3 * SECTOR, 2 * SECTOR)
    assert set(whole) == {0x55}
    assert b"\x55" in torn
    assert torn.endswith(b"\xff")
    assert set(rest) == {0xFF}


def test_a_dead_sector_takes_nothing(tmp_path: Path) -> None:
    flash = Flash(tmp_path / "flash.bin", MIB, Faults(dead={1}))
    flash.erase(0, 3 * SECTOR)
    flash.program(SECTOR - 1, b"abc")
    assert flash.read(SECTOR - 1, 3) == b"a\0\0"


def test_the_chips_own_usb_is_reset_as_its_manual_says() -> None:
    resets: list[bool] = []
    usb = UsbJtag(resets.append)
    # As opened by a terminal: both asserted at once. Nothing must happen.
    for dtr, rts in [(True, True), (False, False), (True, False), (True, True)]:
        usb.change(dtr, rts)
    assert resets == []
    usb.change(dtr=False, rts=True)
    assert resets == [True]
    usb.change(dtr=False, rts=False)
    usb.change(dtr=False, rts=True)
    assert resets == [True, False]


def test_a_bridge_samples_io0_only_after_the_capacitor() -> None:
    resets: list[bool] = []
    bridge = Bridge(resets.append)
    # As pyserial can: one line at a time, through a pair that must not count.
    for dtr, rts in [(False, True), (True, True), (True, False)]:
        bridge.change(dtr, rts)
    assert resets == []
    bridge.settled()
    bridge.change(dtr=False, rts=False)
    bridge.settled()
    assert resets == [True]
    bridge.change(dtr=False, rts=True)
    bridge.change(dtr=False, rts=False)
    bridge.settled()
    assert resets == [True, False]
    # Both asserted: neither transistor conducts.
    bridge.change(dtr=False, rts=True)
    bridge.change(dtr=True, rts=True)
    bridge.settled()
    assert resets == [True, False, False]


def test_packets_come_out_as_they_went_in_whatever_the_pieces(seed: int) -> None:
    chance = random.Random(seed)
    packets = [chance.randbytes(chance.randrange(1, 300)) + b"\xc0\xdb\xdc\xdd" for _ in range(50)]
    wire = b"".join(map(slip.frame, packets))
    reader = slip.Reader()
    got = []
    while wire:
        cut = chance.randrange(1, 60)
        got += reader.feed(wire[:cut])
        wire = wire[cut:]
    assert got == packets


@pytest.mark.parametrize("size", [0, 1, 64, 65, 4097, 16384])
def test_the_checksum_is_the_xor_of_all_bytes(size: int) -> None:
    data = random.Random(size).randbytes(size)
    plain = 0xEF
    for byte in data:
        plain ^= byte
    assert _checksum(data) == plain


def test_a_flipped_byte_and_a_pull_fall_where_they_were_put() -> None:
    faults = Faults(pull_at=7, flip_at=3)
    assert faults.passes(b"\0\0") == b"\0\0"
    assert faults.passes(b"\0\0\0") == b"\0\x55\0"
    assert faults.passes(b"\0\0\0") == b"\0\0"


def test_only_the_known_application_behind_a_whole_table_boots(tmp_path: Path) -> None:
    flash = Flash(tmp_path / "flash.bin", MIB, Faults())
    file = release(ESP32_C3, size=0xC000)
    flash.program(0, file)
    assert "partition table" in boot.why_not(flash, ESP32_C3, known(file))
    other = release(ESP32_S3, size=0xC000)
    assert "another chip" in boot.why_not(_flashed(tmp_path / "s3.bin", other), ESP32_C3, known(other))
    assert boot.why_not(Flash(tmp_path / "blank.bin", MIB, Faults()), ESP32_C3, {}) == "invalid header: 0xffffffff"


def _flashed(file: Path, data: bytes) -> Flash:
    flash = Flash(file, MIB, Faults())
    flash.program(0, data)
    return flash


def _esptool(bench: Bench, board: Board, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "esptool", "--port", board.port, *map(str, arguments)]
    done = subprocess.run(command, env=bench.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("kind", "name"), [(ESP32_C3, "ESP32-C3"), (ESP32_S3, "ESP32-S3")])
def test_esptool_writes_reads_and_compares_without_its_stub(
    bench: Bench, tmp_path: Path, kind: Chip, name: str, seed: int
) -> None:
    board = bench.board("b1", Kind(kind, MIB, bridge=True))
    data = random.Random(seed).randbytes(3000) + bytes(3000)
    (tmp_path / "data").write_bytes(data)
    said = _esptool(bench, board, "--no-stub", "--baud", "460800", "write-flash", "0x2000", tmp_path / "data")
    assert f"Connected to {name}" in said
    assert "Hash of data verified" in said
    assert board.flash.read(0x2000, len(data)) == data
    _esptool(bench, board, "--no-stub", "--after", "no-reset", "read-flash", "0x2000", "6000", tmp_path / "read")
    assert (tmp_path / "read").read_bytes() == data
    assert board.mode == "rom"
