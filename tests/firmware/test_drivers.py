"""The chip drivers, on the wearable's Python."""

from __future__ import annotations

from pathlib import Path

from tests import on_micropython

_HERE = Path(__file__).parent
PATHS = (_HERE / "fake_chip", on_micropython.ROOT / "firmware", on_micropython.ROOT)


def test_the_drivers_do_what_the_datasheets_say() -> None:
    said = on_micropython.run_file(_HERE / "drivers_on_micropython.py", paths=PATHS)
    assert " 0 failed" in said
