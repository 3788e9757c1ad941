"""An operator calls the wearer to look at the watch: the result says that it was shown, an event what came of it."""

from __future__ import annotations

from pathlib import Path

from protocol import codes

from .ward import MORNING, ward


async def test_an_operators_call_is_shown_and_its_outcome_told(tmp_path: Path) -> None:
    heard: list[tuple[str, str | None]] = []

    def told(outcome: str, reason: str | None, _: bytes) -> None:
        heard.append((outcome, reason))

    async with ward(tmp_path) as home:
        await home.live_by(checkins=[])
        home.care.look("cmd 1", home.wearer.handle, 120, told)
        home.care.look("cmd 1", home.wearer.handle, 120, told)
        await home.turn()
        assert heard == []
        prompt = await home.shows()
        assert (prompt.kind, prompt.within_s) == (codes.PROMPT_LOOK, 120)
        assert heard == [("done", None)]
        await home.turn(130)
        named = "kind=look id=cmd_1 on=2026-11-28 due=07:50"
        assert await home.stored() == [("checkin_silent", f"{named} tries=1 worn=yes")]
        await home.answers(codes.PROMPT_LOOK)
        assert (await home.stored())[1] == ("checkin_settled", f"{named} was=silent")
        home.care.look("cmd 2", "00" * 8, 120, told)
        await home.turn()
        assert heard[1:] == [("refused", "unknown_wearable")]


async def test_a_call_that_reaches_nobody_is_told_by_its_result_and_one_beside_a_check_in_joins_it(
    tmp_path: Path,
) -> None:
    heard: list[str] = []
    async with ward(tmp_path, link="ble") as home:
        home.care.look("a", home.wearer.handle, 60, lambda outcome, reason, more: heard.append(f"a {outcome}"))
        await home.turn(2130)
        assert heard == ["a expired"]
        assert home.said() == []
        await home.live_by(checkins=[{**MORNING, "at": "08:30"}])
        await home.turn(300)
        home.care.look("b", home.wearer.handle, 60, lambda outcome, reason, more: heard.append(f"b {outcome}"))
        await home.turn()
        assert (await home.shows()).kind == codes.PROMPT_CHECKIN
        home.care.look("c", home.wearer.handle, 60, lambda outcome, reason, more: heard.append(f"c {outcome}"))
        await home.turn()
        assert heard == ["a expired", "b done", "c done"]
