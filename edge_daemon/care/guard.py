"""Where a fault of ours ends. Owns that: it is counted and logged, and ends neither others' care nor the gateway.

Care comes beside the alarms, which must not be cost by it. Must not know what is done inside.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from edge_daemon.counters import Counters
from edge_daemon.log import Log

log = Log("care")


class Guard:
    """`with guard:` around what may go wrong. `failed`: how often it did."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.failed = 0

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        """Whether it ends here. A cancellation does not."""
        if not isinstance(error, Exception):
            return False
        self.failed += 1
        self._counters.add("care_failed")
        log.error("care_failed", exc=error)
        return True

    def run(self, what: Callable[..., None], *arguments: object) -> None:
        """Call this under guard."""
        with self:
            what(*arguments)
