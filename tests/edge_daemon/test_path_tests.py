"""Each way is tested by itself once a day, and what a test says is believed of its way alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge_daemon.errors import UplinkDown
from edge_daemon.uplinks.sms.reports import State
from protocol import codes, kinds
from tests.protocol.test_contract import validate

from .station import DAY_S, station


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
        assert made.way["primary"].answered_ms["event"] is None, "nothing that went by it was answered"


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


async def test_a_doubt_is_not_left_to_the_daily_tests_pause_after_a_start(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        made.miss("primary", 3)
        await made.live(120, "primary", "backup")
        await made.accept(kinds.PATH_TEST_PRIMARY, "primary")
        await made.live(420, "primary", "backup")
        assert made.ways.used.name == "primary"


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
