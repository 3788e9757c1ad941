"""Killed at any moment, again and again, the gateway tells each check-in's outcome once."""

from __future__ import annotations

import contextlib
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol import codes
from tests.edge_daemon.wearer import Wearer

from .ward import MORNING, ShanghaiClock, Ward, ward

HOURS = range(8, 20)
CHECKINS = [
    {**MORNING, "id": f"at-{hour}", "at": f"{hour:02}:00", "again": hour % 2, "answer_within_s": 300} for hour in HOURS
]
# Less than what a sleep of the machine is.
STEP_S = 50


class Killed(BaseException):
    """The process is gone; no handler of an Exception is in its way."""


class Life:
    """One run of the gateway; at each moment that matters, around disk and journal, it may die."""

    def __init__(self, home: Ward, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self._chance = chance
        self.likely = 0.0
        shelf, faults = home.care._shelf, home.gateway.faults
        keep, report = shelf.keep, faults.report

        async def kept(content: Callable[[], Any]) -> bool:
            self._risk()
            done = await keep(content)
            self._risk()
            return done

        def reported(*words: Any) -> Any:
            self._risk()
            alarm = report(*words)
            self._risk()
            return alarm

        monkeypatch.setattr(shelf, "keep", kept)
        monkeypatch.setattr(faults, "report", reported)

    def _risk(self) -> None:
        if self._chance.random() < self.likely:
            raise Killed


async def some_hours(home: Ward, chance: random.Random, pressed: list[str], until_s: float) -> None:
    """The wearable lives: it says hello now and then, shows what it is asked, and its wearer answers or does not."""
    while home.clock.at_s < until_s:
        await home.turn(STEP_S, step_s=STEP_S)
        if chance.random() < 0.2:
            home.hello()
        prompts = [one for one in home.prompts() if one[1].kind]
        if prompts and chance.random() < 0.8:
            await home.does(prompts[-1][0], more=bytes([chance.choice((codes.WORN, codes.NOT_WORN))]))
            if chance.random() < 0.3:
                pressed.append(home.care._cases.of(home.wearer.handle).checkins._askings[0].name)
                await home.answers()


@pytest.mark.parametrize("likely", [0.0, 0.15])
async def test_each_outcome_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, likely: float) -> None:
    seed = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={seed}")
    chance = random.Random(seed)
    clock, wearer = ShanghaiClock("2026-11-28T07:50:00"), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(checkins=CHECKINS)
    end_s, kills, pressed = clock.at_s + 14 * 3600, 0, list[str]()
    said: list[tuple[str, str]] = []
    while clock.at_s < end_s:
        async with ward(tmp_path, clock=clock, wearer=wearer, link="ble") as home:
            life = Life(home, chance, monkeypatch)
            with contextlib.suppress(Killed):
                life.likely = likely
                await some_hours(home, chance, pressed, end_s)
                kills -= 1
            kills += 1
            said = await home.stored()
    async with ward(tmp_path, clock=clock, wearer=wearer, link="ble") as home:
        await home.turn(120)
        said = await home.stored()
        assert home.gateway.count("care_failed") == 0
    assert (kills > 3) == bool(likely)
    words = [dict(word.split("=") for word in note.split()) for kind, note in said if kind != "checkin_settled"]
    told = Counter(word["id"] for word in words)
    answered = {name.split()[0] for name in pressed}
    assert set(told.values()) <= {1}, told
    # Each was answered or told. One whose answer was pressed in the moment of a kill may have been told before.
    assert {f"at-{hour}" for hour in HOURS} == set(told) | answered
