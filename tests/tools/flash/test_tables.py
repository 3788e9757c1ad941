"""Partition tables, MicroPython's file and the bootloader's header, each held against Espressif's own tools."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from hil_tests.board.bench import SMALL_BOARDS
from hil_tests.board.chip import CHIPS
from hil_tests.board.release import release
from tools.flash import boards, image, partitions
from tools.flash.boards import Board
from tools.image_sources import boards as sources

# SHA-256 of what ESP-IDF's gen_esp32part.py makes of the two CSV files.
OF_ESP_IDF = {
    "pendant_xiao_esp32c3": "91530449af6fb517771158567760692d6500e2a564c9a088fc8ca303d732bb6a",
    "watch_t_watch_s3": "f4cc90266e0bcfa28dbd550597df4b1a71743ed286f817708ac836a976805a50",
}


@pytest.mark.parametrize("name", OF_ESP_IDF)
def test_a_table_is_byte_for_byte_what_esp_idf_makes(name: str) -> None:
    table = partitions.encode(boards.chosen(name).partitions)
    assert len(table) == partitions.SIZE
    assert hashlib.sha256(table).hexdigest() == OF_ESP_IDF[name]


def test_every_board_of_the_table_has_sources_and_no_invented_pin() -> None:
    for board in boards.load().values():
        assert board.name in sources()
        assert re.fullmatch(r"([0-9a-f]{64})?", board.sha256)
        assert board.partitions["records"].end <= board.flash_bytes


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("records, data, 0x40, 0x3C0000, 0x41000", "behind the flash"),
        ("records, data, 0x40, 0x3B0000, 0x40000", "begins before"),
        ("records, data, 0x40, 0x3C0100, 0x10000", "not allowed"),
        ("a_name_of_seventeen, data, 0x40, 0x3C0000, 0x10000", "no partition records"),
        ("records, data, 0x40, wrong, 0x10000", "invalid literal"),
        ("records, data", "a row has"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_the_reason(tmp_path: Path, row: str, why: str) -> None:
    known = boards.TABLE.parent.joinpath("../../firmware/boards/partitions_4MiB.csv").read_text().splitlines()
    file = tmp_path / "partitions.csv"
    file.write_text("\n".join([*known[:-1], row]))
    with pytest.raises(Refusal) as refused:
        partitions.read(file, 4 << 20)
    assert refused.value.key == "flash.bad_partitions"
    assert why in str(refused.value.params["why"])


@pytest.mark.parametrize("text", ["=", "[b]\nchip = 'esp32c3'", "b = 1"])
def test_a_table_of_boards_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "boards.toml").write_text(text)
    with pytest.raises(Refusal) as refused:
        boards.load(tmp_path / "boards.toml")
    assert refused.value.key == "flash.bad_boards"


@pytest.mark.parametrize("name", OF_ESP_IDF)
def test_the_bootloader_says_our_flash_size_and_is_still_valid_to_esptool(name: str, tmp_path: Path) -> None:
    board = boards.chosen(name)
    parts = {part.name: part for part in image.parts_of(board, release(CHIPS[board.chip]), "file")}
    assert [part.offset for part in parts.values()] == [0, 0x8000, 0x10000, board.partitions["vfs"].offset]
    (tmp_path / "bootloader").write_bytes(parts["bootloader"].data)
    command = [sys.executable, "-m", "esptool", "--chip", board.chip, "image-info", str(tmp_path / "bootloader")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert f"Flash size: {board.flash_bytes >> 20}MB" in said
    assert re.search(r"Checksum: 0x\w\w \(valid\)", said)
    assert re.search(r"Validation hash: \w+ \(valid\)", said)


def _small() -> Board:
    return boards.chosen("pendant_xiao_esp32c3", SMALL_BOARDS)


@pytest.mark.parametrize(
    ("file", "key"),
    [
        (b"", "flash.not_micropython"),
        (b"PK\x03\x04" * 0x8000, "flash.not_micropython"),
        (release(CHIPS["esp32c3"])[:0x8000], "flash.not_micropython"),
        # Its bootloader ends in the middle.
        (release(CHIPS["esp32c3"])[:0x1000].ljust(0x10000, b"\xff") + release(CHIPS["esp32c3"])[0x10000:0x12000],
         "flash.not_micropython"),
        (release(CHIPS["esp32s3"]), "flash.other_chips_file"),
        (release(CHIPS["esp32c3"]), "flash.too_large"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_written_is_refused(file: bytes, key: str) -> None:
    with pytest.raises(Refusal) as refused:
        image.parts_of(_small(), file, "file")
    assert refused.value.key == key
