"""For a machine that has no mosquitto and will not let us install it: Debian's package, unpacked into the cache.

Owns fetching, unpacking and the wrapper that finds the libraries. Must not know how a broker is started (mosquitto.py).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hil_tests import cache, debian

_WRAPPER = """#!/bin/sh
# Debian's mosquitto out of the cache, with those of its libraries that this machine lacks.
LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export LD_LIBRARY_PATH
exec "{program}" "$@"
"""


def binary() -> Path:
    """A wrapper script that runs mosquitto; fetched now if it is not in the cache. Raises debian.DebianFailed."""
    place = cache.directory("mosquitto")
    wrapper = place / "mosquitto"
    with cache.lock(place):
        if not wrapper.exists():
            _unpack(place, wrapper)
    return wrapper


def _unpack(place: Path, wrapper: Path) -> None:
    suite = debian.release()
    if not suite:
        raise debian.DebianFailed("not a Debian machine: install mosquitto 2 by hand")
    apt = debian.Apt(place / "apt", [f"deb {suite}"])
    unpacked = place / "unpacked"
    with tempfile.TemporaryDirectory(dir=place, prefix="download-") as temporary:
        # As if it were installed already where it is (a test): its own name is always among them.
        packages = list(dict.fromkeys(["mosquitto", *apt.missing("mosquitto")]))
        apt.unpack(packages, Path(temporary) / "unpacked")
        os.replace(Path(temporary) / "unpacked", unpacked)
    libraries = ":".join(str(path) for path in sorted(unpacked.glob("usr/lib/*-linux-gnu*")))
    fresh = place / "mosquitto.new"
    fresh.write_text(_WRAPPER.format(libraries=libraries, program=unpacked / "usr/sbin/mosquitto"))
    fresh.chmod(0o755)
    os.replace(fresh, wrapper)
