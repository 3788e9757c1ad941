"""Commands: told once to whoever asks, a result for each."""

from __future__ import annotations

import json
from pathlib import Path

from edge_daemon.uplinks import answers
from protocol import codes, messages

from .core import Core, core
from .wearer import Wearer

Reports = list[tuple[str, str, str | None]]


def _ask(home: Core, command: str, name: str, wearable: str | None = None, **more: object) -> None:
    data = json.dumps({"v": 1, "command": command, "name": name, "wearable": wearable, **more}).encode()
    home.commands.take(answers.read_command(data), home.clock.now_ms())


def _reports(home: Core) -> Reports:
    reports: Reports = []
    home.commands.report = lambda *report: reports.append(report)
    return reports


def _commands(wearer: Wearer) -> list[messages.Command]:
    return [c for c in map(wearer.open, wearer.path.sent) if isinstance(c, messages.Command)]


async def test_a_wearables_command_goes_with_the_answer_to_its_next_question(tmp_path: Path) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    async with core(tmp_path, wearer, other) as home:
        reports = _reports(home)
        _ask(home, "c-1", "locate", wearer.handle, args={"seconds": 7})
        _ask(home, "c-1", "locate", wearer.handle, args={"seconds": 7})
        assert reports == [("c-1", "queued", None)]
        home.hear(other, other.hello())
        assert _commands(other) == []
        home.hear(wearer, wearer.hello())
        (command,) = _commands(wearer)
        assert (command.code, command.args) == (codes.COMMAND_LOCATE, b"\x07")
        home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id ^ 1, codes.RESULT_DONE)))
        assert len(reports) == 1
        home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id, codes.RESULT_DONE)))
        assert reports[1:] == [("c-1", "done", None)]
        wearer.path.sent.clear()
        home.hear(wearer, wearer.hello())
        assert _commands(wearer) == []


async def test_a_command_delivered_again_after_its_result_is_not_done_again(tmp_path: Path) -> None:
    async with core(tmp_path, Wearer()) as home:
        reports, beats = _reports(home), []
        home.commands.beat = lambda: beats.append(1)
        _ask(home, "c-1", "heartbeat")
        _ask(home, "c-1", "heartbeat")
        assert beats == [1]
        assert reports == [("c-1", "done", None)] * 2


async def test_what_cannot_be_done_is_refused_with_a_reason(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        _ask(home, "c-1", "dance", wearer.handle)
        _ask(home, "c-2", "locate", "0" * 16)
        _ask(home, "c-3", "locate")
        assert reports == [
            ("c-1", "refused", "unknown_command"),
            ("c-2", "refused", "unknown_wearable"),
            ("c-3", "refused", "unknown_wearable"),
        ]


async def test_what_nobody_fetched_in_time_expires_and_that_is_said(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        _ask(home, "c-1", "locate", wearer.handle, expires_s=60)
        home.commands.expire(home.clock.now_ms() + 59_000)
        assert reports == [("c-1", "queued", None)]
        home.commands.expire(home.clock.now_ms() + 60_000)
        assert reports[1:] == [("c-1", "expired", None)]
        home.hear(wearer, wearer.hello())
        assert _commands(wearer) == []


async def test_a_platform_gone_mad_does_not_fill_the_memory(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        for number in range(3000):
            _ask(home, f"c-{number}", "locate", wearer.handle)
        assert len([report for report in reports if report[1] == "queued"]) == 1000
        assert reports[-1] == ("c-2999", "refused", "too_many")
