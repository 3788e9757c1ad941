"""The screen's part on the wearable's Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import on_micropython

_HERE = Path(__file__).parent
_PATHS = (_HERE, on_micropython.ROOT / "firmware", on_micropython.ROOT)


@pytest.mark.parametrize("file", ["taps", "news"])
def test_pages_follow(file: str) -> None:
    said = on_micropython.run_file(_HERE / f"screen_{file}_on_micropython.py", paths=_PATHS)
    assert " 0 failed" in said
