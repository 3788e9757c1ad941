"""All figures of the bench, in the order they are shown. Owns the list; each module owns how its figures are got."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.bench import aes, commit, firmware, platform
from tools.bench.figure import Figure

_PRESSES = 1000
_PRESSES_QUICK = 200


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure one after the other; each figure comes as soon as it is known."""
    presses = _PRESSES_QUICK if quick else _PRESSES
    # Beside the checkout, not in /tmp, which may be memory: the disk is part of what is measured.
    with tempfile.TemporaryDirectory(prefix=".pingan-bench-", dir=Path.cwd()) as temporary:
        place = Path(temporary)
        # Unsynced writes of before would be paid for by the first figure (measured: 22 times slower).
        os.sync()
        yield from asyncio.run(commit.measure(place / "commit", presses))
        yield from asyncio.run(platform.measure(place / "platform", presses))
        yield from aes.measure()
        yield from asyncio.run(firmware.measure(place / "firmware"))
