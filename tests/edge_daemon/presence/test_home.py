"""A resident who leaves is told of once, and once that they are back; a gateway that could not hear says nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge_daemon.presence import kept, presence
from protocol import kinds
from tests.edge_daemon.test_following import revoke, row

from .place import ANNA, BADGE, Hand, place, plan, reboot

LEFT, BACK = "presence_left", "presence_returned"


def kinds_of(said: list[tuple[str, str, str]]) -> list[str]:
    return [kind for kind, _, _ in said]


async def test_left_after_the_plans_minutes_and_back_with_the_next_frame(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.beats(ANNA.handle, hours=3)
        here.minutes(64.5)
        assert await here.said() == []
        here.minutes(0.5)
        here.minutes(120)
        assert await here.said() == [(LEFT, ANNA.handle, "not heard for 65 min")]
        here.presence.heard(ANNA.handle, "ble")
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(64)
        assert (await here.said())[1:] == [(BACK, ANNA.handle, "")]


async def test_over_a_restart_it_is_not_told_again_and_the_return_is(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(70)
        assert kinds_of(await here.said()) == [LEFT]
    async with place(tmp_path, clock) as here:
        here.minutes(70)
        assert kinds_of(await here.said()) == [LEFT]
        here.presence.heard(ANNA.handle, "ble")
        assert kinds_of(await here.said()) == [LEFT, BACK]
    async with place(tmp_path, clock) as here:
        here.minutes(70)
        assert kinds_of(await here.said()) == [LEFT, BACK, LEFT]


@pytest.mark.parametrize("kind", [kinds.RADIO_DEAF, kinds.RADIO_JAMMED])
async def test_an_ear_that_does_not_hear_makes_nobody_leave_and_all_time_begins_anew(tmp_path: Path, kind: int) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(64)
        here.faults.condition(kind, "hci0", active=True)
        here.minutes(600)
        here.faults.condition(kind, "hci0", active=False)
        here.minutes(64)
        assert LEFT not in kinds_of(await here.said())
        here.minutes(1)
        assert kinds_of(await here.said())[-1] == LEFT


async def test_a_line_that_is_lost_counts_for_who_was_heard_by_it_and_for_nobody_else(tmp_path: Path) -> None:
    by_line = Hand()
    async with place(tmp_path / "a", by_line) as here:
        here.presence.heard(ANNA.handle, "serial")
        here.faults.condition(kinds.LINK_LOST, "/dev/ttyACM0", active=True)
        here.minutes(300)
        assert LEFT not in kinds_of(await here.said())
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(65)
        assert kinds_of(await here.said())[-1] == LEFT
    async with place(tmp_path / "b", Hand()) as here:
        here.presence.heard(ANNA.handle, "serial")
        here.faults.condition(kinds.RADIO_DEAF, "hci0", active=True)
        here.minutes(65)
        assert kinds_of(await here.said())[-1] == LEFT


@pytest.mark.parametrize("about", ["nut:ups@localhost", "power_supply"])
@pytest.mark.parametrize("link", ["serial", "ble", ""])
async def test_a_source_of_power_that_is_lost_makes_nobody_deaf(tmp_path: Path, about: str, link: str) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, link or "ble")
        here.faults.condition(kinds.LINK_LOST, about, active=True)
        if link:
            here.minutes(65)
            assert kinds_of(await here.said())[-1] == LEFT
    if not link:
        # Also while it is not known yet by which it is heard.
        async with place(tmp_path, clock) as here:
            here.minutes(65)
            assert kinds_of(await here.said())[-1] == LEFT


async def test_one_line_of_two_that_is_lost_makes_nobody_deaf_until_the_other_is_lost_too(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(ANNA.handle, "serial")
        here.faults.condition(kinds.LINK_LOST, "/dev/ttyACM0", active=True)
        here.minutes(64)
        assert LEFT not in kinds_of(await here.said())
        here.lines = ["/dev/ttyACM1"]
        here.minutes(65)
        assert kinds_of(await here.said())[-1] == LEFT


async def test_after_a_restart_any_deaf_ear_counts_until_it_is_known_by_which_one_is_heard(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.faults.condition(kinds.LINK_LOST, "/dev/ttyACM0", active=True)
    async with place(tmp_path, clock) as here:
        here.minutes(300)
        assert LEFT not in kinds_of(await here.said())


async def test_a_gateway_that_was_off_or_slept_begins_to_listen_anew(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(64)
    clock.at_s += 36_000
    async with place(tmp_path, clock) as here:
        here.minutes(64)
        assert await here.said() == []
        clock.at_s += 301
        here.presence.look()
        here.minutes(64)
        assert await here.said() == []
        # A loop that is held up for less is no sleep.
        clock.at_s += 60
        here.presence.look()
        assert kinds_of(await here.said()) == [LEFT]


async def test_steps_of_the_wall_clock_are_nothing(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(30)
        clock.offset_ms += 86_400_000
        here.minutes(34)
        clock.offset_ms -= 10 * 86_400_000
        here.minutes(0.5)
        assert await here.said() == []
        here.minutes(0.5)
        assert kinds_of(await here.said()) == [LEFT]


async def test_over_a_reboot_she_is_still_out_and_comes_back_once(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(65)
    reboot(clock, 3600, "the-second-boot")
    async with place(tmp_path, clock) as here:
        here.minutes(65)
        here.presence.heard(ANNA.handle, "serial")
        assert kinds_of(await here.said()) == [LEFT, BACK]


async def test_who_was_never_heard_here_has_not_left(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.minutes(300)
        assert await here.said() == []
        here.plans.clear()
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(300)
    async with place(tmp_path, clock) as here:
        here.minutes(300)
        assert await here.said() == []


@pytest.mark.parametrize("other", [plan(tell=False), plan(presence=False)])
async def test_only_who_wants_it_and_a_plan_that_ends_ends_what_was_told(tmp_path: Path, other: object) -> None:
    async with place(tmp_path, Hand(), {ANNA.handle: other}) as here:  # type: ignore[dict-item]
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(300)
        assert await here.said() == []
        here.plans[ANNA.handle] = plan(35)
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(35)
        assert kinds_of(await here.said()) == [LEFT]
        here.plans[ANNA.handle] = other  # type: ignore[assignment]
        here.minutes(1)
        assert (await here.said())[1:] == [(BACK, ANNA.handle, "not watched here any more")]


@pytest.mark.parametrize("good", [True, False])
async def test_who_is_away_by_plan_is_told_of_when_they_do_not_come_back(tmp_path: Path, good: bool) -> None:
    clock = Hand()
    clock.good = good
    now = datetime.fromtimestamp(clock.wall_ms() / 1000, ZoneInfo("Asia/Shanghai")).replace(second=0)
    times = [f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (1, 49)]
    async with place(tmp_path, clock, {ANNA.handle: plan(away=(times[0], times[1]))}) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.beats(ANNA.handle, hours=2)
        here.minutes(46 * 60)
        # Where nobody vouches for the clock, nobody is away.
        assert kinds_of(await here.said()) == ([] if good else [LEFT])
        here.minutes(60 + 64)
        assert kinds_of(await here.said()) == ([] if good else [LEFT])
        here.minutes(3)
        assert kinds_of(await here.said()) == [LEFT]


async def test_a_plan_that_cannot_be_read_just_now_changes_nothing_that_was_told(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(65)
    async with place(tmp_path, clock, {}) as here:
        here.minutes(300)
        assert kinds_of(await here.said()) == [LEFT]
        here.plans[ANNA.handle] = plan()
        here.minutes(65)
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(65)
        assert kinds_of(await here.said()) == [LEFT, BACK, LEFT]


@pytest.mark.parametrize("how", ["revoked", "dropped", "roaming", "worker"])
async def test_who_is_no_resident_here_any_more_is_let_go(tmp_path: Path, how: str) -> None:
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(65)
        if how == "revoked":
            revoke(here.gateway, ANNA)
        elif how == "dropped":
            here.gateway.enrolled.drop(ANNA.handle)
        else:
            here.gateway.enrolled.put(row(ANNA, how))
        here.minutes(300)
        assert (await here.said())[:2][-1] == (BACK, ANNA.handle, "not watched here any more")
        assert [one for one in await here.said() if one[0] == LEFT] == [(LEFT, ANNA.handle, "not heard for 65 min")]


async def test_a_roaming_wearable_with_a_plan_is_at_home_elsewhere(tmp_path: Path) -> None:
    async with place(tmp_path, Hand()) as here:
        here.gateway.enrolled.put(row(ANNA, "roaming"))
        here.presence.heard(ANNA.handle, "ble")
        here.minutes(300)
        assert await here.said() == []


async def test_the_file_is_for_us_alone_and_nonsense_in_it_harms_nobody(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.presence.heard(ANNA.handle, "ble")
        here.presence.heard(BADGE.handle, "ble")
        assert [kind for kind, _, _ in await here.said()] == ["badge_arrived"]
    file = tmp_path / "presence.json"
    assert file.stat().st_mode & 0o777 == 0o600
    good = file.read_bytes()
    for bad in (b"", b"[]", b"{}", good[:40], good.replace(b'"v": 1', b'"v": 2'), good.replace(b"20", b'"x"'), b"\xff"):
        file.write_bytes(bad)
        assert kept.load(file) == kept.Kept()
        async with place(tmp_path, clock, written=False) as here:
            here.minutes(30)
            assert kinds_of(await here.said()) == ["badge_arrived"]
            here.presence.heard(ANNA.handle, "ble")


async def test_a_disk_that_refuses_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = presence.kept.save, []

    def refuses(path: Path, data: bytes) -> None:
        tries.append(data)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(presence.kept, "save", refuses)
    async with place(tmp_path, Hand()) as here:
        here.presence.heard(ANNA.handle, "ble")
        for _ in range(5):
            await here.presence.write()
        assert len(tries) == 3
        assert ANNA.handle in (tmp_path / "presence.json").read_text()
