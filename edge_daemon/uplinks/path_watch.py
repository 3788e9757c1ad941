"""Who is told how the ways out are: the platform by events, and by each heartbeat; the house by the gateway's own sign.

Owns the times after which a way counts as lost and as restored. Must not know how a way is judged (way.py), tested
(path_tests.py) or chosen (ways.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from edge_daemon.clock import Clock
from edge_daemon.config import Ways as Settings
from edge_daemon.faults import Faults
from edge_daemon.log import Log
from edge_daemon.uplinks.last_resort import Sender
from edge_daemon.uplinks.path_tests import PathTests
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways
from protocol import kinds

log = Log("path_watch")

_LOOK_EVERY_S = 0.5
_LOST = {"primary": kinds.PATH_PRIMARY_LOST, "backup": kinds.PATH_BACKUP_LOST, "sms": kinds.PATH_SMS_LOST}


class PathWatch:
    """`heartbeat_s`: how often each way is proven. `on_platform(away)` is called at each look."""

    def __init__(
        self,
        ways: Ways,
        sms: Sender | None,
        tests: PathTests,
        faults: Faults,
        settings: Settings,
        heartbeat_s: float,
        clock: Clock,
    ) -> None:
        self._ways = ways
        self._sms = sms
        self._tests = tests
        self._faults = faults
        self._clock = clock
        self._lost_after_ms = int(settings.lost_after_s * 1000)
        self._back_after_ms = int(settings.back_after_s * 1000)
        # Between two heartbeats nothing is known: never less than one and a half of them.
        self._away_after_ms = int(max(settings.no_platform_s, 1.5 * heartbeat_s) * 1000)
        self._started_ms = clock.now_ms()
        # Since when the modem has been ready, or has not.
        self._sms_ready = False
        self._sms_since_ms = self._started_ms
        self.on_platform: Callable[[bool], None] = lambda away: None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """See to it that the right way is taken, that tests are made, and that what has changed is told."""
        self._ways.look()
        self._tests.look()
        for way in self._ways.all:
            note = "" if way.connected else "not connected"
            lost = way.mute or way.ill_for_ms() >= self._lost_after_ms
            self._judge(way.name, note or "no answer", lost=lost, well=way.healthy_for_ms() >= self._back_after_ms)
        if self._sms is not None:
            self._look_at_modem(self._sms)
        self._look_for_platform()

    def states(self) -> list[dict[str, Any]]:
        """The ways out for the heartbeat: `paths` of protocol/platform/."""
        found = [
            self._state(way.name, _word(way), way is self._ways.used, way.last_answer_ms()) for way in self._ways.all
        ]
        if self._sms is not None:
            word = "down" if not self._sms.ready else "mute" if self._tests.failed("sms") else "up"
            found.append(self._state("sms", word, False, self._sms.last_ok_ms))
        return found

    def described(self) -> list[dict[str, Any]]:
        """As `states`, and how each way's test stands, for who asks on this machine."""
        tests = self._tests
        return [
            {**state, "test_failed": tests.failed(state["name"]), "test_under_way": tests.under_way(state["name"])}
            for state in self.states()
        ]

    def test_now(self) -> list[str]:
        """Have every way tested now, but one whose test is under way; returns the ways."""
        return self._tests.begin_all()

    def _state(self, name: str, word: str, used: bool, answered_ms: int | None) -> dict[str, Any]:
        return {
            "name": name,
            "state": word,
            "used": used,
            "last_answer_age_s": self._age_s(answered_ms),
            "last_test_age_s": self._age_s(self._tests.passed_ms(name)),
        }

    def _age_s(self, at_ms: int | None) -> int | None:
        return None if at_ms is None else max(self._clock.now_ms() - at_ms, 0) // 1000

    def _judge(self, name: str, note: str, *, lost: bool, well: bool) -> None:
        """A way is lost at once or when its test failed, and restored when it has been well for long."""
        failed = self._tests.failed(name)
        if lost or failed:
            self._faults.condition(_LOST[name], name, active=True, note=note if lost else f"test: {failed}")
        elif well:
            self._faults.condition(_LOST[name], name, active=False)

    def _look_at_modem(self, sms: Sender) -> None:
        now_ms = self._clock.now_ms()
        if sms.ready != self._sms_ready:
            self._sms_ready, self._sms_since_ms = sms.ready, now_ms
        for_ms = now_ms - self._sms_since_ms
        lost = not self._sms_ready and for_ms >= self._lost_after_ms
        self._judge("sms", "no modem or no network", lost=lost, well=self._sms_ready and for_ms >= self._back_after_ms)

    def _look_for_platform(self) -> None:
        answers = [at_ms for way in self._ways.all if (at_ms := way.last_answer_ms()) is not None]
        silent_ms = self._clock.now_ms() - max(answers, default=self._started_ms)
        away = silent_ms >= self._away_after_ms
        if away:
            self._faults.condition(kinds.PLATFORM_LOST, "", active=True, note=f"no answer for {silent_ms // 1000} s")
        elif answers:
            self._faults.condition(kinds.PLATFORM_LOST, "", active=False)
        self.on_platform(away)


def _word(way: Way) -> str:
    if not way.connected:
        return "down"
    return "mute" if any(way.misses.values()) else "up"
