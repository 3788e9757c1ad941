"""`pingan label` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import cli

CODE = "PAT-F1Y47-2MGXV-9EY-U"


def test_it_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / "png" / f"{CODE}.png", tmp_path / "roll.pdf", tmp_path / "sheet.pdf"]
    wanted = ["--png", str(files[0].parent), "--roll", str(files[1]), "--sheet", str(files[2])]
    assert cli.main(["label", "f0f8871521dda5de", *wanted, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["of"] for row in rows] == [CODE, *map(str, files)]
    assert {row["state"] for row in rows} == {"done"}
    assert [file.read_bytes()[:4] for file in files] == [b"\x89PNG", b"%PDF", b"%PDF"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([CODE], "--png DIR"),
        (["PAT-F1Y47-2MGXV-9EY-T", "--png", "x"], "Read the label again"),
        (["nonsense", "--png", "x"], "no code of a wearable"),
        ([CODE, "--roll", "/proc/none/x"], "cannot be written"),
    ],
)
def test_it_refuses_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--lang", "en", "label", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
