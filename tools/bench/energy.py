"""`pingan bench energy`: days on one charge, by profile: what each state draws times how long it lasts.

Owns the sum and the table. Currents are in energy_currents.py, durations are counted by energy_life.py. Pure but for
run(). Figures are a model's: a real board has leaks and a cold cell, and its radio repeats what is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.bench import energy_life
from tools.bench.energy_currents import PENDANT, START_S, WATCH, Board, Draw
from tools.bench.energy_life import Life
from tools.messages import Messages

_MONTH_DAYS = 30
_HOURS_MS = 3_600_000
# Draws of a state beside the one that holds anyway: all the time, or while the backlight is on, and so on.
_ALWAYS = {"accelerometer"}


@dataclass(frozen=True)
class Row:
    """One state of a month: hours, times (of starts) or 0, and mAh."""

    state: str
    hours: float
    times: int
    milliampere_hours: float
    draw: Draw


@dataclass(frozen=True)
class Budget:
    """A profile on its board, over a month."""

    profile: str
    board: Board
    rows: list[Row]

    @property
    def days(self) -> float:
        """Days on one charge."""
        month = sum(row.milliampere_hours for row in self.rows)
        return _MONTH_DAYS * self.board.cell_milliampere_hours * self.board.usable / month


def budget(life: Life, board: Board) -> Budget:
    """The sum, most first. `board`: what the profile is worn on."""
    month = _MONTH_DAYS / life.days
    hours = {state: spent_ms * month / _HOURS_MS for state, spent_ms in life.spent.ms.items()}
    starts = round((life.spent.times.get("started", 0) + life.rows) * month)
    hours["start"] = starts * START_S / 3600
    if "accelerometer" in life.profile.parts:
        hours["accelerometer"] = _MONTH_DAYS * 24.0
    rows = [
        Row(state, hours[state], starts if state == "start" else 0, hours[state] * draw.milliamperes, draw)
        for state, draw in board.draws.items()
        if hours.get(state)
    ]
    return Budget(life.profile.name, board, sorted(rows, key=lambda row: -row.milliampere_hours))


def board_of(life: Life) -> Board:
    """What this profile is worn on."""
    return WATCH if life.profile.parts else PENDANT


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Count `days` days of each profile, and print a table for a month of it as soon as it is known."""
    with tempfile.TemporaryDirectory(prefix="pingan-energy-") as place:
        for number, profile in enumerate(energy_life.PROFILES):
            life = asyncio.run(energy_life.live(profile, arguments.days, Path(place) / str(number)))
            one = budget(life, board_of(life))
            if arguments.json:
                print(json.dumps(_row(one)), flush=True)
            else:
                show(one, words)
    return 0


def show(one: Budget, words: Messages) -> None:
    """A head, and a line for each state, the dearest first."""
    board = one.board
    facts = {"cell": board.cell, "mah": f"{board.cell_milliampere_hours:g}", "usable": f"{board.usable:.0%}"}
    print(words.text("bench.energy.head", profile=one.profile, board=board.name, days=f"{one.days:.1f}", **facts))
    for row in one.rows:
        draw = row.draw
        sure = "" if draw.sure else f" ({words.text('bench.energy.unverified')})"
        times = f" x{row.times}" if row.times else ""
        figures = f"{row.hours:9.2f} h x {draw.milliamperes:6.3f} mA = {row.milliampere_hours:7.1f} mAh"
        print(f"  {words.text(f'bench.energy.{row.state}')}{times}")
        print(f"    {figures}{sure}\n    {draw.source}")


def _row(one: Budget) -> dict[str, object]:
    return {
        "profile": one.profile,
        "board": one.board.name,
        "cell_mah": one.board.cell_milliampere_hours,
        "days": round(one.days, 2),
        "month": {row.state: {"hours": round(row.hours, 3), "times": row.times, "mah": round(row.milliampere_hours, 2),
                              "ma": row.draw.milliamperes, "source": row.draw.source, "verified": row.draw.sure}
                  for row in one.rows},
    }  # fmt: skip
