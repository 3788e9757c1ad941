"""Each way is tried end to end once a day, and after events have gone unanswered on it. Guarantee: it is, while we run.

Owns when a way is tested and what came of it. A test is an event of the gateway's own that goes by that way alone
(ways.py) and is passed when the platform has accepted it there; by SMS, when a delivery report says that it arrived.
Must not know who is told that a test failed: path_watch.py.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass

from edge_daemon import counters as counts
from edge_daemon.ages import Ages
from edge_daemon.errors import UplinkDown
from edge_daemon.faults import Faults
from edge_daemon.heard import Alarm
from edge_daemon.journal import Journal
from edge_daemon.log import Log
from edge_daemon.uplinks.last_resort import LastResort
from edge_daemon.uplinks.sms.reports import Delivery, State
from edge_daemon.uplinks.way import Way
from protocol import codes, kinds

log = Log("path_tests")

KINDS = {"primary": kinds.PATH_TEST_PRIMARY, "backup": kinds.PATH_TEST_BACKUP, "sms": kinds.PATH_TEST_SMS}
# Twelve tries of the ladder's first step: a platform that has not accepted it by then does not.
_ACCEPTED_WITHIN_MS = 60_000
# A service centre reports in seconds, on a bad day in minutes. While that fails it is tried again as often.
_REPORTED_WITHIN_MS = 3_600_000
# After a start: not all gateways of a town at once whose power came back.
_START_MOST_MS = 3_600_000


@dataclass(slots=True)
class _Test:
    """The tests of one way. `slot`: the day of the last one; `alarm`: one that is not passed yet; `failed`: why not."""

    slot: int | None = None
    alarm: Alarm | None = None
    begun_ms: int = 0
    passed_ms: int | None = None
    failed: str = ""
    deliveries: list[Delivery] | None = None


class PathTests:
    """`look` is called every second or so, once the journal is open."""

    def __init__(
        self,
        gateway: str,
        every_s: float,
        ways: list[Way],
        last_resort: LastResort | None,
        faults: Faults,
        journal: Journal,
        ages: Ages,
        counters: counts.Counters,
    ) -> None:
        self._ways = {way.name: way for way in ways}
        self._last_resort = last_resort
        self._faults = faults
        self._journal = journal
        self._ages = ages
        self._clock = ages.clock
        self._counters = counters
        self._every_ms = int(every_s * 1000)
        # The same for ever, and spread evenly over gateways.
        part = zlib.crc32(gateway.encode()) / (1 << 32)
        self._offset_ms = int(part * self._every_ms)
        self._begin_ms = self._clock.now_ms() + int(part * min(self._every_ms // 24, _START_MOST_MS))
        names = [*self._ways, *(["sms"] if last_resort is not None else [])]
        self._tests = {name: _Test() for name in names}
        self._remembered = False
        self._sending: set[asyncio.Task[None]] = set()

    def failed(self, name: str) -> str:
        """Why the last test of a way failed; "": it did not, or is under way."""
        return self._tests[name].failed

    def passed_ms(self, name: str) -> int | None:
        """When the last test was passed, by the boot-time clock; None: not known."""
        return self._tests[name].passed_ms

    def under_way(self, name: str) -> bool:
        """Whether a test of a way has not been passed yet, failed or not."""
        return self._tests[name].alarm is not None

    def begin_all(self) -> list[str]:
        """Test every way now, because somebody asks: the day's test. One under way goes on. Returns the ways."""
        self._remember_all()
        for name, test in self._tests.items():
            if test.alarm is None:
                self._begin(name, test, "asked for")
        return list(self._tests)

    def look(self) -> None:
        """Begin what is due, and judge what is under way."""
        self._remember_all()
        slot = self._slot(self._clock.wall_ms())
        for name, test in self._tests.items():
            if test.alarm is not None:
                self._judge(name, test)
            elif test.slot != slot and self._clock.now_ms() >= self._begin_ms:
                self._begin(name, test, "daily")
            elif self._in_doubt(name, test):
                self._begin(name, test, "events went unanswered")
            if test.slot != slot and test.alarm is not None:
                # Not passed by the next day: it is still asked for, and one is enough.
                test.slot = slot

    def _in_doubt(self, name: str, test: _Test) -> bool:
        """Whether heartbeats are answered on it and events were not; asked of it once a minute."""
        way = self._ways.get(name)
        rested = self._clock.now_ms() - test.begun_ms > _ACCEPTED_WITHIN_MS
        return way is not None and way.connected and way.doubted and not way.misses["beat"] and rested

    def _slot(self, wall_ms: int) -> int:
        return (wall_ms + self._offset_ms) // self._every_ms

    def _remember_all(self) -> None:
        if not self._remembered:
            self._remembered = True
            for name in self._tests:
                self._remember(name)

    def _remember(self, name: str) -> None:
        """The last test before we were started, of which the journal knows."""
        test = self._tests[name]
        made = [alarm for alarm in self._journal.alarms.values() if alarm.of_gateway and alarm.kind == KINDS[name]]
        last = max(made, key=lambda alarm: alarm.place, default=None)
        if last is None:
            return
        test.slot = self._slot(last.heard_wall_ms)
        if name == "sms":
            return
        if last.waiting:
            test.alarm, test.begun_ms = last, self._clock.now_ms()
        else:
            test.passed_ms = self._clock.now_ms() - self._ages.heard_ago(last)[0]

    def _begin(self, name: str, test: _Test, why: str) -> None:
        test.slot = self._slot(self._clock.wall_ms())
        test.begun_ms = self._clock.now_ms()
        test.alarm = self._faults.report(KINDS[name], name, why)
        if name == "sms":
            self._send(test, test.alarm)

    def _judge(self, name: str, test: _Test) -> None:
        if name == "sms":
            self._judge_sms(test)
            return
        assert test.alarm is not None
        answered_ms = self._ways[name].answered_ms["event"]
        if not test.alarm.waiting:
            by_it = answered_ms is not None and answered_ms >= test.begun_ms
            refused = test.alarm.stage == codes.REFUSED
            self._ended(name, test, "refused" if refused else "" if by_it else "answered by another way")
        elif self._clock.now_ms() - test.begun_ms > _ACCEPTED_WITHIN_MS:
            self._fail(name, test, "not accepted")

    def _judge_sms(self, test: _Test) -> None:
        states = {delivery.state for delivery in test.deliveries or ()}
        late = self._clock.now_ms() - test.begun_ms > _REPORTED_WITHIN_MS
        if State.DELIVERED in states:
            self._ended("sms", test, "")
        elif states and not states & {State.TAKEN, State.UNCERTAIN}:
            self._fail("sms", test, "not delivered: " + ", ".join(sorted(states)))
        elif late and states:
            self._fail("sms", test, "no delivery report")
        if late and test.alarm is not None:
            test.begun_ms = self._clock.now_ms()
            self._send(test, test.alarm)

    def _ended(self, name: str, test: _Test, failed: str) -> None:
        test.alarm, test.deliveries = None, None
        if failed:
            self._fail(name, test, failed)
            return
        test.passed_ms, test.failed = self._clock.now_ms(), ""
        self._counters.add("path_tests_passed")
        log.info("path_test_passed", way=name, after_ms=test.passed_ms - test.begun_ms)

    def _fail(self, name: str, test: _Test, why: str) -> None:
        if test.failed != why:
            test.failed = why
            self._counters.add("path_tests_failed")
            log.warning("path_test_failed", way=name, why=why)

    def _send(self, test: _Test, alarm: Alarm) -> None:
        async def send() -> None:
            assert self._last_resort is not None
            try:
                test.deliveries = await self._last_resort.test(alarm)
            except UplinkDown as error:
                self._fail("sms", test, f"not sent: {error}")

        task = asyncio.get_running_loop().create_task(send())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
