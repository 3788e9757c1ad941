"""The wearable's MicroPython on this machine: built once from Debian's source, kept in the cache.

Owns which interpreter the bench runs firmware on. Must not know the firmware. `binary()` is the whole interface;
`python -m hil_tests.micropython` prints the same path.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from hil_tests.debian import DebianFailed
from hil_tests.micropython import build, stock
from hil_tests.micropython.errors import BuildFailed


def binary(bits: int = 64) -> Path:
    """The interpreter to run firmware with, built now if it is not there yet.

    `bits=32` gives the object sizes of the boards and needs gcc-multilib. Without a compiler it is Debian's own
    interpreter with a `bluetooth` module in Python. Raises BuildFailed with the tail of what apt or the compiler
    printed.
    """
    try:
        if can_build():
            return build.binary(bits)
        if bits == 32:
            raise BuildFailed("no compiler here: Debian's own interpreter is a 64-bit one")
        return stock.binary()
    except DebianFailed as failure:
        raise BuildFailed(str(failure)) from failure


def is_built(bits: int = 64) -> bool:
    """Whether `binary` returns at once: it is in the cache, or there is no compiler to build it with."""
    return build.finished(bits).exists() or not can_build()


def can_build() -> bool:
    """Whether there is a compiler. Without one, proofs about memory are not possible: stock.py says why."""
    return bool(shutil.which("gcc") and shutil.which("make"))
