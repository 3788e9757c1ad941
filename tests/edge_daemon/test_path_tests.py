"""Each way is tested once a day and told of when it is lost, found again, or fails its test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_daemon.ages import Ages
from edge_daemon.config import Forwarder as Ladder
from edge_daemon.config import Ways as Settings
from edge_daemon.errors import UplinkDown
from edge_daemon.faults import Faults
from edge_daemon.forwarder import Forwarder
from edge_daemon.journal import Journal
from edge_daemon.storing import Storing
from edge_daemon.uplinks.answers import PlatformAnswer
from edge_daemon.uplinks.last_resort import LastResort
from edge_daemon.uplinks.path_tests import PathTests
from edge_daemon.uplinks.path_watch import PathWatch
from edge_daemon.uplinks.sms.reports import State
from protocol import codes, kinds
from tests.protocol.test_contract import validate

from .core import WITHIN_S
from .hand import Two
from .test_last_resort import Modem

DAY_S = 86_400


class Station(Two):
    """Both brokers and a modem by hand, with real journal, forwarder, tests and watch."""

    def __init__(self, path: Path, gateway: str = "gw-1") -> None:
        super().__init__(Settings())
        self.modem = Modem()
        self.journal = Journal(path / "journal.sqlite3", self.counters)
        self.ages = Ages(self.journal, self.clock)
        self.forwarder = Forwarder("gw-1", Ladder(), self.journal, self.ways, self.ages, self.counters)
        self.faults = Faults(self.journal, Storing(self.journal, self.forwarder, self.ages, self.counters), self.clock)
        self.resort = LastResort("gw-1", self.modem, self.ages, 600.0, self.counters)
        self.tests = PathTests(
            gateway, DAY_S, self.ways.all, self.resort, self.faults, self.journal, self.ages, self.counters
        )
        self.watch = PathWatch(self.ways, self.modem, self.tests, self.faults, self.settings, 60.0, self.clock)
        self.away: list[bool] = []
        self.watch.on_platform = self.away.append

    async def said(self) -> list[tuple[str, str]]:
        """Kinds and notes of the gateway's own events so far."""
        await asyncio.sleep(0.05)
        made = [alarm for alarm in self.journal.alarms.values() if alarm.of_gateway]
        return [(alarm.meaning.name, alarm.note) for alarm in sorted(made, key=lambda alarm: alarm.number)]

    async def accept(self, kind: int, by: str) -> None:
        """The platform accepts the newest event of a kind, by one of the ways, once it has been sent."""
        async with asyncio.timeout(WITHIN_S):
            while not any(a.kind == kind and a.waiting and a.tries for a in self.journal.alarms.values()):
                await asyncio.sleep(0.005)
        alarm = max((a for a in self.journal.alarms.values() if a.kind == kind), key=lambda a: a.number)
        answer = PlatformAnswer(alarm.wearable, alarm.number, codes.ACCEPTED, 0, None)
        assert self.forwarder.answered(answer, self.way[by])

    async def live(self, seconds: int, *alive: str) -> None:
        """Minutes go by, with a heartbeat each, answered by the ways that are named."""
        for _ in range(seconds // 60):
            self.clock.pass_s(60)
            if alive:
                await self.alive(*alive)
            self.watch.look()

    async def until_sent(self, by: str, kind: str) -> None:
        async with asyncio.timeout(WITHIN_S):
            while kind not in [row["kind"] for m in self.lines[by].messages() for row in m["events"]]:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def station(path: Path, **more: Any) -> AsyncIterator[Station]:
    made = Station(path, **more)
    await made.journal.open()
    tasks = [asyncio.create_task(part.run()) for part in (made.journal, made.forwarder, made.resort)]
    made.forwarder.start()
    try:
        yield made
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await made.journal.close()


async def test_each_way_is_tested_by_itself_once_a_day(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        await made.both()
        made.clock.pass_s(3600)
        await made.alive()
        for _ in range(5):
            made.watch.look()
        await made.until_sent("primary", "path_test_primary")
        await made.until_sent("backup", "path_test_backup")
        await made.modem.until(1)
        assert (made.modem.texts[0].kind, made.modem.texts[0].test) == ("path_test_sms", True)
        await made.accept(kinds.PATH_TEST_PRIMARY, "primary")
        await made.accept(kinds.PATH_TEST_BACKUP, "backup")
        await asyncio.sleep(0.02)
        made.modem.made[0].state = State.DELIVERED
        made.watch.look()
        paths = made.watch.states()
        validate("heartbeat", {**BEAT, "paths": paths})
        assert [(path["name"], path["state"], path["used"], path["last_test_age_s"]) for path in paths] == [
            ("primary", "up", True, 0),
            ("backup", "up", False, 0),
            ("sms", "up", False, 0),
        ]
        await made.live(DAY_S, "primary", "backup")
        names = [name for name, _ in await made.said() if name.startswith("path_test")]
        assert sorted(names) == sorted(["path_test_primary", "path_test_backup", "path_test_sms"] * 2)


BEAT = {"v": 1, "gateway": "gw-1", "uptime_s": 1, "version": "1", "waiting": 0, "counters": {}, "links": []}


async def test_gateways_test_at_different_times_of_the_day(tmp_path: Path) -> None:
    hours = set()
    for number in range(40):
        async with station(tmp_path / f"{number}", gateway=f"gw-{number}") as made:
            for hour in range(26):
                made.clock.pass_s(3600)
                made.tests.look()
                for test in made.tests._tests.values():
                    # Passed at once.
                    again = test.alarm is not None and hour > 1
                    if test.alarm is not None:
                        test.alarm.stage = codes.ACCEPTED
                        made.way["primary"].answered("event")
                        made.way["backup"].answered("event")
                    test.alarm = None
                    if again:
                        hours.add(hour)
    assert len(hours) > 12, hours


async def test_a_test_that_is_not_accepted_is_a_lost_way_until_one_is(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        await made.both()
        made.clock.pass_s(3600)
        await made.alive()
        made.watch.look()
        await made.until_sent("backup", "path_test_backup")
        await made.accept(kinds.PATH_TEST_PRIMARY, "primary")
        await made.live(DAY_S // 4, "primary", "backup")
        said = await made.said()
        assert ("path_backup_lost", "test: not accepted") in said
        assert [name for name, _ in said].count("path_test_backup") == 1, "one is enough"
        assert not [name for name, _ in said if "primary" in name and name != "path_test_primary"]
        assert made.watch.states()[1]["last_test_age_s"] is None
        await made.accept(kinds.PATH_TEST_BACKUP, "backup")
        await made.live(420, "primary", "backup")
        assert [name for name, _ in await made.said()][-1] == "path_backup_restored"


async def test_a_test_answered_by_another_way_has_proven_nothing(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        await made.both()
        made.clock.pass_s(3600)
        await made.alive()
        made.watch.look()
        await made.until_sent("backup", "path_test_backup")
        await made.accept(kinds.PATH_TEST_BACKUP, "primary")
        made.watch.look()
        assert ("path_backup_lost", "test: answered by another way") in await made.said()


async def test_a_way_whose_events_went_unanswered_is_tested_before_it_is_trusted(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        await made.both()
        made.clock.pass_s(3600)
        await made.alive()
        made.watch.look()
        await made.accept(kinds.PATH_TEST_PRIMARY, "primary")
        made.watch.look()
        made.miss("primary", 3)
        assert made.ways.used.name == "backup"
        await made.live(120, "primary", "backup")
        tests = [note for name, note in await made.said() if name == "path_test_primary"]
        assert tests == ["daily", "events went unanswered"]
        assert made.ways.used.name == "backup"
        await made.live(600, "primary", "backup")
        assert made.ways.used.name == "backup"
        await made.accept(kinds.PATH_TEST_PRIMARY, "primary")
        await made.live(420, "primary", "backup")
        assert made.ways.used.name == "primary"
        names = [name for name, _ in await made.said()]
        assert (names.count("path_primary_lost"), names.count("path_primary_restored")) == (1, 1)


async def test_an_sms_test_without_a_report_fails_and_is_tried_again(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        await made.both()
        made.modem.fails = [UplinkDown("no modem")]
        made.clock.pass_s(3600)
        await made.alive()
        made.watch.look()
        await asyncio.sleep(0.05)
        made.watch.look()
        assert ("path_sms_lost", "test: not sent: no modem") in await made.said()
        made.clock.pass_s(3601)
        await made.alive()
        made.watch.look()
        await made.modem.until(1)
        await asyncio.sleep(0.02)
        made.clock.pass_s(1800)
        made.watch.look()
        assert made.tests.failed("sms") == "not sent: no modem", "it stays so until a test is passed"
        made.clock.pass_s(1801)
        made.watch.look()
        assert made.tests.failed("sms") == "no delivery report"
        await made.modem.until(2)
        await asyncio.sleep(0.02)
        made.modem.made[0].state = State.DELIVERED
        made.watch.look()
        assert made.tests.failed("sms") == ""
        assert made.modem.events()[0] == made.modem.events()[1], "the same test, sent again"


async def test_over_a_restart_the_day_is_remembered(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        await made.both()
        made.clock.pass_s(3600)
        await made.alive()
        made.watch.look()
        await made.accept(kinds.PATH_TEST_PRIMARY, "primary")
        made.watch.look()
        await asyncio.sleep(0.1)
    async with station(tmp_path) as made:
        await made.both()
        made.clock.pass_s(3700)
        await made.alive()
        made.watch.look()
        names = [name for name, _ in await made.said()]
        assert sorted(names) == ["path_test_backup", "path_test_primary", "path_test_sms"]
        assert made.watch.states()[0]["last_test_age_s"] == 100
        assert made.watch.states()[1]["last_test_age_s"] is None
        made.clock.pass_s(61)
        made.watch.look()
        assert made.tests.failed("backup") == "not accepted", "the one of before is still awaited"


async def test_lost_after_a_minute_restored_after_five_and_flapping_is_told_once(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        made.lines["backup"].go()
        made.clock.pass_s(59)
        made.watch.look()
        assert await made.said() == []
        made.clock.pass_s(2)
        made.watch.look()
        assert await made.said() == [("path_backup_lost", "not connected")]
        for _ in range(20):
            await made.lines["backup"].come()
            await made.live(240, "primary", "backup")
            made.lines["backup"].go()
            await made.live(60, "primary")
        assert len(await made.said()) == 1
        await made.lines["backup"].come()
        await made.live(420, "primary", "backup")
        assert [name for name, _ in await made.said()] == ["path_backup_lost", "path_backup_restored"]


async def test_no_answer_by_any_way_for_ninety_seconds_is_no_platform(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        made.clock.pass_s(89)
        made.watch.look()
        assert made.away == [False]
        made.clock.pass_s(2)
        made.watch.look()
        assert made.away == [False, True]
        assert ("platform_lost", "no answer for 91 s") in await made.said()
        await made.alive("backup")
        made.watch.look()
        assert made.away[-1] is False
        assert ("platform_restored", "") in await made.said()


async def test_a_modem_that_is_gone_is_a_lost_way(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        await made.live(420, "primary", "backup")
        made.modem.ready = False
        await made.live(180, "primary", "backup")
        assert await made.said() == [("path_sms_lost", "no modem or no network")]
        assert made.watch.states()[2]["state"] == "down"
        made.modem.ready = True
        await made.live(420, "primary", "backup")
        assert (await made.said())[1:] == [("path_sms_restored", "")]
