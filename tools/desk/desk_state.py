"""What the web part is handed of the desk: the store, the clock, the bell, and what an action sets going.

Owns nothing of its own; exists so that the web part need not know the connection, the courier or the strangers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from tools.desk.brokers import Brokers
from tools.desk.care import Care
from tools.desk.drill import Drill
from tools.desk.feed import Feed
from tools.desk.looks import Looks
from tools.desk.settings import DeskSettings
from tools.desk.store import Store
from tools.desk.trails import Trails


@dataclass(frozen=True, slots=True)
class DeskState:
    """`acted(events, stage)` is awaited after an operator's action is stored."""

    settings: DeskSettings
    store: Store
    brokers: Brokers
    clock: Clock
    counters: Counters
    drill: Drill
    feed: Feed
    care: Care
    looks: Looks
    trails: Trails
    acted: Callable[[list[str], str], Awaitable[None]]

    def health(self) -> dict[str, Any]:
        """`ok`: alarms can come in and be stored."""
        return {
            "ok": self.brokers.connected and self.store.healthy,
            "connected": self.brokers.connected,
            "brokers": self.brokers.states(),
            "store": self.store.healthy,
            "counters": self.counters.snapshot(),
        }

    def drill_view(self) -> dict[str, Any]:
        """The drill as the page and tests see it."""
        now = self.drill.now
        return {
            "allowed": self.settings.allow_drill,
            "mode": now.mode,
            "reason": now.reason,
            "retry_after_s": now.retry_after_s,
            "left_s": round(now.left_s, 1),
        }

    def status(self) -> dict[str, Any]:
        """What the page's header shows."""
        return {
            "connected": self.brokers.connected,
            "brokers_away": [one["broker"] for one in self.brokers.states() if not one["connected"]],
            "store": self.store.healthy,
            "drill": self.drill_view()["mode"],
        }
