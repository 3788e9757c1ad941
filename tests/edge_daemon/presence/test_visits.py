"""Visits: arrived, left, how long and what for, by presses and by silence, over restarts, in hostile orders."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_daemon.presence import kept
from protocol import codes, kinds
from tests.edge_daemon.test_following import revoke, row

from .place import ANNA, BADGE, HERE, Hand, left, place, plan


async def test_arrived_with_the_first_frame_left_by_press_and_the_purpose_by_press(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(5)
        here.presence.heard(BADGE.handle, "ble")
        assert await here.said() == [HERE]
        for kind in (codes.SERVICE_CARE, codes.SERVICE_MEDICAL, codes.SERVICE_CARE):
            here.minutes(10)
            here.press(kind)
        here.press(codes.VISIT_DONE)
        here.minutes(20)
        # It is heard on its way out, and its events are asked about: no new visit.
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(300)
        assert await here.said() == [HERE, left("minutes=35 purpose=care,medical")]
        here.presence.heard(BADGE.handle, "ble")
        assert (await here.said())[2:] == [HERE]


async def test_left_by_silence_and_the_visit_lasted_to_the_last_that_was_heard(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(BADGE.handle, "ble")
        here.beats(BADGE.handle, hours=1)
        here.minutes(64.5)
        assert await here.said() == [HERE]
        here.minutes(0.5)
        here.minutes(300)
        assert await here.said() == [HERE, left("minutes=60 purpose=none silent=65")]


async def test_a_plan_says_after_how_long_a_badge_has_gone(tmp_path: Path) -> None:
    async with place(tmp_path, Hand(), {BADGE.handle: plan(35, tell=False, who="worker")}) as here:
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(34.5)
        assert await here.said() == [HERE]
        here.minutes(0.5)
        assert (await here.said())[1:] == [left("minutes=0 purpose=none silent=35")]


async def test_a_deaf_gateway_ends_no_visit(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(40)
        here.faults.condition(kinds.RADIO_DEAF, "hci0", active=True)
        here.minutes(200)
        here.faults.condition(kinds.RADIO_DEAF, "hci0", active=False)
        here.minutes(64)
        assert "badge_left" not in [kind for kind, _, _ in await here.said()]
        here.press(codes.VISIT_DONE)
        assert (await here.said())[-1] == left("minutes=304 purpose=none")


async def test_presses_at_the_door_count_and_those_of_another_home_do_not(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        # Out of the last home's range all of it was pressed, and it is told here.
        here.press(codes.VISIT_ARRIVED, age_min=90)
        here.press(codes.SERVICE_HOUSEHOLD, age_min=80)
        here.press(codes.VISIT_DONE, age_min=40)
        # Pressed at this door.
        here.press(codes.VISIT_ARRIVED, age_min=4)
        here.press(codes.SERVICE_CARE, age_min=3)
        here.minutes(20)
        here.press(codes.VISIT_DONE, age_min=1)
        assert await here.said() == [HERE, left("minutes=23 purpose=care")]


@pytest.mark.parametrize("more", [{"known": False}, {"at_least": True}, {"raw": True}])
async def test_a_press_of_which_nobody_knows_when_or_what_ends_nothing(tmp_path: Path, more: dict[str, bool]) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(10)
        here.press(codes.VISIT_DONE, **more)
        here.press(codes.SERVICE_CARE, **more)
        here.minutes(64)
        assert await here.said() == [HERE]
        here.minutes(1)
        assert (await here.said())[1:] == [left("minutes=10 purpose=none silent=65")]


async def test_back_for_something_before_it_had_gone_is_a_visit_of_its_own(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.press(codes.VISIT_ARRIVED)
        here.minutes(30)
        here.press(codes.VISIT_DONE)
        # Made before that and delivered after it: of the visit that is over.
        here.press(codes.SERVICE_CARE, age_min=5)
        here.press(codes.VISIT_ARRIVED, age_min=30)
        here.press(codes.VISIT_DONE)
        assert await here.said() == [HERE, left("minutes=30 purpose=none")]
        here.minutes(10)
        here.press(codes.SERVICE_MEDICAL)
        here.minutes(10)
        here.press(codes.VISIT_DONE)
        assert (await here.said())[2:] == [HERE, left("minutes=10 purpose=medical")]


async def test_an_sos_of_a_badge_is_nothing_of_ours_and_no_visit_is_told_for_a_resident(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.press(codes.SOS)
        assert await here.said() == [HERE]
        here.press(codes.VISIT_DONE, who=ANNA)
        here.press(codes.VISIT_ARRIVED, who=ANNA)
        assert await here.said() == [HERE]


async def test_a_badge_is_never_missed_and_never_a_resident(tmp_path: Path) -> None:
    async with place(tmp_path, Hand(), {BADGE.handle: plan(35)}) as here:
        assert BADGE.handle not in here.gateway.enrolled.expected
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(60 * 30)
        assert {kind for kind, _, _ in await here.said()} == {"badge_arrived", "badge_left"}


@pytest.mark.parametrize("how", ["revoked", "dropped", "roaming"])
async def test_a_badge_that_is_none_any_more_has_left(tmp_path: Path, how: str) -> None:
    async with place(tmp_path, Hand()) as here:
        here.press(codes.SERVICE_CARE)
        here.minutes(10)
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(1)
        if how == "revoked":
            revoke(here.gateway, BADGE)
        elif how == "dropped":
            here.gateway.enrolled.drop(BADGE.handle)
        else:
            here.gateway.enrolled.put(row(BADGE, how))
        here.presence.look()
        assert await here.said() == [HERE, left("minutes=10 purpose=care silent=1")]
        assert not kept.load(tmp_path / "presence.json").visits


async def test_two_badges_at_once_are_two_visits(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.gateway.enrolled.put(row(ANNA, "worker"))
        here.press(codes.SERVICE_CARE)
        here.minutes(10)
        here.press(codes.SERVICE_MEDICAL, who=ANNA)
        here.press(codes.VISIT_DONE)
        here.minutes(10)
        here.press(codes.VISIT_DONE, who=ANNA)
        notes = {about: note for kind, about, note in await here.said() if kind == "badge_left"}
        assert notes == {BADGE.handle: "minutes=10 purpose=care", ANNA.handle: "minutes=10 purpose=medical"}
