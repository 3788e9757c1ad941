"""The accelerometer's driver over a fake chip, and what is made of its samples, with 64-bit and 32-bit objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.micropython.errors import BuildFailed
from tests import on_micropython

_HERE = Path(__file__).parent
_PATHS = (_HERE / "fake_chip", on_micropython.ROOT / "firmware", on_micropython.ROOT)


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("file", ["accelerometer_on_micropython", "test_motion", "test_motion_falls"])
def test_the_driver_keeps_to_its_chip_and_no_sample_takes_heap(file: str, bits: int) -> None:
    """On 32 bits a number beyond 2^30 takes heap, and the proof of "no heap" sees it."""
    try:
        said = on_micropython.run_file(_HERE / f"{file}.py", paths=_PATHS, bits=bits)
    except BuildFailed as error:
        if bits == 64:
            raise
        pytest.skip(f"no 32-bit interpreter here: {error}")
    assert " 0 failed" in said
