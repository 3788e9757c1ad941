"""Starts the wearable's MicroPython on a test file, from pytest. Owns the command line and its time limit.

Must not know what the tests are about. A test file that runs under both Pythons says so in its docstring ("Runs under
both Pythons."), imports no pytest and has plain test_* functions without arguments.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hil_tests import micropython

ROOT = Path(__file__).resolve().parent.parent
MARK = "Runs under both Pythons."

_RUNNER = ROOT / "tests" / "run_on_micropython.py"
_WITHIN_S = 280


def portable_tests(folder: Path) -> list[Path]:
    """The test files of a folder that are to run on MicroPython too. Raises FileNotFoundError when there is none."""
    found = [path for path in sorted(folder.glob("test_*.py")) if MARK in path.read_text(encoding="utf-8")[:2000]]
    if not found:
        raise FileNotFoundError(f"no test file in {folder} says {MARK!r}")
    return found


def interpreter(*arguments: str | Path, paths: tuple[Path, ...] = (ROOT,), heap: str = "8m", bits: int = 64) -> str:
    """Run MicroPython with `paths` as its import path and return what it printed.

    Raises AssertionError with all of its output when it ends with anything but 0, subprocess.TimeoutExpired when it
    does not end.
    """
    environment = {
        "MICROPYPATH": ":".join([".frozen", *map(str, paths)]),
        "PATH": os.environ.get("PATH", ""),
    }
    command = [str(micropython.binary(bits)), "-X", f"heapsize={heap}", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def run_file(path: Path, paths: tuple[Path, ...] = (ROOT,), heap: str = "8m", bits: int = 64) -> str:
    """Run the tests of one file on MicroPython; returns its output, raises AssertionError with it on failure."""
    return interpreter(_RUNNER, path, paths=paths, heap=heap, bits=bits)
