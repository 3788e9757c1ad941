"""Test mode asked for at the socket: who is armed is what wearables have said, and what was shown is their own word."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.control import test_mode
from edge_daemon.control.watching import Watching
from edge_daemon.errors import Refusal
from protocol import codes, messages
from tests.edge_daemon.core import Core, core
from tests.edge_daemon.wearer import Wearer

LONG = b"\x00\x78"


class Asked:
    """Test mode over a core, and what it told its watchers."""

    def __init__(self, home: Core, *wearers: Wearer) -> None:
        self.home, self.wearers = home, wearers
        watching = Watching(home.clock)
        self.testing = test_mode.Testing(home.commands, lambda: home.wearables, watching, home.clock)
        self.reports: list[Any] = []
        home.commands.report = lambda *report: self.reports.append(report)

    async def ask(self, seconds: Any = 120, wearables: Any = "all", **more: Any) -> dict[str, dict[str, Any]]:
        reply = await self.testing.answer({"wearables": wearables, "seconds": seconds, **more})
        return {row["wearable"]: row for row in reply["wearables"]}

    def told(self, wearer: Wearer) -> list[messages.Command]:
        """The commands that it got since the last call."""
        sent = [command for command in map(wearer.open, wearer.path.sent) if isinstance(command, messages.Command)]
        wearer.path.sent.clear()
        return sent

    def says(self, wearer: Wearer, command: messages.Command, status: int, more: bytes = b"") -> None:
        self.home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id, status) + more))


async def test_it_is_armed_when_it_says_so_and_ended_when_it_says_so(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        asked = Asked(home, wearer)
        assert (await asked.ask())[wearer.handle]["state"] == "waiting"
        home.hear(wearer, wearer.hello())
        (command,) = asked.told(wearer)
        assert (command.code, command.args) == (codes.COMMAND_TEST, LONG)
        asked.says(wearer, command, codes.RESULT_DONE, messages.pack_tested(0, 0, -1))
        assert asked.testing.left_s(wearer.handle) in (119, 120)
        asking = asyncio.create_task(asked.ask(0, within_s=5))
        await asyncio.sleep(0)
        (command,) = asked.told(wearer)
        assert command.args == b"\x00\x00"
        asked.says(wearer, command, codes.RESULT_DONE, messages.pack_tested(13, codes.CLOSED, 1400))
        row = (await asking)[wearer.handle]
        assert row == {
            "wearable": wearer.handle,
            "state": "off",
            "reason": None,
            "left_s": None,
            "number": 13,
            "shown": "closed",
            "took_ms": 1400,
            "pending": False,
        }
        assert asked.reports == [], "the platform asked for nothing, and is told nothing"


async def test_the_same_asked_again_while_it_waits_is_one_command_and_another_takes_its_place(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        asked = Asked(home, wearer)
        await asked.ask()
        await asked.ask()
        home.hear(wearer, wearer.hello())
        assert len(asked.told(wearer)) == 1
        await asked.ask(0)
        (end,) = asked.told(wearer)
        assert end.args == b"\x00\x00", "it goes at once: the one before it is taken back"
        await asked.ask(60, cancels=True)
        (command,) = asked.told(wearer)
        assert command.args == b"\x00\x3c\x01"


@pytest.mark.parametrize(("status", "reason"), [(codes.RESULT_FAILED, "alarm_open"), (codes.RESULT_UNKNOWN, "too_old")])
async def test_one_that_cannot_is_not_armed_and_says_why(tmp_path: Path, status: int, reason: str) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        asked = Asked(home, wearer)
        home.hear(wearer, wearer.hello())
        asking = asyncio.create_task(asked.ask(within_s=5))
        await asyncio.sleep(0)
        asked.says(wearer, asked.told(wearer)[0], status)
        row = (await asking)[wearer.handle]
        assert (row["state"], row["reason"], row["left_s"], row["shown"]) == ("refused", reason, None, None)


async def test_silence_is_told_as_that_and_the_time_of_the_armed_runs_out(tmp_path: Path) -> None:
    near, far = Wearer("a"), Wearer("b")
    async with core(tmp_path, near, far) as home:
        asked = Asked(home, near, far)
        home.hear(near, near.hello())
        asking = asyncio.create_task(asked.ask(1, within_s=3))
        await asyncio.sleep(0)
        asked.says(near, asked.told(near)[0], codes.RESULT_DONE)
        assert asked.testing.left_s(near.handle) == 1
        rows = await asking
        assert rows[far.handle]["state"] == "no_answer"
        assert rows[near.handle]["state"] == "off" or asked.testing.left_s(near.handle) == 1


async def test_a_real_alarm_has_ended_it(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        asked = Asked(home, wearer)
        home.hear(wearer, wearer.hello())
        asking = asyncio.create_task(asked.ask(within_s=5))
        await asyncio.sleep(0)
        asked.says(wearer, asked.told(wearer)[0], codes.RESULT_DONE)
        await asking
        asked.testing.heard({"wearable": wearer.handle, "class": "test"})
        assert asked.testing.left_s(wearer.handle) is not None
        asked.testing.heard({"wearable": wearer.handle, "class": "emergency"})
        assert asked.testing.left_s(wearer.handle) is None


@pytest.mark.parametrize("wrong", [{"seconds": 901}, {"seconds": -1}, {"seconds": 1.5}, {"seconds": True},
    {"wearables": 7}, {"wearables": [7]}, {"wearables": ["0" * 16]}, {"within_s": 60}, {"cancels": 1}])  # fmt: skip
async def test_what_makes_no_sense_is_refused_and_changes_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        asked = Asked(home, wearer)
        with pytest.raises(Refusal):
            await asked.ask(**{"seconds": 60, **wrong})
        home.hear(wearer, wearer.hello())
        assert asked.told(wearer) == []


async def test_who_is_forgotten_is_not_told_any_more(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        asked = Asked(home, wearer)
        await asked.ask()
        asked.testing.forget(wearer.handle)
        home.hear(wearer, wearer.hello())
        assert asked.told(wearer) == [] and asked.testing.left_s(wearer.handle) is None
