"""A command that got lost goes again: with the wearable's next question, and unasked while a way is open."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_daemon import commands
from edge_daemon.commands import AGAIN_MS

from .commanded import ask, commands_to, done, put_forward
from .core import core
from .wearer import Wearer


async def test_a_command_that_got_lost_goes_again_with_a_later_question(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        clock = put_forward(home)
        ask(home, "c-1", "locate", wearer.handle)
        home.hear(wearer, wearer.hello())
        clock.ahead_ms = AGAIN_MS - 1000
        home.hear(wearer, wearer.hello())
        assert len(commands_to(wearer)) == 1
        home.hear(wearer, wearer.hello(), "ble")
        assert len(commands_to(wearer, wearer.ble)) == 1, "by another link it has not gone yet"
        clock.ahead_ms = AGAIN_MS + 1000
        home.hear(wearer, wearer.hello())
        first, again = commands_to(wearer)
        assert (first.id, first.args) == (again.id, again.args)


async def test_a_command_that_got_lost_goes_again_unasked_while_its_way_is_open(tmp_path: Path) -> None:
    """Its wearable started anew in that moment, say, has said its heartbeat, and stays and listens for minutes."""
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        clock = put_forward(home)
        home.hear(wearer, wearer.hello(), "ble")
        ask(home, "c-1", "locate", wearer.handle)
        home.hear(wearer, wearer.hello(), "ble")
        clock.ahead_ms = AGAIN_MS - 1000
        home.commands.again()
        assert len(commands_to(wearer, wearer.ble)) == 1
        for turn in range(1, 4):
            clock.ahead_ms = turn * (AGAIN_MS + 1000)
            home.commands.again()
            assert len(commands_to(wearer, wearer.ble)) == turn + 1
        assert len({command.id for command in commands_to(wearer, wearer.ble)}) == 1, "it is the same command"
        wearer.ble.live = False
        clock.ahead_ms += AGAIN_MS + 1000
        home.commands.again()
        assert len(commands_to(wearer, wearer.ble)) == 4, "nobody is visited for it"
        wearer.ble.live = True
        home.hear(wearer, wearer.hello(), "ble")
        assert len(commands_to(wearer, wearer.ble)) == 5, "its next question fetches it"
        done(home, wearer, commands_to(wearer, wearer.ble)[-1])
        clock.ahead_ms += AGAIN_MS + 1000
        home.commands.again()
        assert len(commands_to(wearer, wearer.ble)) == 5, "it has its result"


async def test_it_goes_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "AGAIN_MS", 50)
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.hello())
        ask(home, "c-1", "locate", wearer.handle)
        async with asyncio.timeout(20):
            while len(commands_to(wearer)) < 3:
                wearer.path.news.clear()
                await wearer.path.news.wait()
