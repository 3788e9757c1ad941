"""A wearer of whom nothing is seen is told once, and when they are seen again; what proves nothing counts nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocol import codes
from tests.edge_daemon.wearer import Wearer

from .ward import ShanghaiClock, Ward, ward

TWO_HOURS = {"after_min": 120, "quiet": None}
MINUTE = 60


async def watched(home: Ward, **more: Any) -> None:
    await home.live_by(checkins=[], inactivity=TWO_HOURS, **more)


async def beats_on(home: Ward, minutes: int, still_min: int = -1, worn: int = codes.WORN) -> None:
    """Heartbeats every half an hour, of one who does not move (`still_min`: for how long at the beginning)."""
    for at in range(0, minutes, 30):
        await home.beats(still_min + at if still_min >= 0 else -1, worn)
        await home.turn(30 * MINUTE, step_s=MINUTE / 2)


async def test_one_who_does_not_move_is_told_once_and_again_only_when_they_do(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await watched(home)
        await beats_on(home, 120, 0)
        assert home.said() == []
        await beats_on(home, 300, 120)
        assert await home.stored() == [("inactive", "minutes=120 worn=yes by=motion")]
        await home.beats(still_min=4)
        assert [kind for kind, _ in await home.stored()] == ["inactive", "active_again"]
        await beats_on(home, 120, 4)
        await home.beats(still_min=124)
        assert [kind for kind, _ in await home.stored()] == ["inactive", "active_again", "inactive"]


async def test_between_two_heartbeats_nobody_knows(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await watched(home)
        await beats_on(home, 90, 0)
        await home.beats(still_min=90)
        await home.turn(31 * MINUTE)
        assert home.said() == []
        await home.beats(still_min=3)
        assert home.said() == []


async def test_what_is_heard_of_a_wearable_in_a_drawer_is_no_sign_of_its_wearer(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await watched(home)
        await beats_on(home, 150, 0, codes.NOT_WORN)
        assert await home.stored() == [("inactive", "minutes=120 worn=no by=motion")]
        await home.beats(still_min=0, worn=codes.NOT_WORN)
        assert len(await home.stored()) == 1
        await home.beats(still_min=0, worn=codes.WORN)
        assert [kind for kind, _ in await home.stored()] == ["inactive", "active_again"]


async def test_one_that_feels_no_motion_is_judged_by_hands_and_by_coming_back(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await watched(home)
        await beats_on(home, 90)
        await home.says(codes.SERVICE_CARE)
        await beats_on(home, 90)
        assert home.said() == []
        await beats_on(home, 60)
        assert await home.stored() == [("inactive", "minutes=120 worn=unknown by=hand")]
        await home.says(codes.WEARABLE_WORN, age_s=7200)
        assert len(await home.stored()) == 1
        await home.says(codes.WEARABLE_WORN)
        assert [kind for kind, _ in await home.stored()] == ["inactive", "active_again"]
        await home.turn(180 * MINUTE)
        await beats_on(home, 90)
        assert len(await home.stored()) == 2


async def test_out_of_reach_in_quiet_hours_away_and_asleep_no_time_goes_by(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await watched(home)
        await beats_on(home, 60, 0)
        await home.turn(600 * MINUTE)
        assert home.said() == []
        # 65 minutes after the last heartbeat it was out of reach: 60 + 35 have counted so far.
        await beats_on(home, 30, 700)
        assert await home.stored() == []
        await home.beats(still_min=730)
        assert [kind for kind, _ in await home.stored()] == ["inactive"]


async def test_quiet_hours_and_absence_do_not_count(tmp_path: Path) -> None:
    clock = ShanghaiClock("2026-11-28T20:30:00")
    async with ward(tmp_path, clock=clock) as home:
        await home.live_by(
            checkins=[],
            inactivity={"after_min": 120, "quiet": ["22:00", "07:00"]},
            away={"from": "2026-11-29T07:00", "until": "2026-11-29T12:00"},
        )
        await beats_on(home, 16 * 60, 0)
        assert home.said() == []
        await beats_on(home, 30, 16 * 60)
        assert [kind for kind, _ in await home.stored()] == ["inactive"]


async def test_it_goes_on_over_a_restart_and_a_restart_is_no_sign(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await watched(home)
        await beats_on(home, 90, 0)
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await beats_on(home, 60, 90)
        assert [kind for kind, _ in await home.stored()] == ["inactive"]
    (tmp_path / "care.json").write_bytes(b"")
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(2, checkins=[], inactivity=TWO_HOURS)
        await beats_on(home, 60, 150)
        about = [kind for kind, _ in await home.stored()]
        assert about == ["inactive"]
        await home.beats(still_min=1)
        assert [kind for kind, _ in await home.stored()] == ["inactive", "active_again"]


async def test_a_plan_that_watches_no_more_ends_it_without_a_word(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await watched(home)
        await beats_on(home, 150, 0)
        await home.live_by(2, checkins=[], inactivity=None)
        await home.live_by(3, checkins=[], inactivity=TWO_HOURS)
        assert [kind for kind, _ in await home.stored()] == ["inactive"]
        await beats_on(home, 30, 150)
        assert [kind for kind, _ in await home.stored()] == ["inactive", "inactive"]


async def test_without_a_believed_time_nothing_counts(tmp_path: Path) -> None:
    clock = ShanghaiClock()
    clock.good = False
    async with ward(tmp_path, clock=clock) as home:
        await watched(home)
        await beats_on(home, 300, 0)
        assert home.said() == []
