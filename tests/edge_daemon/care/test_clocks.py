"""Whatever the clocks do, nobody is asked twice, or by a time that is not believed."""

from __future__ import annotations

from pathlib import Path

from tests.edge_daemon.wearer import Wearer

from .ward import MORNING, ShanghaiClock, settings_row, ward

NAMED = "kind=checkin id=morning on=2026-11-28 due=08:00"


async def test_a_clock_set_back_asks_nothing_twice_and_one_set_on_tells_what_it_passed_over(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[MORNING, {**MORNING, "id": "noon", "at": "12:00"}])
        await home.turn(600)
        await home.shows()
        home.clock.set("2026-11-28T05:00:00")
        await home.turn(30)
        await home.answers()
        await home.turn(4 * 3600)
        assert home.hears() == []
        assert home.said() == []
        home.clock.set("2026-11-28T12:30:00")
        await home.turn(1)
        assert await home.stored() == [
            ("checkin_unreachable", "kind=checkin id=noon on=2026-11-28 due=12:00 tries=0 why=clock")
        ]
        home.clock.set("2030-01-01T00:00:00")
        await home.turn(1)
        home.clock.set("2026-11-28T07:59:00")
        count = len(await home.stored())
        await home.turn(120)
        assert home.prompts() == []
        home.clock.set("2026-11-29T07:59:00")
        await home.turn(120)
        assert len(home.prompts()) == 1
        assert len(await home.stored()) == count == 3


async def test_a_question_under_way_does_not_mind_a_step_of_the_clock(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**MORNING, "again": 0}])
        await home.turn(600)
        await home.shows()
        home.clock.set("2026-11-28T03:00:00")
        await home.turn(570)
        assert home.said() == []
        await home.turn(40)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]


async def test_a_clock_at_1970_asks_nothing_until_it_is_right(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by()
    clock.boot_id, clock.at_s, clock.offset_ms, clock.good = "another", 30.0, 0, False
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        assert home.care.believed_ms() is None
        assert home.care.offset_minutes(wearer.handle) is None
        await home.turn(3 * 86_400, step_s=300)
        assert home.hears() == []
        assert home.said() == []
        clock.good = True
        clock.set("2026-12-01T07:59:00")
        await home.turn(120)
        assert home.care.offset_minutes(wearer.handle) == 480
        assert [note for _, note in await home.stored()] == [
            "kind=checkin id=morning on=2026-11-30 due=08:00 tries=0 why=gateway_off missed=3"
        ]
        assert len(home.prompts()) == 1


async def test_a_plan_that_came_while_nobody_knew_the_time_asks_for_nothing_before_it(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=[])
    clock.boot_id, clock.at_s, clock.offset_ms, clock.good = "another", 30.0, 0, False
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(2)
        clock.good = True
        clock.set("2026-11-28T08:05:00")
        await home.turn(60)
        assert home.prompts() == []
        assert home.said() == []


async def test_a_machine_that_sleeps_again_and_again_spares_a_question_once(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**MORNING, "again": 0}])
        await home.turn(600)
        await home.shows()
        await home.turn(1200, step_s=300)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]


async def test_over_a_reboot_a_question_goes_on(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=[{**MORNING, "again": 0}])
        await home.turn(600)
        await home.shows()
    clock.boot_id, clock.at_s = "another", 30.0
    clock.set("2026-11-28T08:05:00")
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(240)
        assert home.said() == []
        await home.turn(70)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]
        await home.answers(age_s=7 * 60)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent", "checkin_settled"]


async def test_a_machine_that_slept_gives_an_answer_time_to_arrive(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by()
        await home.turn(600)
        await home.shows()
        await home.turn(5 * 3600, step_s=5 * 3600)
        await home.turn(50)
        assert home.hears() == []
        assert home.said() == []
        await home.turn(60)
        assert await home.stored() == [("checkin_silent", f"{NAMED} tries=1 worn=yes why=gateway_off")]
        assert home.hears() == []


async def test_while_away_nobody_is_asked_or_missed(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(away={"from": "2026-11-28T07:55", "until": "2026-11-30T07:55"})
        await home.turn(2 * 86_400, step_s=300)
        assert home.hears() == []
        await home.turn(900)
        assert len(home.prompts()) == 1
        assert home.said() == []


async def test_a_question_that_was_kept_without_a_time_has_all_of_its_time_again(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=[{**MORNING, "again": 0}])
        await home.turn(600)
        await home.shows()
    clock.boot_id, clock.at_s, clock.offset_ms, clock.good = "another", 30.0, 0, False
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        # Something else is kept, and the question with it.
        await home.send(None, settings_row(1))
    clock.boot_id, clock.good = "a third", True
    clock.set("2026-11-28T08:05:00")
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(590)
        assert home.said() == []
        await home.answers(age_s=400)
        await home.turn(3600)
        assert home.said() == []
        assert home.gateway.count("care_failed") == 0
