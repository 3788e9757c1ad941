"""Private whole numbers become constants of the compiler, and nothing else does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tools import image_sources
from tools.image_constants import folded

FILES = sorted({file for board in image_sources.boards() for file in image_sources.find(board).values()})


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("_WAIT_MS = 250", "_WAIT_MS = const(250)"),
        ("_MASK = 0x3FFFFFFF  # 30 bits", "_MASK = const(0x3FFFFFFF)  # 30 bits"),
        ("_MOST_MS = 3 * 24 * 3600 * 1000", "_MOST_MS = const(3 * 24 * 3600 * 1000)"),
        ("_NEVER = -(1 << 29)", "_NEVER = const(-(1 << 29))"),
        ("WAIT_MS = 250", None),
        ("_wait_ms = 250", None),
        ("_ON = True", None),
        ("_PART = 0.5", None),
        ("_NAME = 'x'", None),
        ("_PAIR = (1, 2)", None),
        ("_SUM = _OTHER + 1", None),
        ("class A:\n    _X = 1", None),
        ("_X = 1\n_X = 2", None),
        ("class A:\n    def f(self):\n        return _X\n_X = 1", None),
        ("_X = 1\ndef f():\n    global _X\n    _X = 2", None),
    ],
)
def test_only_a_private_whole_number_that_is_given_once_is_one(line: str, becomes: str | None) -> None:
    text = f'"""Doc."""\n\n{line}\n'
    assert folded(text) == (f'"""Doc."""\n\n{becomes}\n' if becomes else text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(image_sources.ROOT)))
def test_a_source_says_the_same_and_reads_no_private_number_of_another(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    after = folded(text)
    assert after.count("\n") == text.count("\n"), "a traceback names the same lines"
    assert re.sub(r"const\((.*?)\)(?=\s*(#|$))", r"\1", after, flags=re.MULTILINE) == re.sub(
        r"const\((.*?)\)(?=\s*(#|$))", r"\1", text, flags=re.MULTILINE
    )
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id != "self":
            assert not re.fullmatch("_[A-Z][A-Z0-9_]*", node.attr), (node.value.id, node.attr)
        if isinstance(node, ast.ImportFrom):
            assert not [name.name for name in node.names if re.fullmatch("_[A-Z][A-Z0-9_]*", name.name)]
