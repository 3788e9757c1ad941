"""The house rules that a machine can hold: sizes, first lines, names, and that folders say what lives in them."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES_MOST = 300
FUNCTION_LINES_MOST = 50
# The C end of `bluetooth` follows MicroPython's own file function by function.
LONGER = {"hil_tests/micropython/variant/modbluetooth_radio.c"}
FORBIDDEN = {"utils", "helpers", "common", "manager", "misc"}
SOURCE = ("protocol", "firmware", "edge_daemon", "tools", "hil_tests")


def _tracked(*endings: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [name for name in listed if name.endswith(endings) and (ROOT / name).exists()]


PYTHON = _tracked(".py")


@pytest.mark.parametrize("name", _tracked(".py", ".js", ".c", ".h", ".sh"))
def test_no_file_is_longer_than_a_room(name: str) -> None:
    if name not in LONGER:
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= LINES_MOST


@pytest.mark.parametrize("name", PYTHON)
def test_functions_are_short_and_modules_say_what_they_are(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    assert Path(name).stem not in FORBIDDEN
    if name.startswith(SOURCE) and tree.body and not name.endswith("variant/manifest.py"):
        assert ast.get_docstring(tree), "opens without saying what it owns"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MOST, f"{node.name} has {length} lines"


@pytest.mark.parametrize("folder", [*SOURCE, "tests", "tools/desk", "protocol/platform"])
def test_each_folder_says_what_lives_there(folder: str) -> None:
    assert (ROOT / folder / "README.md").stat().st_size > 200


def test_every_link_in_a_readme_leads_somewhere() -> None:
    import re

    for name in _tracked(".md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_no_key_is_in_the_tree_but_test_only_ones() -> None:
    for name in _tracked(".pem", ".key", ".crt"):
        assert "test_only" in name
