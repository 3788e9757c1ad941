"""What the platform is asked again: how far what it has, and has not closed, has come. Its news may have got lost.

Owns when, for which alarms and for how long. An alarm that it has is sent once more, and it answers with the present
state. Must not know how anything is sent, nor whether it is answered: to miss one such answer is no miss.
"""

from __future__ import annotations

from edge_daemon.ages import Ages
from edge_daemon.heard import FINAL_STAGES, Alarm
from edge_daemon.out_queue import OutQueue

# At each reconnect, and this often; for at most a week.
_EVERY_MS = 300_000
_FOR_MS = 7 * 86_400_000


class Asking:
    """Puts alarms into the queue. Not the gateway's own: nobody wears a light for them, a county's are hundreds/s."""

    def __init__(self, queue: OutQueue, ages: Ages) -> None:
        self._queue = queue
        self._ages = ages

    def now(self, alarm: Alarm) -> None:
        """Ask at once, if the platform has the alarm and has not closed it."""
        self._ask(alarm, 0)

    def later(self, alarm: Alarm) -> None:
        """Ask when it is time again: five minutes from now."""
        self._ask(alarm, _EVERY_MS)

    def _ask(self, alarm: Alarm, in_ms: int) -> None:
        young = self._ages.heard_ago(alarm)[0] < _FOR_MS
        if young and not alarm.of_gateway and not alarm.waiting and alarm.stage not in FINAL_STAGES:
            self._queue.retry(alarm, self._ages.clock.now_ms() + in_ms)
