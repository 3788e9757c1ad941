"""How many SMS an hour. Owns the limit, for the sake of cost and against a loop; must not know modems or numbers.

Guarantees: not more than `most` in any hour, the last of them only for news; beyond that one a minute, and that, too,
only for news. News is an emergency that a number was not told of within the hour: it is never refused for longer than
until its minute comes. What is refused is asked for again by whoever retries.
"""

from __future__ import annotations

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from edge_daemon.uplinks.sms.memory import Memory

log = Log("uplink.sms")

_HOUR_MS = 3_600_000
BEYOND_EVERY_MS = 60_000


class Budget:
    """Counts messages that may have been sent, over restarts of the daemon too."""

    def __init__(self, most: int, memory: Memory, clock: Clock, counters: Counters) -> None:
        self._most = most
        self._memory = memory
        self._clock = clock
        self._counters = counters
        self._told_ms: dict[tuple[str, int], int] = {}
        self._told_before_ms: int | None = None
        self._reached = False

    @property
    def used(self) -> int:
        """How many in the last hour."""
        self._forget(self._clock.now_ms())
        return len(self._memory.sent_ms)

    def take(self, event: str, index: int, *, test: bool) -> bool:
        """Whether event `event` may go to number `index` now; counted if so. False is counted and, once, loud."""
        now_ms = self._clock.now_ms()
        self._forget(now_ms)
        sent = self._memory.sent_ms
        news = not test and (event, index) not in self._told_ms
        if len(sent) < max(self._most - 1, 1):
            self._reached = False
        if len(sent) >= (self._most if news else self._most - 1):
            if not self._reached:
                self._reached = True
                log.error("sms_limit_reached", most_per_hour=self._most)
            if not news or now_ms - sent[-1] < BEYOND_EVERY_MS:
                self._counters.add("sms_over_limit")
                return False
        sent.append(now_ms)
        self._told_before_ms = self._told_ms.get((event, index))
        self._told_ms[(event, index)] = now_ms
        self._memory.keep_soon()
        return True

    def give_back(self, event: str, index: int) -> None:
        """The message taken last was not sent: the network refused it, and that costs nothing."""
        if self._memory.sent_ms:
            self._memory.sent_ms.pop()
            self._memory.keep_soon()
        self._told_ms.pop((event, index), None)
        if self._told_before_ms is not None:
            self._told_ms[(event, index)] = self._told_before_ms

    def _forget(self, now_ms: int) -> None:
        sent = self._memory.sent_ms
        sent[:] = [moment_ms for moment_ms in sent if now_ms - _HOUR_MS < moment_ms <= now_ms]
        self._told_ms = {key: at_ms for key, at_ms in self._told_ms.items() if now_ms - at_ms < _HOUR_MS}
