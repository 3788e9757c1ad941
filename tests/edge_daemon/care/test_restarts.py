"""Over kills, power cuts and a disk that fails care goes on, and nothing is told twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.care.kept import Kept
from protocol import box, codes
from tests.edge_daemon.wearer import Wearer

from .ward import BARE, MORNING, PILLS, ShanghaiClock, waiting, ward

NAMED = "kind=checkin id=morning on=2026-11-28 due=08:00"


async def test_a_plan_and_what_is_asked_go_on_after_a_kill(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(5)
        await home.turn(600)
        await home.shows()
    assert (tmp_path / "care.json").stat().st_mode & 0o777 == 0o600
    clock.at_s += 20
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        assert (await home.send(home.plan_row(5, BARE)))["plan_version"] == 5
        await home.turn(570)
        assert home.hears() == []
        await home.turn(10)
        for _ in range(2):
            await home.shows()
            await home.turn(600)
        await home.turn(10)
        assert await home.stored() == [("checkin_silent", f"{NAMED} tries=3 worn=yes")]
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(7200)
        assert len(home.said()) == 1
        await home.answers(age_s=4000)
        assert (await home.stored())[1] == ("checkin_settled", f"{NAMED} was=silent")
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.answers()
        assert len(await home.stored()) == 2


async def test_an_answer_that_was_stored_in_the_moment_of_the_kill_counts(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by()
        await home.turn(600)
        await home.shows()
        home.deaf = True
        await home.answers()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(7200)
        assert home.said() == []


async def test_after_a_kill_the_answer_to_one_medicine_is_none_to_the_next(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=[PILLS, {**PILLS, "id": "drops", "again": 0}])
        await home.turn(600)
        await home.shows()
        await home.turn(60)
        await home.answers(codes.PROMPT_MEDICINE)
        await home.shows()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(720)
        assert [note.split()[1] for _, note in await home.stored()] == ["id=drops"]
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.answers(codes.PROMPT_MEDICINE, age_s=50)
        assert len(await home.stored()) == 1
        await home.answers(codes.PROMPT_MEDICINE, age_s=150)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent", "checkin_settled"]


@pytest.mark.parametrize("told", [False, True])
async def test_an_outcome_is_told_once_wherever_the_kill_falls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    """Killed between the file and the journal: told after the start. Killed right behind the journal: not again."""
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer, link="ble") as home:
        await home.live_by()
        await home.turn(600 + 2070)
        shelf = home.care._shelf
        keep = shelf.keep
        kept: list[bool] = []

        async def once(content: Any) -> bool:
            # The first write holds the outcome as to be told; that it was told is not written any more.
            if kept:
                return False
            kept.append(await keep(content))
            return True

        monkeypatch.setattr(shelf, "keep", once)
        if not told:
            monkeypatch.setattr(home.gateway.faults, "report", lambda *_: None)
        await home.turn(60)
        assert len(await home.stored()) == int(told)
    async with ward(tmp_path, clock=clock, wearer=wearer, link="ble") as home:
        await home.turn(600)
        assert await home.stored() == [("checkin_unreachable", f"{NAMED} tries=0")]


@pytest.mark.parametrize(
    ("back_at", "asked", "said"),
    [
        ("08:09", [codes.COMMAND_PROMPT], []),
        ("08:10", [], [("checkin_unreachable", f"{NAMED} tries=0 why=gateway_off")]),
        ("13:00", [], [("checkin_unreachable", f"{NAMED} tries=0 why=gateway_off")]),
    ],
)
async def test_what_fell_due_while_the_gateway_was_off_is_asked_late_or_told_as_that(
    tmp_path: Path, back_at: str, asked: list[int], said: list[tuple[str, str]]
) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by()
    hours, minutes = map(int, back_at.split(":"))
    clock.at_s += (hours * 60 + minutes - 470) * 60
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        assert await home.stored() == said
        assert [code for _, code in waiting(home)] == asked


async def test_days_without_the_gateway_are_one_event_for_each_check_in(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=[MORNING, PILLS])
    clock.at_s += 3 * 86_400 + 3600
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        notes = [note for _, note in await home.stored()]
    assert notes == [
        f"kind={kind} id={name} on=2026-12-01 due=08:00 tries=0 why=gateway_off missed=4"
        for kind, name in (("checkin", "morning"), ("medicine", "pills"))
    ]


async def test_late_in_the_quiet_hours_nobody_is_woken(tmp_path: Path) -> None:
    late = {**MORNING, "at": "21:58", "answer_within_s": 3600}
    quiet = {"after_min": 10080, "quiet": ["22:00", "07:00"]}
    clock, wearer = ShanghaiClock("2026-11-28T21:50:00"), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=[late], inactivity=quiet)
    clock.at_s += 20 * 60
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(3600)
        assert [note for _, note in await home.stored()] == [
            "kind=checkin id=morning on=2026-11-28 due=21:58 tries=0 why=gateway_off"
        ]
        assert home.prompts() == []


async def test_of_a_damaged_file_what_is_whole_goes_on_and_it_is_told(tmp_path: Path) -> None:
    clock, wearer, other = ShanghaiClock(), Wearer(), Wearer("b")
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        await home.live_by(5)
        sealed = box.seal(box.care_key(other.keys.down), box.CARE, 6, b"saltsalt", json.dumps(BARE).encode())
        row = {"wearable": other.handle, "plan": {"version": 6, "box": sealed.hex()}, "settings": None}
        home.care.take(json.dumps({"v": 1, "rows": [row]}).encode())
        await home.turn()
    file = tmp_path / "care.json"
    data = bytearray(file.read_bytes())
    data[data.index(wearer.handle.encode()) + 40] ^= 1
    file.write_bytes(data)
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        assert home.care.plan(wearer.handle) is None
        assert home.care.plan(other.handle) is not None
        await home.stored()
        told = [(a.meaning.name, a.about, a.note) for a in home.gateway.journal.alarms.values() if a.of_gateway]
        assert told == [("store_damaged", "care", "set aside as care.damaged")]
        assert (tmp_path / "care.damaged").read_bytes() == bytes(data)
        assert (await home.send(home.plan_row(5, BARE)))["result"] == "taken"


def test_a_file_cut_anywhere_is_never_taken_for_whole(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "care.json")
    kept.write({"a": {"x": 1}, "b": {"y": 2}})
    assert kept.read() == ({"a": {"x": 1}, "b": {"y": 2}}, 0)
    whole = (tmp_path / "care.json").read_bytes()
    for size in range(len(whole) - 1):
        (tmp_path / "care.json").write_bytes(whole[:size])
        content, damaged = kept.read()
        assert damaged
        assert content.items() <= {"a": {"x": 1}, "b": {"y": 2}}.items()


async def test_a_disk_that_fails_holds_up_no_prompt_and_no_outcome_but_what_is_taken_is_kept_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, link="ble") as home:
        await home.live_by()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        healthy = home.care._shelf._kept.write
        monkeypatch.setattr(home.care._shelf._kept, "write", full)
        await home.turn(600)
        assert (await home.shows()).kind == codes.PROMPT_CHECKIN
        await home.turn(1200)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]
        row = {"wearable": home.wearer.handle, "plan": home.plan_row(2, BARE), "settings": None}
        count = len(home.reports)
        home.care.take(json.dumps({"v": 1, "rows": [row]}).encode())
        await home.turn()
        assert len(home.reports) == count
        monkeypatch.setattr(home.care._shelf._kept, "write", healthy)
        monkeypatch.setattr(home.care._shelf, "_failed_at_s", None)
        await home.turn()
        assert home.reports[-1]["plan_version"] == 2


async def test_it_runs_by_itself_and_a_fault_in_one_case_ends_nothing(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        running = asyncio.create_task(home.care.run())
        home.care._put(lambda: 1 // 0)  # type: ignore[arg-type]
        row = {"wearable": home.wearer.handle, "plan": home.plan_row(2, BARE), "settings": None}
        home.care.take(json.dumps({"v": 1, "rows": [row]}).encode())
        async with asyncio.timeout(10):
            while not home.reports:
                await asyncio.sleep(0.01)
        assert home.gateway.count("care_failed") == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_outcome_is_kept_until_the_journal_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's disk hangs while care's goes on; then the power goes."""
    clock, wearer = ShanghaiClock(), Wearer()

    async def hangs(*_: Any) -> None:
        await asyncio.Event().wait()

    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(5, checkins=[{**MORNING, "again": 0}])
        monkeypatch.setattr(home.gateway.storing, "store", hangs)
        await home.turn(7200)
        for _ in range(2):
            home.care._touched()
            await home.turn()
        assert home.said() == []
        monkeypatch.undo()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(10)
        assert [kind for kind, _ in await home.stored()] == ["checkin_unreachable"]
        home.care._touched()
        await home.turn()
        assert Kept(tmp_path / "care.json").read()[0]["telling"] == {"events": []}
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.turn(10)
        assert len(await home.stored()) == 1
