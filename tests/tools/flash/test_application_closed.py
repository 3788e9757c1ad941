"""A whole board of the bench, loader and all: a released one is told from a dead one, and can be flashed anew."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from unittest import mock

import pytest

from edge_daemon.errors import Refusal
from hil_tests import micropython
from hil_tests.board.board import Kind
from hil_tests.board.chip import ESP32_C3
from hil_tests.board.program import Around, Program
from hil_tests.board.release import known, release
from tests.tools.flash.conftest import FlashBench
from tests.tools.flash.test_application import BOARD, CHIP
from tools import image
from tools.flash import application, boards, esptool
from tools.kit.telling import Telling
from tools.messages import Messages

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")


def install(port: str, what: image.Image) -> dict[str, object]:
    with Telling("flash", Messages("en"), as_json=True) as telling:
        return application.install(port, CHIP, what, telling)


def test_a_released_board_is_told_from_a_dead_one_and_can_be_flashed_anew(bench: FlashBench, tmp_path: Path) -> None:
    file = bench.directory / "test_only.bin"
    file.write_bytes(release(ESP32_C3))
    around = Around(interpreter=micropython.binary())
    kind = Kind(
        ESP32_C3,
        boards.chosen(BOARD).flash_bytes,
        known=known(file.read_bytes()),
        program=lambda directory, flash, tty: Program(directory, flash, tty, around),
    )
    board = bench.board("b1", kind)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    flash = ["--port", board.port, "--board", BOARD, "--micropython", str(file), "--sha256", sha256]
    assert bench.told([*flash])[0] == 0
    released = image.stage(BOARD, tmp_path / "released", release=True)
    with mock.patch.dict(os.environ, bench.environment):
        assert install(board.port, released)["locked"] is True
        with pytest.raises(Refusal) as closed:
            install(board.port, released)
        assert closed.value.key == "application.closed"
    assert bench.told([*flash])[0] == 0
    board.pull()
    with mock.patch.dict(os.environ, bench.environment), pytest.raises(esptool.ToolFailed) as gone:
        install(board.port, released)
    assert gone.value.key in ("flash.cable", "application.dead")
