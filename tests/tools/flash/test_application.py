"""The application onto a board over a real pty, with real mpremote and MicroPython; the cable pulled anywhere."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from hil_tests import micropython
from tests.hil_tests.board.cabled import Cabled
from tools import image
from tools.flash import application, esptool
from tools.kit.telling import Telling
from tools.messages import Messages

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")
BOARD = "pendant_xiao_esp32c3"
CHIP = "esp32c3"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> image.Image:
    return image.stage(BOARD, tmp_path_factory.mktemp("staged") / "image")


def install(board: Cabled, what: image.Image) -> dict[str, object]:
    with Telling("flash", Messages("en"), as_json=True) as telling:
        return application.install(board.port, CHIP, what, telling)


def test_an_empty_board_gets_all_of_it_and_starts(tmp_path: Path, staged: image.Image) -> None:
    with Cabled(tmp_path) as board:
        facts = install(board, staged)
        assert facts["files"] == facts["sent"] == len(staged.sizes)
        assert facts["version"] == "1.0.0"
        assert facts["fingerprint"] == staged.fingerprint


def test_a_second_time_nothing_is_sent(tmp_path: Path, staged: image.Image) -> None:
    with Cabled(tmp_path) as board:
        install(board, staged)
        facts = install(board, staged)
        assert (facts["sent"], facts["removed"], facts["version"]) == (0, 0, "1.0.0")


def test_what_differs_is_sent_and_what_is_foreign_goes(tmp_path: Path, staged: image.Image) -> None:
    with Cabled(tmp_path) as board:
        install(board, staged)
        board.mpremote("exec", "import os; os.mkdir('old'); f = open('old/left.mpy', 'w'); f.write('x'); f.close()")
        board.mpremote("exec", "f = open('sos/app.mpy', 'r+b'); f.seek(40); f.write(b'?'); f.close()")
        facts = install(board, staged)
        assert (facts["sent"], facts["removed"]) == (1, 1)
        assert "old" not in board.mpremote("fs", "ls")
        assert "boot.py" in board.mpremote("fs", "ls")


def test_a_stale_file_alone_is_taken_away(tmp_path: Path, staged: image.Image) -> None:
    with Cabled(tmp_path) as board:
        install(board, staged)
        board.write("sos/zz.py", "x = 1")
        assert install(board, staged)["removed"] == 1
        assert "zz.py" not in board.mpremote("fs", "ls", "sos")


def test_an_application_that_does_not_start_is_told_with_its_last_word(tmp_path: Path) -> None:
    broken = image.Image(tmp_path / "broken", BOARD, release=False, fingerprint="0", sizes={"main.py": 0})
    broken.directory.mkdir()
    (broken.directory / "main.py").write_text("raise ValueError('no such luck')\n")
    (broken.directory / "boot.py").write_text("")
    broken = image.Image(broken.directory, BOARD, release=False, fingerprint="0", sizes={"boot.py": 0, "main.py": 33})
    with Cabled(tmp_path) as board, pytest.raises(esptool.ToolFailed) as failed:
        install(board, broken)
    assert failed.value.key == "application.no_start"
    assert failed.value.names["why"] == "ValueError: no such luck"


SEED = int(os.environ.get("PINGAN_SEED", "4"))
POINTS = 24


def _pull_points(whole: int) -> list[int]:
    """Everywhere: one of chance in each of so many equal parts."""
    chance = random.Random(SEED)
    return [whole * at // POINTS + chance.randrange(max(1, whole // POINTS)) for at in range(POINTS)]


def _with_older(place: Path) -> bytes:
    """The flash of a board with an older application that does not even start: it prints in a boot loop."""
    older = image.stage(BOARD, place / "older")
    (older.directory / "sos/gone.mpy").write_bytes(b"of an older image" * 20)
    for name in ("sos/app.mpy", "drivers/divider.mpy", "protocol/frame.mpy"):
        (older.directory / name).write_bytes(b"older " * 100)
    with Cabled(place) as board:
        board.mpremote("fs", "cp", "-r", *(str(path) for path in sorted(older.directory.iterdir())), ":")
        board.program.stop()
        return board.flash.read_bytes()


def _board(place: Path, flash: bytes, pull_after: int | None = None) -> Cabled:
    place.mkdir(exist_ok=True)
    if not (place / "flash.bin").exists():
        (place / "flash.bin").write_bytes(flash)
    return Cabled(place, pull_after=pull_after)


def _bytes_of_an_install(place: Path, flash: bytes, what: image.Image) -> int:
    with _board(place, flash, pull_after=1 << 30) as board:
        install(board, what)
        return board.sent


def test_what_a_pulled_cable_leaves_has_an_open_prompt(tmp_path: Path, staged: image.Image) -> None:
    before = _with_older(tmp_path)
    whole = _bytes_of_an_install(tmp_path / "whole", before, staged)
    with _board(tmp_path / "half", before, pull_after=whole // 2) as board, pytest.raises(esptool.ToolFailed):
        install(board, staged)
    with Cabled(tmp_path / "half") as board:
        left = board.mpremote("fs", "ls")
    assert "board.mpy" in left
    assert not {"main.py", "boot.py"} & set(left.split())


def test_a_cable_pulled_anywhere_leaves_a_board_that_a_second_run_repairs(tmp_path: Path, staged: image.Image) -> None:
    """Over an older application, so that every step is there: sends, removals, the two last files."""
    print("seed", SEED)
    before = _with_older(tmp_path)
    whole = _bytes_of_an_install(tmp_path / "whole", before, staged)
    print(f"{whole} bytes are sent")
    ended = []
    for number, point in enumerate(_pull_points(whole)):
        place = tmp_path / str(number)
        with _board(place, before, point) as board, pytest.raises(esptool.ToolFailed) as lost:
            install(board, staged)
        assert board.pulled.is_set()
        ended.append(lost.value.key)
        with Cabled(place) as board:
            assert install(board, staged)["version"] == "1.0.0", f"pulled after {point} of {whole} bytes"
    assert set(ended) <= {"flash.cable", "application.dead"}
    print(f"{len(ended)} pulls in {whole} bytes")


def test_a_release_is_installed_and_then_lets_nobody_in(tmp_path: Path) -> None:
    release = image.stage(BOARD, tmp_path / "release", release=True)
    with Cabled(tmp_path) as board:
        assert install(board, release)["locked"] is True
        # MicroPython itself lets Ctrl-C in again between boot.py and main.py; and each one that got in was a restart.
        for _ in range(100):
            board.type(b"\x03")
            assert board.is_silent(0.003)
        board.type(b"\r\x01")
        assert board.is_silent(0.5)
        with pytest.raises((Refusal, esptool.ToolFailed)) as closed:
            install(board, release)
        # This board has no ROM loader that would tell that its chip is alive.
        assert closed.value.key == "application.dead"
