"""What the factory's test must not touch, whatever it finds; and a cable pulled in the middle."""

from __future__ import annotations

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
from tools.factory import bench
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


def test_a_board_with_an_accelerometer_is_asked_for_it(tmp_path: Path) -> None:
    """No board file of today has one: the self-test with a board that does."""
    stub = "class Board:\n name = 'b'\n def acceleration_mg(self):\n  return (3, -4, 996)\n"
    with Cabled(tmp_path) as board, open_prompt(board.port, "auto") as prompt:
        prompt.run(bench.self_test())
        prompt.run(stub)
        assert prompt.run("print(SelfTest(Board()).accelerometer())").strip() in (
            "{'fitted': True, 'mg': [3, -4, 996]}",
            "{'mg': [3, -4, 996], 'fitted': True}",
        )
