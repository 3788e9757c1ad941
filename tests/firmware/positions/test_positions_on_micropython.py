"""The portable tests of positions on the wearable's Python, with the boards' 32-bit numbers and single floats, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.micropython.errors import BuildFailed
from tests import on_micropython

_HERE = Path(__file__).parent
_PATHS = (on_micropython.ROOT, on_micropython.ROOT / "firmware")


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("path", on_micropython.portable_tests(_HERE), ids=lambda path: path.stem)
def test_a_portable_file_passes_on_micropython(path: Path, bits: int) -> None:
    try:
        said = on_micropython.run_file(path, paths=_PATHS, bits=bits)
    except BuildFailed as error:
        if bits == 64:
            raise
        pytest.skip(f"no 32-bit interpreter here: {error}")
    assert " 0 failed" in said
