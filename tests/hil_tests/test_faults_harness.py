"""The harness of the campaigns hides no failure: none that is found, one that breaks, one that hurts nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hil_tests.faults import __main__ as command
from hil_tests.faults import runner, table
from hil_tests.faults.campaign import Campaign, Outcome


def _campaign(outcome: Outcome | Exception, name: str = "one", why: str = "") -> Campaign:
    async def run(count: int, seed: int, place: Path) -> Outcome:
        await asyncio.sleep(0)
        assert not (place / "rubbish").exists()
        (place / "rubbish").write_text(f"{count} {seed}")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Campaign(name, "pull the plug", short=3, long=100, run=run, skip=lambda: why)


GOOD = Outcome(count=3, figures={"worst": "12 ms"})
BAD = {
    "lost": Outcome(count=3, lost=["event aa-000001 has no incident"]),
    "twice": Outcome(count=3, twice=["event aa-000001 has 2 incidents"]),
    "wrong": Outcome(count=3, wrong=["RSS grew by 40 MB"]),
    "nothing hurt": Outcome(count=0),
    "raises": ValueError("a fault of its own"),
}


def _run(monkeypatch: pytest.MonkeyPatch, campaigns: list[Campaign], *arguments: str) -> int:
    monkeypatch.setattr(runner, "discover", lambda: campaigns)
    return command.main(list(arguments))


@pytest.mark.parametrize("outcome", BAD.values(), ids=BAD.keys())
def test_whatever_is_found_fails_and_is_told_with_the_way_to_see_it_again(monkeypatch, capsys, outcome) -> None:
    campaigns = [_campaign(outcome), _campaign(GOOD, "two")]
    assert _run(monkeypatch, campaigns, "--n", "2", "--seed", "7") == 1
    said = capsys.readouterr().out
    for told in getattr(outcome, "lost", []) + getattr(outcome, "twice", []) + getattr(outcome, "wrong", []):
        assert told in said
    assert "--only one --n 2 --seed 7" in said
    # One that fails keeps no other from running.
    assert "worst: 12 ms" in said


def test_all_good_is_exit_0_and_the_table_has_count_seed_and_figures(monkeypatch, capsys) -> None:
    assert _run(monkeypatch, [_campaign(GOOD)], "--seed", "7") == 0
    said = capsys.readouterr()
    row = next(line for line in said.out.splitlines() if line.startswith("| one"))
    assert [cell.strip() for cell in row.split("|")[2:7]] == ["pull the plug", "3", "0", "0", "0"]
    assert "worst: 12 ms" in row
    assert "seed 7" in said.out
    # Without --n the whole campaign.
    assert "100 x pull the plug" in said.err


def test_a_skipped_one_has_neither_passed_nor_failed(monkeypatch, capsys) -> None:
    assert _run(monkeypatch, [_campaign(GOOD, why="no FUSE here")], "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["campaigns"]
    assert not one["passed"]
    assert one["skipped"] == "no FUSE here"


def test_scratch_is_removed_also_after_a_failure(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert _run(monkeypatch, [_campaign(GOOD), _campaign(ValueError("x"), "two")]) == 1
    assert not list(tmp_path.iterdir())


def test_a_name_there_is_not_is_said(monkeypatch, capsys) -> None:
    assert _run(monkeypatch, [_campaign(GOOD)], "--only", "one,three") == 2
    assert "three" in capsys.readouterr().err


async def test_a_campaign_that_is_cancelled_from_inside_fails(tmp_path) -> None:
    async def run(_count: int, _seed: int, _place: Path) -> Outcome:
        raise asyncio.CancelledError

    verdict = await runner.hurt(Campaign("one", "x", 1, 1, run), 1, 1, tmp_path)
    assert verdict.failed
    assert "cancelled" in table.details(verdict)


def test_modules_with_a_campaign_are_found_and_one_that_cannot_be_loaded_fails(tmp_path, monkeypatch) -> None:
    place = tmp_path / "some_faults"
    place.mkdir()
    (place / "__init__.py").write_text("")
    (place / "support.py").write_text("raise SystemExit('never imported')\n")
    (place / "broken.py").write_text("import no_such_module\n\nCAMPAIGN = 1\n")
    (place / "fine.py").write_text(
        "from hil_tests.faults.campaign import Campaign\n\nCAMPAIGN = Campaign('fine', 'x', 1, 1, None)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = runner.discover([str(place)], "some_faults")
    assert [one.name for one in found] == ["broken", "fine"]
    verdict = asyncio.run(runner.hurt(found[0], 1, 1, tmp_path / "none"))
    assert verdict.failed
    assert "no_such_module" in verdict.broke


def test_the_campaigns_that_there_are_can_all_be_loaded() -> None:
    found = runner.discover()
    assert len({one.name for one in found}) == len(found)
    assert not [one.hurt for one in found if "cannot be loaded" in one.hurt]
