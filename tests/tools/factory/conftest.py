"""A board of the bench with the pendant's application, as it comes from `pingan flash`."""

from __future__ import annotations

import pytest

from tests.hil_tests.board.cabled import Cabled
from tools import image

BOARD = "pendant_xiao_esp32c3"


@pytest.fixture(scope="session")
def flash(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A board with the pendant's application on it."""
    place = tmp_path_factory.mktemp("board")
    staged = image.stage(BOARD, place / "image")
    with Cabled(place) as board:
        board.mpremote("fs", "cp", "-r", *(str(path) for path in sorted(staged.directory.iterdir())), ":")
        board.program.stop()
        return board.flash.read_bytes()
