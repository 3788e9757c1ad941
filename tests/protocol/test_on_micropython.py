"""The protocol's portable tests and the vectors, on the Python of the wearable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import on_micropython

_HERE = Path(__file__).parent


@pytest.mark.parametrize("path", on_micropython.portable_tests(_HERE), ids=lambda path: path.stem)
def test_a_portable_file_passes_on_micropython(path: Path) -> None:
    """Each file as a whole; its output names the test that failed."""
    assert "0 failed" in on_micropython.run_file(path)


def test_the_vectors_hold_on_micropython() -> None:
    """RFC 3610, RFC 5869 and our own frames, by the code that a wearable runs."""
    said = on_micropython.interpreter(_HERE / "vectors_check.py", on_micropython.ROOT / "tests" / "vectors")
    assert said.split() == ["ccm", "12", "hkdf", "3", "ours", "14", "ok"]


def test_a_failing_test_is_seen(tmp_path: Path) -> None:
    """The runner itself: a failure, and a file without tests, end in an error that says so."""
    bad = tmp_path / "test_bad.py"
    bad.write_text("def test_fine():\n    assert True\n\ndef test_wrong():\n    assert 1 == 2\n")
    with pytest.raises(AssertionError, match="FAILED test_wrong"):
        on_micropython.run_file(bad)
    empty = tmp_path / "test_empty.py"
    empty.write_text("def helper():\n    pass\n")
    with pytest.raises(AssertionError, match="0 passed"):
        on_micropython.run_file(empty)
