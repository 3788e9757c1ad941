"""What the factory's test must not touch, whatever it finds; and a cable pulled in the middle."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hil_tests import micropython
from hil_tests.board.program import Around
from tests.hil_tests.board.cabled import Cabled
from tests.tools.factory.jig import BenchJig
from tools import cli
from tools.factory import bench, verdicts
from tools.flash.application_prompt import open_prompt

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")
RECORDS = slice(0x3C0000, 0x400000)
FORMAT = """
import esp32, vfs
part = esp32.Partition.find(1, label="records")[0]
vfs.VfsLfs2.mkfs(part, readsize=32, progsize=128)
vfs.mount(vfs.VfsLfs2(part, readsize=32, progsize=128), "/flash")
for name in ("identity", "keepsake"):
    with open("/flash/" + name, "wb") as file:
        file.write(name.encode() * 10)
"""
READ = """
import esp32, vfs, os
part = esp32.Partition.find(1, label="records")[0]
vfs.mount(vfs.VfsLfs2(part, readsize=32, progsize=128), "/flash")
print(sorted(os.listdir("/flash")), open("/flash/identity").read(), open("/flash/keepsake").read())
print(os.listdir("/"))
"""


def factory_test(board: Cabled, jig: BenchJig, book: Path) -> tuple[int, dict[str, Any]]:
    arguments = ["factory-test", "--port", board.port, "--measured", jig.port, "--results", str(book), "--json"]
    code = cli.main(arguments)
    return code, json.loads(book.read_text())["parts"] if book.exists() else {}


def test_an_identity_and_what_lies_beside_it_are_as_they_were(flash: bytes, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(flash)
    with BenchJig() as jig, Cabled(tmp_path, Around(body=jig.body)) as board:
        board.mpremote("exec", FORMAT)
        _, parts = factory_test(board, jig, tmp_path / "book")
        assert parts["flash"]["state"] == "done"
        said = board.mpremote("exec", READ)
    assert "'identity'" in said
    assert "identity" * 10 in said
    assert "keepsake" * 10 in said
    assert "selftest" not in said


def test_a_records_partition_that_is_somebodys_is_left_alone_to_the_last_byte(flash: bytes, tmp_path: Path) -> None:
    spoilt = bytearray(flash)
    # In the last block: those before it are blank, and may not be tried either.
    spoilt[RECORDS.stop - 4096 : RECORDS.stop - 4000] = os.urandom(96)
    (tmp_path / "flash.bin").write_bytes(spoilt)
    with BenchJig() as jig, Cabled(tmp_path, Around(body=jig.body)) as board:
        code, parts = factory_test(board, jig, tmp_path / "book")
        assert board.flash.read_bytes()[RECORDS] == bytes(spoilt[RECORDS])
    assert code == 1
    assert parts["flash"]["reason"] == "factory.flash"
    assert "not blank" in parts["flash"]["why"]


def test_a_blank_records_partition_is_blank_afterwards(flash: bytes, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(flash)
    with BenchJig() as jig, Cabled(tmp_path, Around(body=jig.body)) as board:
        factory_test(board, jig, tmp_path / "book")
        assert set(board.flash.read_bytes()[RECORDS]) == {0xFF}


def test_a_cable_pulled_in_the_middle_is_told_and_is_not_in_the_book(
    flash: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flash.bin").write_bytes(flash)
    with BenchJig() as jig, Cabled(tmp_path, Around(body=jig.body), pull_after=5000) as board:
        code, parts = factory_test(board, jig, tmp_path / "book")
        assert board.pulled.is_set()
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (code, parts, last["state"], last["reason"]) == (1, {}, "failed", "flash.cable")


# A chip that lies still, 50 times a second; what it has kept from before is from when it was turned over.
RESTING = """
class Board:
    has_accelerometer = True
    told = 1
    def __init__(self):
        self.ms, self.row = 0, [(0, 0, -1000)] * 170
    def now_ms(self):
        return self.ms
    def wait(self, most_ms):
        assert 0 < most_ms <= 300
        self.ms += most_ms
        self.row += [(2, -4, 995), (4, -4, 997)] * (most_ms // 40) + [(3, -4, 996)] * (most_ms % 40 // 20)
        self.row = self.row[-170:] if self.told else []
    def samples(self, buf):
        count = min(len(buf) // 3, len(self.row))
        for at in range(count * 3):
            buf[at] = self.row[at // 3][at % 3]
        self.row = self.row[count:]
        return count
"""


def felt(board: Cabled, stub: str) -> dict[str, Any]:
    """What the self-test says of this board's accelerometer."""
    with open_prompt(board.port, "auto") as prompt:
        prompt.run(bench.self_test())
        prompt.run(stub)
        answer: dict[str, Any] = ast.literal_eval(prompt.run("print(SelfTest(Board()).accelerometer())").strip())
        return answer


def test_a_board_with_an_accelerometer_is_asked_for_it(tmp_path: Path) -> None:
    with Cabled(tmp_path) as board:
        answer = felt(board, RESTING)
    assert answer == {"fitted": True, "mg": [3, -4, 996]}
    assert verdicts.accelerometer(answer).state == "done"


def test_an_accelerometer_that_says_nothing_fails_and_one_that_is_not_there_does_not(tmp_path: Path) -> None:
    with Cabled(tmp_path) as board:
        silent = felt(board, RESTING.replace("told = 1", "told = 0"))
        raising = felt(board, RESTING.replace("count = min(", "raise OSError(19)\n        count = min("))
        absent = felt(board, RESTING.replace("has_accelerometer = True", "has_accelerometer = False"))
    assert silent == raising == {"fitted": True, "mg": [0, 0, 0]}
    assert verdicts.accelerometer(silent).state == "failed"
    assert absent == {"fitted": False}
