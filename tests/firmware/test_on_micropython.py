"""The application's portable tests, and what only the wearable's Python can show, on that Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import on_micropython

_HERE = Path(__file__).parent
_PATHS = (on_micropython.ROOT / "firmware", on_micropython.ROOT)


@pytest.mark.parametrize("path", on_micropython.portable_tests(_HERE), ids=lambda path: path.stem)
def test_a_portable_file_passes_on_micropython(path: Path) -> None:
    assert " 0 failed" in on_micropython.run_file(path, paths=_PATHS)


def test_flash_survives_every_cut_and_every_failure() -> None:
    said = on_micropython.run_file(_HERE / "flash_on_micropython.py", paths=_PATHS)
    assert " 0 failed" in said
    (cuts,) = (int(line.split()[1]) for line in said.splitlines() if line.startswith("cuts:"))
    assert cuts > 3000, "the cuts were not made"
