"""Who is to be heard, while wearables come and go: deadlines begin with who comes and end with who goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from protocol import codes, kinds

from .core import Core, core, told
from .test_following import revoke, row
from .test_supervision import Hands
from .wearer import Wearer


async def faults(here: Core) -> list[tuple[str, str, str]]:
    await asyncio.gather(*here.faults._tasks)
    own = sorted((a.place, a) for a in here.journal.alarms.values() if a.of_gateway)
    return [(alarm.meaning.name, alarm.about, alarm.note) for _, alarm in own]


async def test_deadlines_begin_with_who_comes_and_end_with_who_goes(tmp_path: Path) -> None:
    clock = Hands()
    old, new = Wearer("a"), Wearer("b")

    def wait(hours: float) -> None:
        for _ in range(int(hours * 60)):
            clock.at_s += 60
            here.watch.look()

    async with core(tmp_path, old, clock=clock) as here:
        wait(3.5)
        here.enrolled.put(row(new))
        wait(1)
        assert [(kind, about) for kind, about, _ in await faults(here)] == [("supervision_lost", old.handle)]
        wait(2.98)
        assert len(await faults(here)) == 1
        wait(0.05)
        assert (await faults(here))[1][:2] == ("supervision_lost", new.handle)
        revoke(here, old)
        gone = ("supervision_restored", old.handle, "not expected here any more")
        assert (await faults(here))[2:] == [gone]
        wait(48)
        assert {about for _, about, _ in (await faults(here))[3:]} == {new.handle}
        assert here.journal.silences[old.handle] == 0


async def test_one_that_comes_between_two_looks_has_all_its_time(tmp_path: Path) -> None:
    clock = Hands()
    wearer = Wearer()
    async with core(tmp_path, clock=clock) as here:
        here.watch.look()
        clock.at_s += 29
        here.enrolled.put(row(wearer))
        clock.at_s += 1
        here.watch.look()
        assert here.watch._silent_ms[wearer.handle] == 1000


async def test_what_a_run_before_told_of_who_has_gone_since_ends_at_the_start(tmp_path: Path) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    async with core(tmp_path, wearer, other) as here:
        for handle in (wearer.handle, other.handle):
            here.faults.condition(kinds.SUPERVISION_LOST, handle, active=True)
            here.faults.once(kinds.WEARABLE_MISSING, handle, active=True)
            here.journal.note_silence(handle, 90_000_000)
        await faults(here)
    # Killed between the file and the tables: the file says that it is revoked.
    wearer.revoked = True
    async with core(tmp_path, wearer, other) as here:
        here.watch.release_others()
        assert (await faults(here))[-1][:2] == ("supervision_restored", wearer.handle)
        assert {about for _, about in here.journal.conditions} == {other.handle}
        assert here.journal.silences == {wearer.handle: 0, other.handle: 90_000_000}


async def test_a_roaming_one_is_served_and_nobody_misses_it(tmp_path: Path) -> None:
    clock = Hands()
    wearer = Wearer()
    async with core(tmp_path, clock=clock) as here:
        here.enrolled.put(row(wearer, "roaming"))
        assert here.expecting == [False]
        for _ in range(48 * 60):
            clock.at_s += 60
            here.watch.look()
        assert await faults(here) == []
        here.hear(wearer, wearer.event())
        assert await told(wearer) == [(codes.STORED, 1)]
        here.enrolled.put(row(wearer, "home"))
        assert here.expecting == [False, True]
        for _ in range(5 * 60):
            clock.at_s += 60
            here.watch.look()
        assert [kind for kind, _, _ in await faults(here)] == ["supervision_lost"]


async def test_one_that_has_gone_out_is_not_lost_but_missed_in_the_end(tmp_path: Path) -> None:
    """A child at school is not heard for eight hours each day, and the platform knows that it has left."""
    clock = Hands()
    child = Wearer()
    async with core(tmp_path, child, clock=clock) as here:
        here.faults.condition(kinds.AT_HOME_LEFT, child.handle, active=True)
        for _ in range(23 * 60):
            clock.at_s += 60
            here.watch.look()
        assert {kind for kind, _, _ in await faults(here)} == {"presence_left"}
        for _ in range(61):
            clock.at_s += 60
            here.watch.look()
        assert [kind for kind, _, _ in await faults(here)] == ["presence_left", "wearable_missing"]
