"""Commands: one at a time to each wearable, at once where a way is open, a result for each and in time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from edge_daemon import commands
from edge_daemon.clock import Clock
from edge_daemon.commands import AGAIN_MS, QUEUED_MOST
from edge_daemon.uplinks import answers
from protocol import codes, messages

from .core import Core, core
from .wearer import Recorder, Wearer

Reports = list[tuple[str, str, str | None]]


def _ask(home: Core, command: str, name: str, wearable: str | None = None, **more: object) -> None:
    data = json.dumps({"v": 1, "command": command, "name": name, "wearable": wearable, **more}).encode()
    home.commands.take(answers.read_command(data))


def _reports(home: Core) -> Reports:
    reports: Reports = []
    home.commands.report = lambda *report: reports.append(report)
    return reports


def _commands(wearer: Wearer, path: Recorder | None = None) -> list[messages.Command]:
    sent = (path or wearer.path).sent
    return [c for c in map(wearer.open, sent) if isinstance(c, messages.Command)]


def _done(home: Core, wearer: Wearer, command: messages.Command, result: int = codes.RESULT_DONE) -> None:
    home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id, result)))


class _Ahead(Clock):
    """The real clock, put forward at will."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


def _put_forward(home: Core) -> _Ahead:
    home.commands._clock = clock = _Ahead()
    return clock


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


@pytest.mark.parametrize(
    ("wrong", "wearable"),
    [
        ({"args": {"seconds": 99}}, True),
        ({"args": {"seconds": 0}}, True),
        ({"args": {"seconds": "5"}}, True),
        ({"args": {"seconds": 5.5}}, True),
        ({"args": {"seconds": True}}, True),
        ({"args": []}, True),
        ({"expires_s": -3}, True),
        ({"expires_s": "60"}, True),
        ({"expires_s": 604801}, True),
        ({}, "not 16 hex digits"),
        ({}, 7),
    ],
)
async def test_what_is_not_of_the_contract_and_has_an_id_is_told_so(
    tmp_path: Path, wrong: dict[str, object], wearable: object
) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        handle = wearer.handle if wearable is True else wearable
        _ask(home, "c-1", "locate", handle, **wrong)  # type: ignore[arg-type]
        assert reports == [("c-1", "refused", "not_understood")]
        home.hear(wearer, wearer.hello())
        assert _commands(wearer) == []


async def test_what_nobody_fetched_expires_on_time(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports: Reports = []
        expired = asyncio.Event()

        def report(command: str, result: str, reason: str | None) -> None:
            reports.append((command, result, reason))
            if result == "expired":
                expired.set()

        home.commands.report = report
        asked_ms = home.clock.now_ms()
        _ask(home, "c-0", "locate", wearer.handle, expires_s=60)
        _ask(home, "c-1", "locate", wearer.handle, expires_s=0.2)
        async with asyncio.timeout(20):
            await expired.wait()
        assert 200 <= home.clock.now_ms() - asked_ms < 5000
        assert reports == [("c-0", "queued", None), ("c-1", "queued", None), ("c-1", "expired", None)]
        home.hear(wearer, wearer.hello())
        assert len(_commands(wearer)) == 1, "the other waits on"


async def test_commands_go_one_at_a_time_and_each_once(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        for number in range(8):
            _ask(home, f"c-{number}", "heartbeat", wearer.handle)
        beat = messages.pack_heartbeat(1, 2, 3, 4, (1, 2, 3), 0, 0, 0)
        home.hear(wearer, wearer.hello())
        for number in range(8):
            command = _commands(wearer)[-1]
            home.hear(wearer, wearer.seal(codes.HEARTBEAT, beat))
            assert len(_commands(wearer)) == 1, "the heartbeat it asked for fetches it no second time"
            wearer.path.sent.clear()
            _done(home, wearer, command)
            assert reports[-1] == (f"c-{number}", "done", None)
        assert home.count("commands_sent") == 8


async def test_a_command_that_got_lost_goes_again_with_a_later_question(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        clock = _put_forward(home)
        _ask(home, "c-1", "locate", wearer.handle)
        home.hear(wearer, wearer.hello())
        clock.ahead_ms = AGAIN_MS - 1000
        home.hear(wearer, wearer.hello())
        assert len(_commands(wearer)) == 1
        home.hear(wearer, wearer.hello(), "ble")
        assert len(_commands(wearer, wearer.ble)) == 1, "by another link it has not gone yet"
        clock.ahead_ms = AGAIN_MS + 1000
        home.hear(wearer, wearer.hello())
        first, again = _commands(wearer)
        assert (first.id, first.args) == (again.id, again.args)


async def test_a_command_that_got_lost_goes_again_unasked_while_its_way_is_open(tmp_path: Path) -> None:
    """Its wearable started anew in that moment, say, has said its heartbeat, and stays and listens for minutes."""
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        clock = _put_forward(home)
        home.hear(wearer, wearer.hello(), "ble")
        _ask(home, "c-1", "locate", wearer.handle)
        home.hear(wearer, wearer.hello(), "ble")
        clock.ahead_ms = AGAIN_MS - 1000
        home.commands.again()
        assert len(_commands(wearer, wearer.ble)) == 1
        for turn in range(1, 4):
            clock.ahead_ms = turn * (AGAIN_MS + 1000)
            home.commands.again()
            assert len(_commands(wearer, wearer.ble)) == turn + 1
        assert len({command.id for command in _commands(wearer, wearer.ble)}) == 1, "it is the same command"
        wearer.ble.live = False
        clock.ahead_ms += AGAIN_MS + 1000
        home.commands.again()
        assert len(_commands(wearer, wearer.ble)) == 4, "nobody is visited for it"
        wearer.ble.live = True
        home.hear(wearer, wearer.hello(), "ble")
        assert len(_commands(wearer, wearer.ble)) == 5, "its next question fetches it"
        _done(home, wearer, _commands(wearer, wearer.ble)[-1])
        clock.ahead_ms += AGAIN_MS + 1000
        home.commands.again()
        assert len(_commands(wearer, wearer.ble)) == 5, "it has its result"


async def test_it_goes_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "AGAIN_MS", 50)
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.hello())
        _ask(home, "c-1", "locate", wearer.handle)
        async with asyncio.timeout(20):
            while len(_commands(wearer)) < 3:
                wearer.path.news.clear()
                await wearer.path.news.wait()


async def test_where_a_way_is_open_a_command_goes_at_once_and_the_next_after_its_result(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.hello(), "ble")
        home.hear(wearer, wearer.hello())
        wearer.ble.live = False
        _ask(home, "c-1", "locate", wearer.handle, args={"seconds": 3})
        _ask(home, "c-2", "locate", wearer.handle, args={"seconds": 4})
        (command,) = _commands(wearer)
        assert command.args == b"\x03"
        assert _commands(wearer, wearer.ble) == [], "nobody is visited for it"
        _done(home, wearer, command)
        assert [c.args for c in _commands(wearer)] == [b"\x03", b"\x04"]


async def test_the_next_is_not_held_up_by_one_that_expired(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        clock = _put_forward(home)
        home.hear(wearer, wearer.hello())
        _ask(home, "c-1", "locate", wearer.handle, args={"seconds": 3}, expires_s=60)
        _ask(home, "c-2", "locate", wearer.handle, args={"seconds": 4})
        clock.ahead_ms = 61_000
        home.commands.expire()
        assert [c.args for c in _commands(wearer)] == [b"\x03", b"\x04"]


@pytest.mark.parametrize(
    ("code", "report"),
    [
        (codes.RESULT_UNKNOWN, ("refused", "unknown_to_wearable")),
        (codes.RESULT_FAILED, ("refused", "failed")),
        (9, ("refused", "failed")),
    ],
)
async def test_what_the_wearable_could_not_do_is_told(tmp_path: Path, code: int, report: tuple[str, str]) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        home.hear(wearer, wearer.hello())
        _ask(home, "c-1", "locate", wearer.handle)
        _done(home, wearer, _commands(wearer)[0], code)
        assert reports[-1] == ("c-1", *report)


async def test_a_platform_gone_mad_does_not_fill_the_memory(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        for number in range(3000):
            _ask(home, f"c-{number}", "locate", wearer.handle)
        assert len([report for report in reports if report[1] == "queued"]) == QUEUED_MOST
        assert reports[-1] == ("c-2999", "refused", "too_many")


async def test_a_look_is_the_care_engines_and_its_result_is_told_once(tmp_path: Path) -> None:
    wearer = Wearer("a")
    async with core(tmp_path, wearer) as home:
        reports, asked = _reports(home), []
        home.commands.look = lambda command, handle, seconds, told: asked.append((command, handle, seconds, told))
        _ask(home, "c-1", "look", wearer.handle)
        _ask(home, "c-2", "look", wearer.handle, args={"seconds": 3600})
        assert [row[:3] for row in asked] == [("c-1", wearer.handle, 600), ("c-2", wearer.handle, 3600)]
        assert reports == [("c-1", "queued", None), ("c-2", "queued", None)]
        asked[0][3]("done", None, b"")
        _ask(home, "c-1", "look", wearer.handle)
        assert reports[2:] == [("c-1", "done", None)] * 2
        assert len(asked) == 2, "a call that is over was made again"


@pytest.mark.parametrize(
    ("wearable", "args", "reason"),
    [("00" * 8, {}, "unknown_wearable"), (None, {}, "unknown_wearable"), ("a", {"seconds": 3601}, "not_understood")],
)
async def test_a_look_that_nobody_can_see_is_refused(
    tmp_path: Path, wearable: str | None, args: dict[str, int], reason: str
) -> None:
    wearer = Wearer("a")
    async with core(tmp_path, wearer) as home:
        reports = _reports(home)
        _ask(home, "c-1", "look", wearer.handle if wearable == "a" else wearable, args=args)
        assert reports == [("c-1", "refused", reason)]
