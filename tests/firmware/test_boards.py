"""Every board file keeps the contract: by its source here, by running it over a fake chip on MicroPython."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hil_tests.micropython.errors import BuildFailed
from tests import on_micropython
from tools import image_sources

_HERE = Path(__file__).parent
_BOARDS = on_micropython.ROOT / "firmware/boards"
_PATHS = (_HERE / "fake_chip", on_micropython.ROOT / "firmware", on_micropython.ROOT)


def methods(file: Path, name: str) -> dict[str, list[str]]:
    """The public methods of a class with their arguments, those of a base in drivers/ included."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    own = {
        node.name: [argument.arg for argument in node.args.args]
        for node in found.body
        if isinstance(node, ast.FunctionDef)
    }
    inherited: dict[str, list[str]] = {}
    for base in found.bases:
        assert isinstance(base, ast.Name)
        (module,) = (
            node.module
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and base.id in [a.name for a in node.names]
        )
        inherited |= methods(on_micropython.ROOT / "firmware" / f"{module.replace('.', '/')}.py", base.id)
    return {key: value for key, value in (inherited | own).items() if not key.startswith("_")}


@pytest.mark.parametrize("board", image_sources.boards())
def test_a_board_takes_what_the_contract_gives(board: str) -> None:
    promised = methods(_BOARDS / "contract.py", "Board")
    offered = methods(_BOARDS / f"{board}.py", "Board")
    assert promised, "the contract has no methods?"
    assert {name: offered.get(name) for name in promised} == promised


def test_the_contract_names_the_attributes_that_are_checked() -> None:
    docstring = ast.get_docstring(
        next(n for n in ast.parse((_BOARDS / "contract.py").read_text()).body if isinstance(n, ast.ClassDef))
    )
    assert docstring is not None
    named = set()
    for line in re.findall(r"^  ([a-z_, ]+?)  +\S", docstring, re.MULTILINE):
        named |= set(line.split(", "))
    checked = (_HERE / "core_on_micropython.py").read_text()
    listed = re.search(r"ATTRIBUTES = \((.*?)\)", checked, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == named


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("file", ["core", "pendant", "watch", "drivers"])
def test_a_board_works_over_a_fake_chip(file: str, bits: int) -> None:
    """On 32 bits, as on the boards, a number beyond 2^30 takes heap, and the proofs of "no heap" would see it."""
    try:
        said = on_micropython.run_file(_HERE / f"{file}_on_micropython.py", paths=_PATHS, bits=bits)
    except BuildFailed as error:
        if bits == 64:
            raise
        pytest.skip(f"no 32-bit interpreter here: {error}")
    assert " 0 failed" in said
