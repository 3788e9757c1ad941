"""For all tests: what they are run from must not be told by how they end, and the long ones come first.

Owns these two. A shell that starts something in the background has it ignore Ctrl-C, and so does all that it starts:
tests that press Ctrl-C would wait for ever.
"""

from __future__ import annotations

import os
import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_END_TO_END = "hil_tests/"
# Five minutes of mostly sleeping: the rest runs beside it.
_LONGEST = "[soak]"


def _is_long(item: pytest.Item, usual_s: float) -> bool:
    """End to end, or one that says by its time limit that it may take longer than usual."""
    marker = item.get_closest_marker("timeout")
    return item.nodeid.startswith(_END_TO_END) or (marker is not None and marker.args[0] > usual_s)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long ones first: short ones fill the end. Each worker of xdist begins with an equal share of the list."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    usual_s = float(config.getini("timeout"))
    long = [item for item in items if _is_long(item, usual_s)]
    long.sort(key=lambda item: not item.name.endswith(_LONGEST))
    first = set(long)
    short = [item for item in items if item not in first]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        mine = long[worker::workers]
        share = (len(items) - len(ordered)) // (workers - worker) - len(mine)
        ordered += mine + short[: max(share, 0)]
        del short[: max(share, 0)]
    items[:] = ordered + short
