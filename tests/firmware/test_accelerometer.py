"""The accelerometer's driver works over a fake chip, with 64-bit and 32-bit objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.micropython.errors import BuildFailed
from tests import on_micropython

_HERE = Path(__file__).parent
_PATHS = (_HERE / "fake_chip", on_micropython.ROOT / "firmware", on_micropython.ROOT)


@pytest.mark.parametrize("bits", [64, 32])
def test_the_driver_keeps_to_its_chip(bits: int) -> None:
    try:
        said = on_micropython.run_file(_HERE / "accelerometer_on_micropython.py", paths=_PATHS, bits=bits)
    except BuildFailed as error:
        if bits == 64:
            raise
        pytest.skip(f"no 32-bit interpreter here: {error}")
    assert " 0 failed" in said
