"""Frame in -> committed and STORED out, against one bare fdatasync of the same disk, taken in turns.

The way: bytes of a sealed press on the serial line, the daemon's whole intake, the commit, the sealed answer back on
the line. The control between any two presses: a page written and synced in the same directory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from protocol import codes
from tools.bench import gateway
from tools.bench.figure import Figure, percentile
from tools.bench.wearer import Wearer

_WARM_UP = 20
# Nothing listens there: what is measured is the gateway alone.
_NO_BROKER = ("127.0.0.1", 9)


async def measure(place: Path, presses: int) -> Iterator[Figure]:
    """Two figures: median against median, and the slowest hundredth against the median."""
    place.mkdir(parents=True)
    wearer = Wearer()
    stored_us: list[float] = []
    synced_us: list[float] = []
    page = os.open(place / "control", os.O_CREAT | os.O_RDWR, 0o600)
    os.pwrite(page, bytes(4096), 0)
    try:
        async with gateway.running(place, wearer, _NO_BROKER):
            for number in range(1, _WARM_UP + presses + 1):
                counter, data = wearer.seal(number)
                start = time.perf_counter_ns()
                await wearer.write(data)
                await wearer.stage(counter, codes.STORED)
                stored_us.append((time.perf_counter_ns() - start) / 1000)
                start = time.perf_counter_ns()
                os.pwrite(page, os.urandom(4096), 0)
                os.fdatasync(page)
                synced_us.append((time.perf_counter_ns() - start) / 1000)
    finally:
        os.close(page)
        wearer.close()
    return _figures(stored_us[_WARM_UP:], synced_us[_WARM_UP:])


def _figures(stored_us: list[float], synced_us: list[float]) -> Iterator[Figure]:
    limit = percentile(synced_us, 0.5)
    detail = f"n={len(stored_us)}"
    yield Figure("stored_p50", percentile(stored_us, 0.5), "fdatasync_p50", limit, "us", detail)
    yield Figure("stored_p99", percentile(stored_us, 0.99), "fdatasync_p99", percentile(synced_us, 0.99), "us", detail)
