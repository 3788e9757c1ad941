"""A medicine is confirmed by its own answer, pressed while that one was asked for, and by nothing else."""

from __future__ import annotations

from pathlib import Path

from protocol import codes

from .ward import PILLS, ward


async def test_that_a_medicine_was_taken_only_its_own_answer_says(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**PILLS, "again": 0, "text": 3}])
        await home.turn(600)
        prompt = await home.shows()
        assert (prompt.kind, prompt.text) == (codes.PROMPT_MEDICINE, 3)
        await home.says(codes.SERVICE_CARE)
        await home.answers(codes.PROMPT_CHECKIN)
        await home.turn(610)
        named = "kind=medicine id=pills on=2026-11-28 due=08:00"
        assert await home.stored() == [("checkin_silent", f"{named} tries=1 worn=yes")]
        await home.answers(codes.PROMPT_CHECKIN)
        assert len(home.said()) == 1
        await home.answers(codes.PROMPT_MEDICINE, age_s=60)
        assert (await home.stored())[1] == ("checkin_settled", f"{named} was=silent")


async def test_an_answer_is_one_to_the_medicine_that_was_asked_for_then_and_to_no_other(tmp_path: Path) -> None:
    second = {**PILLS, "id": "drops", "again": 0}
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**PILLS, "again": 0}, second])
        await home.turn(600)
        await home.shows()
        await home.turn(610)
        assert [note.split()[1] for _, note in await home.stored()] == ["id=pills"]
        await home.shows()
        await home.turn(60)
        # Pressed while the first was shown, and heard only now.
        await home.answers(codes.PROMPT_MEDICINE, age_s=300)
        assert [note.split()[1] for _, note in await home.stored()] == ["id=pills", "id=pills"]
        await home.answers(codes.PROMPT_MEDICINE)
        await home.turn(3600)
        assert [kind for kind, _ in home.said()] == ["checkin_silent", "checkin_settled"]


async def test_the_answer_to_the_next_medicine_settles_nothing_of_the_one_before(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(checkins=[{**PILLS, "again": 0}, {**PILLS, "id": "drops"}])
        await home.turn(600)
        await home.shows()
        await home.turn(610)
        await home.shows()
        await home.turn(10)
        await home.answers(codes.PROMPT_MEDICINE)
        assert [kind for kind, _ in await home.stored()] == ["checkin_silent"]
