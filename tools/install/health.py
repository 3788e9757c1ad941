"""Whether the gateway that was started is well. Owns what "well" means, and for how long it is waited for.

Well: systemd has its READY, it has gone on running for a moment without being started anew, it answers on its control
socket as this very process, and its journal is open and knows every event that was there before. Must not know what to
do if it is not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from edge_daemon.config import Config
from edge_daemon.errors import Refusal
from tools.control import client
from tools.install import service
from tools.install.service import State
from tools.install.system import Failed

_POLL_S = 0.2
_ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True)
class Health:
    """`within_s`: from the start to well. `events`: how many the journal holds at least."""

    within_s: float
    settings: Config
    events: int = 0

    def prove(self) -> dict[str, Any]:
        """Wait until it is well, and return its status. Raises Failed, which says what is not."""
        begun_s = time.monotonic()
        seen = service.wait_until_it_runs(self.within_s)
        if seen.fell:
            raise Failed("install.fell", result=seen.result or seen.active)
        if not seen.runs:
            raise Failed("install.not_ready", seconds=round(time.monotonic() - begun_s))
        status = self._status(seen, begun_s + self.within_s)
        journal = status["journal"]
        if journal["trouble"] is not None:
            raise Failed("install.journal_trouble", trouble=journal["trouble"])
        if journal["events"] < self.events:
            raise Failed("install.events_missing", events=journal["events"], before=self.events)
        return status

    def _status(self, seen: State, deadline_s: float) -> dict[str, Any]:
        """What it says of itself; a socket that is not there yet is waited for."""
        while True:
            try:
                status = client.ask(self.settings.control_socket, {"ask": "status"}, _ANSWER_WITHIN_S)
            except Refusal as refusal:
                if time.monotonic() >= deadline_s:
                    raise Failed("install.no_answer_there", why=refusal.key) from refusal
            else:
                if status["pid"] != seen.pid:
                    raise Failed("install.other_answers", pid=status["pid"], wanted=seen.pid)
                return status
            time.sleep(_POLL_S)
