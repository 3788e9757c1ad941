"""A visit is one visit over restarts, reboots and steps of clocks, and in any order of anything."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from protocol import codes, kinds

from .place import BADGE, HERE, Hand, Place, left, place, reboot


async def test_over_a_restart_and_steps_of_the_wall_clock_it_is_one_visit(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.press(codes.SERVICE_CARE)
        here.minutes(10)
    clock.at_s += 120
    clock.offset_ms -= 86_400_000
    async with place(tmp_path, clock) as here:
        here.minutes(8)
        here.presence.heard(BADGE.handle, "ble")
        clock.offset_ms += 3 * 86_400_000
        here.press(codes.VISIT_DONE)
        assert await here.said() == [HERE, left("minutes=20 purpose=care")]


@pytest.mark.parametrize(
    ("good", "note"), [(True, "minutes=41 purpose=care"), (False, "minutes=11 purpose=care at_least")]
)
async def test_over_a_reboot_it_is_as_long_as_the_clocks_can_tell(tmp_path: Path, good: bool, note: str) -> None:
    clock = Hand()
    clock.good = good
    async with place(tmp_path, clock) as here:
        here.press(codes.SERVICE_CARE)
        here.minutes(10)
        # As in every other run: what is known of this run of the machine is written down now and then.
        here.ages.note()
    reboot(clock, 1800, "the-second-boot")
    async with place(tmp_path, clock) as here:
        here.minutes(1)
        here.press(codes.VISIT_DONE)
        assert await here.said() == [HERE, left(note)]


async def test_one_that_left_while_the_machine_was_off_was_here_to_the_last_that_was_heard(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.press(codes.SERVICE_CARE)
        here.minutes(10)
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(10)
    reboot(clock, 7200, "the-second-boot")
    async with place(tmp_path, clock) as here:
        here.minutes(65)
        said = await here.said()
        assert said[1][2].startswith("minutes=10 purpose=care silent=")
        # Ten minutes, two hours and what it was listened for.
        assert 194 <= int(said[1][2].rsplit("=", 1)[1]) <= 196


async def test_over_a_restart_a_visit_that_is_over_begins_none(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.press(codes.VISIT_DONE)
    async with place(tmp_path, clock) as here:
        here.presence.heard(BADGE.handle, "ble")
        here.minutes(5)
        assert await here.said() == [HERE, left("minutes=0 purpose=none")]


async def test_killed_before_the_file_was_written_it_is_no_second_visit_and_its_length_a_lower_bound(
    tmp_path: Path,
) -> None:
    clock = Hand()
    for heard_first in (True, False):
        path = tmp_path / str(heard_first)
        async with place(path, clock, written=False) as here:
            here.presence.heard(BADGE.handle, "ble")
        async with place(path, clock, looked=not heard_first) as here:
            if heard_first:
                here.presence.heard(BADGE.handle, "ble")
            here.minutes(7)
            here.press(codes.VISIT_DONE)
            assert await here.said() == [HERE, left("minutes=7 purpose=none at_least")]


async def test_with_a_journal_that_is_new_what_is_under_way_is_told_anew(tmp_path: Path) -> None:
    clock = Hand()
    async with place(tmp_path, clock) as here:
        here.press(codes.SERVICE_CARE)
        here.minutes(10)
    clock.at_s += 1
    _lose_the_journal(tmp_path)
    async with place(tmp_path, clock) as here:
        here.press(codes.VISIT_DONE)
        assert await here.said() == [HERE, left("minutes=10 purpose=care")]


def _lose_the_journal(path: Path) -> None:
    for file in path.glob("journal.sqlite3*"):
        file.unlink()


async def test_in_any_order_of_anything_arrivals_and_ends_take_turns_and_no_visit_is_longer_than_it_was(
    tmp_path: Path,
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    clock = Hand()
    passed = 0.0
    for run in range(6):
        if run == 3:
            reboot(clock, chance.randrange(7200), "the-second-boot")
        async with place(tmp_path, clock, written=chance.random() < 0.7) as here:
            for _ in range(60):
                passed += _anything(here, chance)
                if chance.random() < 0.3:
                    await here.presence.write()
            said = await here.said()
    ours = [one for one in said if one[1] == BADGE.handle]
    assert len(ours) > 10
    assert [kind for kind, _, _ in ours] == ["badge_arrived", "badge_left"] * (len(ours) // 2) + (
        ["badge_arrived"] if len(ours) % 2 else []
    )
    minutes = [int(note.split()[0].removeprefix("minutes=")) for kind, _, note in ours if kind == "badge_left"]
    assert min(minutes) >= 0
    # The door's five minutes may be claimed once a visit, the time in which the machine was off is known.
    assert sum(minutes) <= passed + 5 * len(minutes) + 121


def _anything(here: Place, chance: random.Random) -> float:
    """One thing happens; returns the minutes that passed."""
    what = chance.randrange(8)
    if what == 0:
        here.presence.heard(BADGE.handle, "ble")
    elif what == 1:
        here.clock.offset_ms += chance.randrange(-86_400_000, 86_400_000)
    elif what == 2:
        here.clock.good = chance.random() < 0.5
    elif what == 3:
        here.faults.condition(kinds.RADIO_DEAF, "hci0", active=chance.random() < 0.3)
    elif what == 4:
        here.minutes(80)
        return 80
    elif what == 5:
        here.minutes(5)
        return 5
    else:
        kind = chance.choice((codes.VISIT_ARRIVED, codes.VISIT_DONE, codes.VISIT_DONE, codes.SERVICE_CARE, codes.SOS))
        here.press(kind, age_min=chance.choice((0, 0, 3, 60)), known=chance.random() < 0.9)
    return 0
