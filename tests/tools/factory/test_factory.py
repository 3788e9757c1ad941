"""The factory's test on the real firmware over the bench's chip: a good board passes, each broken part is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil_tests import micropython
from hil_tests.board.program import Around
from tests.hil_tests.board.cabled import Cabled
from tests.tools.factory.jig import BenchJig
from tools import cli, image
from tools.factory import bench, ear

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")
BOARD = "pendant_xiao_esp32c3"
RECORDS = 0x3C0000
Run = Callable[..., tuple[int, dict[str, Any], list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def flash(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A board with the pendant's application on it."""
    place = tmp_path_factory.mktemp("board")
    staged = image.stage(BOARD, place / "image")
    with Cabled(place) as board:
        board.mpremote("fs", "cp", "-r", *(str(path) for path in sorted(staged.directory.iterdir())), ":")
        board.program.stop()
        return board.flash.read_bytes()


@pytest.fixture
def tested(flash: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on a board with something broken: exit code, parts, the book's lines."""

    def run(broken: str = "", *, dead: str = "", heard: int | None = -50, **jig_is: Any) -> Any:
        (tmp_path / "flash.bin").write_bytes(flash)
        environment = {"PINGAN_BROKEN": broken, **({"PINGAN_DEAD_FLASH": dead} if dead else {})}
        monkeypatch.setattr(bench, "PRESS_WITHIN_S", 2.0)
        monkeypatch.setattr(ear, "hear", lambda _address, _within_s: heard)
        book = tmp_path / "factory.jsonl"
        with BenchJig(**jig_is) as jig, Cabled(tmp_path, Around(body=jig.body, environment=environment)) as board:
            arguments = ["factory-test", "--port", board.port, "--measured", jig.port, "--results", str(book)]
            code = cli.main([*arguments, "--json"])
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        parts = {row["step"]: row for row in rows if row["state"] != "begun" and row["step"] != "all"}
        return code, parts, [json.loads(line) for line in book.read_text().splitlines()]

    return run


def states(parts: dict[str, Any]) -> dict[str, str]:
    return {part: row["state"] for part, row in parts.items()}


GOOD = dict.fromkeys(bench.PARTS, "done") | {"accelerometer": "skipped", "radio": "failed"}


def test_a_board_passes_but_for_a_radio_that_is_not_there(tested: Run) -> None:
    code, parts, book = tested()
    assert states(parts) == GOOD, parts
    assert code == 1
    assert parts["battery"]["mv"] == 4000
    assert parts["button"]["edges"] == 2
    assert parts["accelerometer"]["reason"] == "factory.not_fitted"
    assert book[0]["serial"] == "6055f9000001"
    assert book[0]["board"] == "pendant-xiao-esp32c3"
    assert book[0]["passed"] is False


@pytest.mark.parametrize(
    ("part", "reason", "how"),
    [
        ("led", "factory.led", {"broken": "led"}),
        ("led", "factory.led", {"broken": "green"}),
        ("motor", "factory.motor", {"broken": "motor"}),
        ("motor", "factory.motor_on", {"broken": "motor_on"}),
        ("button", "factory.no_press", {"presses": []}),
        ("button", "factory.button_stuck", {"broken": "button"}),
        ("button", "factory.bounces", {"presses": [("down", 8), ("up", 8)] * 6 + [("down", 150), ("up", 0)]}),
        ("battery", "factory.battery", {"battery_mv": 0}),
        ("battery", "factory.battery", {"battery_mv": 4600}),
        ("flash", "factory.flash", {"dead": f"{RECORDS + 0x8000},{RECORDS + 0x8FFF}"}),
        ("radio", "factory.radio", {}),
    ],
)
def test_each_broken_part_is_found_and_no_other(tested: Run, part: str, reason: str, how: dict[str, Any]) -> None:
    code, parts, book = tested(**how)
    assert code == 1
    assert states(parts) == GOOD | {part: "failed"}, parts
    assert parts[part]["reason"] == reason
    assert book[0]["parts"][part]["state"] == "failed"
