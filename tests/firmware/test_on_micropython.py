"""The application's portable tests, and what only the wearable's Python can show, on that Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.micropython.errors import BuildFailed
from tests import on_micropython

_HERE = Path(__file__).parent
_PATHS = (on_micropython.ROOT / "firmware", on_micropython.ROOT)


@pytest.mark.parametrize("path", on_micropython.portable_tests(_HERE), ids=lambda path: path.stem)
def test_a_portable_file_passes_on_micropython(path: Path) -> None:
    assert " 0 failed" in on_micropython.run_file(path, paths=_PATHS)


@pytest.mark.parametrize("bits", [64, 32])
def test_the_application_survives_flash_that_wears_out_fills_up_rots_and_dies(bits: int) -> None:
    try:
        said = on_micropython.run_file(_HERE / "flash_faults_on_micropython.py", paths=_PATHS, bits=bits)
    except BuildFailed as error:
        if bits == 64:
            raise
        pytest.skip(f"no 32-bit interpreter here: {error}")
    assert " 0 failed" in said


def test_edges_that_are_lost_or_told_late_cost_no_press() -> None:
    assert " 0 failed" in on_micropython.run_file(_HERE / "edges_on_micropython.py", paths=_PATHS)


def test_questions_the_time_and_settings_go_over_a_deep_sleep() -> None:
    assert " 0 failed" in on_micropython.run_file(_HERE / "sleep_on_micropython.py", paths=_PATHS)


def test_flash_survives_every_cut_and_every_failure() -> None:
    said = on_micropython.run_file(_HERE / "flash_on_micropython.py", paths=_PATHS)
    assert " 0 failed" in said
    (cuts,) = (int(line.split()[1]) for line in said.splitlines() if line.startswith("cuts:"))
    assert cuts > 3000, "the cuts were not made"
