"""The firmware's type check: clean, and able to tell MicroPython's library from CPython's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import firmware_types


def test_the_firmware_is_clean(capfd: pytest.CaptureFixture[str]) -> None:
    code = firmware_types.main([])
    assert code == 0, capfd.readouterr().out


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import dataclasses\n", "dataclasses"),
        ("import time\ntime.monotonic()\n", "monotonic"),
        ("from machine import Pin\nPin(1).sparkle()\n", "sparkle"),
    ],
)
def test_what_the_wearable_does_not_have_is_an_error(
    text: str, error: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tried.py"
    file.write_text(text)
    assert firmware_types.main([str(file)]) == 1
    assert error in capfd.readouterr().out


def test_what_the_wearable_has_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tried.py"
    file.write_text("import time\nfrom machine import Pin\ntime.sleep_ms(Pin(1).value())\n")
    assert firmware_types.main([str(file)]) == 0, capfd.readouterr().out
