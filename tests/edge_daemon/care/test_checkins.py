"""A check-in ends once, as what it was: answered, not worn, not reachable, or worn but silent; and what settles it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from protocol import codes

from .ward import BARE, MORNING, PILLS, Ward, ward

NAMED = "kind=checkin id=morning on=2026-11-28 due=08:00"


async def due(ward_: Ward) -> None:
    """It is 08:00."""
    await ward_.live_by()
    await ward_.turn(600)


async def test_an_answer_ends_it_and_nothing_is_said(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by()
        await home.turn(590)
        assert home.prompts() == []
        await home.turn(10)
        prompt = await home.shows()
        assert (prompt.kind, prompt.within_s, prompt.text) == (codes.PROMPT_CHECKIN, 600, 0)
        await home.turn(300)
        await home.answers()
        await home.turn(86_000)
        assert home.hears() == []
        assert await home.stored() == []
        await home.turn(400)
        assert (await home.shows()).number != prompt.number


@pytest.mark.parametrize(
    ("worn", "kind", "word"),
    [
        (codes.WORN, "checkin_silent", " worn=yes"),
        (codes.WORN_UNKNOWN, "checkin_silent", ""),
        (codes.NOT_WORN, "checkin_not_worn", " worn=no"),
    ],
)
async def test_shown_and_not_answered_it_is_asked_again_and_then_told_as_what_is_known(
    tmp_path: Path, worn: int, kind: str, word: str
) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        numbers = set()
        for _ in range(3):
            assert home.said() == []
            numbers.add((await home.shows(worn)).number)
            await home.turn(600)
        assert len(numbers) == 3
        assert home.said() == []
        await home.turn(10)
        assert await home.stored() == [(kind, f"{NAMED} tries=3{word}")]
        await home.turn(7200)
        assert home.hears() == []
        assert len(home.said()) == 1


async def test_what_is_known_is_of_the_last_time_it_was_shown(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        for worn in (codes.NOT_WORN, codes.NOT_WORN, codes.WORN):
            await home.shows(worn)
            await home.turn(600)
        await home.turn(10)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]


async def test_the_next_try_waits_for_the_hello_of_a_wearable_whose_prompt_has_run_out(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        await due(home)
        first = await home.shows()
        await home.turn(597, step_s=1)
        home.hello()
        assert home.prompts() == []
        await home.turn(2, step_s=1)
        home.hello()
        ((_, second),) = home.prompts()
        assert second.number != first.number


async def test_one_that_is_not_reached_in_time_is_told_as_that(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        await due(home)
        await home.turn(2070)
        assert home.said() == []
        await home.turn(60)
        assert await home.stored() == [("checkin_unreachable", f"{NAMED} tries=0")]
        home.hello()
        assert home.prompts() == []


async def test_one_that_is_at_home_elsewhere_is_asked_when_it_is_here_and_missed_nowhere_else(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        wearable = home.gateway.enrolled.get(home.wearer.handle)
        assert wearable is not None
        home.gateway.enrolled.put(dataclasses.replace(wearable, role="roaming"))
        await home.live_by(checkins=[{**MORNING, "again": 0}, {**MORNING, "id": "ten", "at": "10:00", "again": 0}])
        await home.turn(600 + 2130)
        assert home.said() == []
        await home.turn(7200 - 2130)
        await home.shows()
        await home.turn(610)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]


async def test_a_wearable_on_the_air_is_asked_with_its_next_hello_and_has_all_its_time_then(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        await due(home)
        await home.turn(1700)
        await home.shows()
        await home.turn(590)
        assert home.said() == []
        await home.answers()
        await home.turn(7200)
        assert await home.stored() == []


async def test_tries_that_do_not_reach_it_do_not_hold_up_what_is_known(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        await due(home)
        await home.shows()
        await home.turn(600 + 570)
        assert home.said() == []
        await home.turn(60)
        assert await home.stored() == [("checkin_silent", f"{NAMED} tries=1 worn=yes")]


async def test_an_answer_late_settles_it_once(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        await due(home)
        await home.turn(2130)
        await home.answers()
        await home.answers()
        assert [kind for kind, _ in await home.stored()] == ["checkin_unreachable", "checkin_settled"]
        assert home.said()[1] == ("checkin_settled", f"{NAMED} was=unreachable")


async def test_an_answer_of_before_the_question_is_none(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        await home.shows()
        await home.turn(60)
        await home.answers(age_s=120)
        await home.turn(600)
        assert (await home.shows()).kind == codes.PROMPT_CHECKIN
        await home.says(codes.SERVICE_CARE)
        await home.turn(7200)
        assert home.said() == []


async def test_a_press_for_a_service_answers_a_check_in_and_takes_it_off_the_wearable(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        shown = await home.shows()
        await home.says(codes.SERVICE_HOUSEHOLD)
        ((_, withdrawn),) = home.prompts()
        assert (withdrawn.kind, withdrawn.number) == (codes.PROMPT_NONE, shown.number)
        await home.turn(7200)
        assert home.said() == []


async def test_an_alarm_ends_it_without_a_word_and_does_not_settle_what_was_told(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**MORNING, "again": 0}, {**MORNING, "id": "later", "at": "08:11"}])
        await home.turn(600)
        await home.shows()
        await home.turn(660)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]
        shown = await home.shows()
        await home.says(codes.SOS, codes.HOLD)
        assert [(p.kind, p.number) for _, p in home.prompts()] == [(codes.PROMPT_NONE, shown.number)]
        await home.turn(7200)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]


async def test_an_event_that_is_stored_twice_answers_one_question(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[MORNING, {**MORNING, "id": "also", "again": 0}])
        await home.turn(600)
        await home.shows()
        await home.turn(60)
        await home.answers()
        await home.shows()
        home.care.event(home.gateway.journal.alarms[(home.wearer.handle, home.wearer.number)])
        await home.turn(620)
        assert [note.split()[1] for _, note in await home.stored()] == ["id=also"]


async def test_two_at_once_are_asked_one_after_the_other(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[MORNING, PILLS])
        await home.turn(600)
        assert (await home.shows()).kind == codes.PROMPT_CHECKIN
        await home.turn(60)
        assert home.hears() == []
        await home.answers()
        assert (await home.shows()).kind == codes.PROMPT_MEDICINE
        await home.turn(10)
        await home.answers(codes.PROMPT_MEDICINE)
        await home.turn(7200)
        assert home.said() == []


async def test_a_wearable_that_cannot_show_it_now_is_asked_again_a_minute_later(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        ((command, _),) = home.prompts()
        await home.does(command, codes.RESULT_FAILED, b"")
        await home.turn(50, step_s=5)
        assert home.prompts() == []
        await home.turn(10, step_s=5)
        ((command, _),) = home.prompts()
        await home.does(command, codes.RESULT_UNKNOWN, b"")
        assert await home.stored() == [("checkin_unreachable", f"{NAMED} tries=0 why=cannot_ask")]


async def test_one_that_shows_an_alarm_all_the_time_is_told_as_that(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        for _ in range(35):
            ((command, _),) = home.prompts()
            await home.does(command, codes.RESULT_FAILED, b"")
            await home.turn(60)
        assert await home.stored() == [("checkin_unreachable", f"{NAMED} tries=0 why=alarm_open")]


async def test_a_plan_without_it_takes_it_off(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        shown = await home.shows()
        await home.live_by(2, checkins=[])
        assert [(p.kind, p.number) for _, p in home.prompts()] == [(codes.PROMPT_NONE, shown.number)]
        await home.turn(7200)
        assert await home.stored() == []


async def test_who_is_served_no_more_is_asked_no_more(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**MORNING, "again": 0}], inactivity={"after_min": 60, "quiet": None})
        await home.turn(600)
        await home.shows()
        home.gateway.enrolled.drop(home.wearer.handle)
        await home.turn(86_400)
        assert await home.stored() == []
        assert home.care.plan(home.wearer.handle) is None
    assert BARE["checkins"] == [MORNING]


async def test_who_presses_a_fall_away_has_answered(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await due(home)
        await home.shows()
        await home.says(codes.FALL_RECOVERED, codes.PRESSED_AWAY)
        await home.turn(7200)
        assert await home.stored() == []


async def test_who_got_up_has_not_answered_and_is_asked_on_and_settles_nothing(tmp_path: Path) -> None:
    """The accelerometer alone says it."""
    async with ward(tmp_path) as home:
        await due(home)
        for _ in range(3):
            await home.shows()
            await home.says(codes.FALL_RECOVERED, codes.GOT_UP)
            await home.turn(600)
        await home.turn(10)
        silent = [("checkin_silent", f"{NAMED} tries=3 worn=yes")]
        assert await home.stored() == silent
        await home.says(codes.FALL_RECOVERED, codes.GOT_UP)
        assert await home.stored() == silent
        await home.says(codes.FALL_RECOVERED, codes.PRESSED_AWAY)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent", "checkin_settled"]
