"""For a machine without a compiler: Debian's own MicroPython 1.25 and our `bluetooth` module in Python.

Owns fetching, unpacking and the wrapper that runs it with its own C library. Must not know how the module works
(shim/bluetooth.py). Faithful enough to run the tests; heap figures and interrupt timing are not the boards'.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hil_tests import cache, debian

_SUITE = "trixie"
_PACKAGES = ["micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7"]
_SHIM = Path(__file__).parent / "shim"
_WRAPPER = """#!/bin/sh
# Debian's MicroPython with the C library it was built for, and the bench's bluetooth module before all others.
MICROPYPATH="{shim}:${{MICROPYPATH:-.frozen}}"
export MICROPYPATH
exec "{loader}" --library-path "{libraries}" "{program}" "$@"
"""


def binary() -> Path:
    """A wrapper script that runs the interpreter; fetched now if it is not in the cache. Raises BuildFailed."""
    place = cache.directory("micropython")
    unpacked = place / "stock"
    with cache.lock(place):
        if not unpacked.exists():
            with tempfile.TemporaryDirectory(dir=place, prefix="download-") as temporary:
                apt = debian.Apt(place / "apt-stock", [f"deb {_SUITE}"])
                apt.unpack(_PACKAGES, Path(temporary) / "stock")
                os.replace(Path(temporary) / "stock", unpacked)
        return _wrapper(place, unpacked)


def _wrapper(place: Path, unpacked: Path) -> Path:
    libraries = next(unpacked.glob("usr/lib/*/libc.so.6")).parent
    loader = next(libraries.glob("ld-linux*.so.*"))
    program = unpacked / "usr/bin/micropython"
    wrapper = place / "micropython-stock"
    fresh = place / "micropython-stock.new"
    fresh.write_text(_WRAPPER.format(shim=_SHIM, loader=loader, libraries=libraries, program=program))
    fresh.chmod(0o755)
    os.replace(fresh, wrapper)
    return wrapper
