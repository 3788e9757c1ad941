"""Short slices of the long stories: a morning of a child's week, and of an older person's month the day of a fall.

The whole: `python -m hil_tests.stories child`, `older` (stories/README.md).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.stories import child, older
from hil_tests.stories.books import Expected, Found, Verdict, judge
from hil_tests.stories.tale import Part

HOUR_MS = 3_600_000


def _held(verdict: Verdict) -> None:
    assert verdict.found, "nothing came to the desk"
    assert not verdict.missing
    assert not verdict.invented


@pytest.mark.virtual_air
@pytest.mark.timeout(600)
async def test_a_child_goes_to_school_and_the_county_hears_of_it_and_of_nothing_else(tmp_path: Path, seed: int) -> None:
    tale, verdict = await child.tell(tmp_path, Part(8.5 / 24, seed, begin_ms=int(6.8 * HOUR_MS)))
    _held(verdict)
    kinds = {one.kind for one in verdict.found}
    assert {"home_left", "fence_entered", "presence_left"} <= kinds
    assert tale.positions > 5


@pytest.mark.virtual_air
@pytest.mark.timeout(600)
async def test_an_older_person_takes_the_pill_falls_and_is_helped_and_nothing_is_invented(
    tmp_path: Path, seed: int
) -> None:
    _, verdict = await older.tell(tmp_path, Part(14.9 / 24, seed, first=3, begin_ms=7 * HOUR_MS))
    _held(verdict)
    told = {(one.kind, one.detail) for one in verdict.found}
    assert {("checkin_answered", "medicine"), ("checkin_answered", "checkin"), ("sos", "fall_unanswered")} <= told


def test_the_books_miss_what_did_not_come_and_find_what_nobody_expected() -> None:
    expected = [Expected("sos", "a", 100, 200, "hold"), Expected("sos", "a", 100, 200, "hold")]
    found = [Found("sos", "a", "hold", 150, "a-1", False), Found("sos", "b", "hold", 150, "b-1", False)]
    verdict = judge(expected, found)
    assert len(verdict.missing) == 1
    assert len(verdict.invented) == 1
    assert judge(expected[:1], [Found("sos", "a", "hold", 201, "a-1", False)]).missing, "too late is missing"
