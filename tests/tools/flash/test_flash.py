"""`pingan flash` with the real esptool on boards of the bench: what is written, refused, kept and told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hil_tests.board.boot import partitions
from hil_tests.board.chip import CHIPS, MIB
from tests.tools.flash.conftest import FACTORY_BYTES, NAMES, RECORDS_AT, RECORDS_SIZE, FlashBench, intact
from tools import cli
from tools.flash import boards

_ALWAYS = {"v", "command", "of", "step", "state"}
# As README.md documents them: a script may rely on these.
_FACTS = {
    "find": {"took_s", "chip", "flash_bytes", "mac"},
    "look": {"took_s", "bytes"},
    "backup": {"took_s", "file", "bytes"},
    "write": {"took_s"},
    "check": {"took_s", "bytes"},
    "all": {"reason"},
}


# A chip's own USB is reset in one way, a bridge with two transistors in another.
@pytest.mark.parametrize(("chip", "bridge"), [("esp32c3", False), ("esp32s3", True)])
def test_a_blank_board_runs_what_was_pinned_and_nothing_else(bench: FlashBench, chip: str, bridge: bool) -> None:
    board = bench.small("b1", CHIPS[chip], blank=True, bridge=bridge)
    assert board.mode == "loop"
    code, rows = bench.flash("--port", board.port, chip=chip)
    assert code == 0, rows
    assert board.mode == "run"
    assert intact(board)
    assert partitions(board.flash)["records"] == (RECORDS_AT, RECORDS_SIZE)
    done = [row["step"] for row in rows if row["state"] == "done"]
    assert done == ["find", "look", "write", "check", "all"]
    board.flash.program(0x10100, bytes(4))
    board.pull()
    board.plug()
    assert board.mode == "loop"


def test_the_watch_gets_its_own_table_and_a_bootloader_for_16_mib(bench: FlashBench) -> None:
    watch = boards.chosen(NAMES["esp32s3"])
    board = bench.board("b1", bench.kind(CHIPS["esp32s3"], watch.flash_bytes))
    # In the third of 252 blocks, and none behind it.
    board.flash.program(0x2FFFF, b"\0")
    file = bench.files["esp32s3"]
    words = ["--port", board.port, "--board", watch.name, "--micropython", file, "--sha256", _sha(file)]
    code, rows = bench.told(["--no-application", *words])
    assert code == 0, rows
    assert board.mode == "run"
    assert partitions(board.flash) == {name: (row.offset, row.size) for name, row in watch.partitions.items()}
    assert board.flash.read(3, 1)[0] >> 4 == 4
    assert [row["bytes"] for row in rows if row["step"] == "backup" and row["state"] == "done"] == [0x30000]


def test_the_copy_is_all_but_the_records_and_for_its_owner_alone(bench: FlashBench, tmp_path: Path) -> None:
    board = bench.small("b1")
    was = board.flash.read(0, FACTORY_BYTES)
    code, rows = bench.flash("--port", board.port, "--backups", tmp_path / "copies")
    assert code == 0
    facts = {row["step"]: set(row) - _ALWAYS for row in rows if row["state"] == "done"}
    assert facts == _FACTS
    (copy,) = (tmp_path / "copies").iterdir()
    assert [row["file"] for row in rows if "file" in row] == [str(copy)]
    assert copy.read_bytes() == was
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("chip", "flash_bytes", "reason"),
    [
        ("esp32s3", MIB, "flash.wrong_chip"),
        ("esp32c3", MIB // 2, "flash.wrong_size"),
        ("esp32c3", 4 * MIB, "flash.wrong_size"),
    ],
)
def test_another_board_is_refused_before_a_byte_is_written(
    bench: FlashBench, chip: str, flash_bytes: int, reason: str
) -> None:
    board = bench.board("b1", bench.kind(CHIPS[chip], flash_bytes))
    code, rows = bench.flash("--port", board.port)
    assert code == 2
    assert rows[-1]["state"] == "refused"
    assert rows[-1]["reason"] == reason
    assert set(board.flash.read(0, flash_bytes)) == {0xFF}


def test_a_file_that_is_not_the_pinned_one_is_never_written(
    bench: FlashBench, capsys: pytest.CaptureFixture[str]
) -> None:
    board = bench.small("b1")
    assert bench.flash("--port", board.port, sha256="0" * 64) == (2, [])
    assert "is not the pinned MicroPython" in capsys.readouterr().err
    other = bench.files["esp32s3"]
    assert bench.flash("--port", board.port, "--micropython", other, sha256=_sha(other)) == (2, [])
    assert "is for another chip than esp32c3" in capsys.readouterr().err
    assert board.flash.read(0, 4) == b"\xff" * 4


def test_without_a_pin_flash_refuses_and_names_the_file_to_fetch(
    bench: FlashBench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINGAN_CACHE", str(bench.directory / "cache"))
    command = ["--lang", "en", "flash", "--board", NAMES["esp32c3"]]
    assert cli.main([*command, "--micropython", str(bench.files["esp32c3"])]) == 2
    assert _sha(bench.files["esp32c3"]) in capsys.readouterr().err
    assert cli.main(command) == 2
    assert "https://micropython.org/resources/firmware/ESP32_GENERIC_C3-" in capsys.readouterr().err


def test_erasing_ends_no_identity_unless_told_so(bench: FlashBench) -> None:
    board = bench.small("b1")
    code, rows = bench.flash("--port", board.port, "--erase")
    assert (code, rows[-1]["reason"]) == (2, "flash.provisioned")
    assert intact(board)
    code, rows = bench.flash("--port", board.port, "--erase", "--replace-identity")
    assert code == 0
    assert set(board.flash.read(RECORDS_AT, RECORDS_SIZE)) == {0xFF}
    # Now there is none, and no more word is needed.
    code, rows = bench.flash("--port", board.port, "--erase")
    assert code == 0
    assert board.mode == "run"


def test_a_flash_that_does_not_keep_is_told(bench: FlashBench) -> None:
    board = bench.small("b1")
    board.faults.dead.add(0x12)
    code, rows = bench.flash("--port", board.port)
    assert (code, rows[-1]["reason"]) == (1, "flash.bad_flash")


def test_a_flipped_byte_on_the_wire_is_no_success_with_wrong_bytes(bench: FlashBench) -> None:
    board = bench.small("b1")
    for at in (15_000, 240_000):
        board.faults.odometer, board.faults.flip_at = 0, at
        code, rows = bench.flash("--port", board.port)
        assert code in {0, 1}
        assert (board.mode == "run") >= (code == 0), rows
        board.faults.flip_at = None
    assert bench.flash("--port", board.port)[0] == 0


def test_a_dry_run_says_every_command_and_touches_nothing(bench: FlashBench) -> None:
    board = bench.small("b1")
    resets = board.resets
    code, rows = bench.flash("--port", board.port, "--dry-run")
    assert code == 0
    assert [(row["step"], row["state"]) for row in rows] == [
        (step, "would") for step in ("find", "look", "backup", "write", "check", "all")
    ]
    assert all(board.port in row["run"] and "esptool" in row["run"] for row in rows[:-1])
    assert (board.resets, board.mode) == (resets, "loop")
    assert not (bench.directory / "home" / ".local").exists()


@pytest.mark.parametrize(("lang", "said"), [("en", "its flash has 2 MiB"), ("zh", "其闪存为 2 MiB")])
def test_a_person_reads_plain_lines_in_their_language(
    bench: FlashBench, lang: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = bench.board("b1", bench.kind(CHIPS["esp32c3"], 2 * MIB))
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    words = ["--lang", lang, "flash", "--port", board.port, *bench.arguments()]
    assert cli.main([str(word) for word in words]) == 2
    assert said in capsys.readouterr().out.splitlines()[-1]


def _sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
