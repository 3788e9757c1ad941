"""Energy: what the model adds up, and what the virtual board counts in a short slice of each profile. No times."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.stories.wearable import Spent
from protocol.settings import OLDER
from tools import messages
from tools.bench import energy, energy_life
from tools.bench.energy_currents import PENDANT, START_S, WATCH, Board, Draw
from tools.bench.energy_life import DAY_MS, Life, Profile

HOUR_MS = 3_600_000


def test_a_month_is_what_was_counted_times_what_it_draws() -> None:
    board = Board(
        "bench", "a cell", 100, {"awake": Draw(10, "here", sure=True), "start": Draw(40, "here", sure=True)}, 0.5
    )
    life = Life(Profile("p", OLDER, 900), 1.0, Spent({"awake": HOUR_MS}, {"started": 90}), 0)
    found = energy.budget(life, board)
    awake, start = found.rows
    assert (awake.state, awake.hours, awake.milliampere_hours) == ("awake", 30.0, 300.0)
    assert start.times == 2700
    assert start.milliampere_hours == pytest.approx(2700 * START_S / 3600 * 40)
    assert found.days == pytest.approx(30 * 100 * 0.5 / (300 + start.milliampere_hours))


def test_starts_by_a_full_row_count_as_those_that_were_run() -> None:
    life = Life(Profile("p", OLDER, 900), 0.5, Spent({}, {"started": 10}), 30)
    (start,) = (row for row in energy.budget(life, WATCH).rows if row.state == "start")
    assert start.times == 40 * 60


@pytest.mark.parametrize("board", [PENDANT, WATCH], ids=lambda board: board.name)
def test_each_current_says_where_it_is_from_and_each_state_has_a_word(board: Board) -> None:
    for state, draw in board.draws.items():
        assert draw.milliamperes > 0
        assert len(draw.source) > 10
        for lang in ("en", "zh"):
            assert messages.Messages(lang).text(f"bench.energy.{state}")


async def test_a_pendant_of_an_hour_beats_four_times_and_sleeps_the_rest(tmp_path: Path) -> None:
    days = 1 / 24
    life = await energy_life.live(energy_life.BADGE, days, tmp_path)
    spent = life.spent
    # Settings come with the first heartbeat, which is half an hour before the second; then every ten minutes.
    assert spent.times["started"] in range(5, 8)
    assert spent.times["notified"] >= spent.times["started"]
    assert 0 <= spent.ms["awake"] + spent.ms["asleep"] - days * DAY_MS < 120_000
    assert spent.ms["connected"] <= spent.ms["awake"] < spent.ms["asleep"] / 10
    assert "motor" not in spent.ms, "a badge that nobody presses does not vibrate"


async def test_a_watch_at_rest_starts_at_each_full_row(tmp_path: Path) -> None:
    life = await energy_life.live(energy_life.WATCH_OLDER, 1 / 24, tmp_path)
    assert life.rows in range(1000, 1126)
    assert set(life.spent.ms) <= {*WATCH.draws, "led"}


async def test_the_table_names_what_is_not_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    life = await energy_life.live(energy_life.PENDANT_OLDER, 0.02, tmp_path)
    energy.show(energy.budget(life, PENDANT), messages.Messages("en"))
    said = capsys.readouterr().out
    assert "days on one charge" in said
    assert "450 mAh" in said
    assert "unverified" in said
    assert "robdobson.com" in said
    assert all(len(line) <= 100 for line in said.splitlines())
