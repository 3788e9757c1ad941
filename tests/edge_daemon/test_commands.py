"""Commands: one at a time to each wearable, at once where a way is open, a result for each and in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_daemon.commands import QUEUED_MOST
from protocol import codes, messages

from .commanded import Reports, ask, commands_to, done, put_forward, reported
from .core import core
from .wearer import Wearer


async def test_a_wearables_command_goes_with_the_answer_to_its_next_question(tmp_path: Path) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    async with core(tmp_path, wearer, other) as home:
        reports = reported(home)
        ask(home, "c-1", "locate", wearer.handle, args={"seconds": 7})
        ask(home, "c-1", "locate", wearer.handle, args={"seconds": 7})
        assert reports == [("c-1", "queued", None)]
        home.hear(other, other.hello())
        assert commands_to(other) == []
        home.hear(wearer, wearer.hello())
        (command,) = commands_to(wearer)
        assert (command.code, command.args) == (codes.COMMAND_LOCATE, b"\x07")
        home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id ^ 1, codes.RESULT_DONE)))
        assert len(reports) == 1
        home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id, codes.RESULT_DONE)))
        assert reports[1:] == [("c-1", "done", None)]
        wearer.path.sent.clear()
        home.hear(wearer, wearer.hello())
        assert commands_to(wearer) == []


async def test_a_command_delivered_again_after_its_result_is_not_done_again(tmp_path: Path) -> None:
    async with core(tmp_path, Wearer()) as home:
        reports, beats = reported(home), []
        home.commands.beat = lambda: beats.append(1)
        ask(home, "c-1", "heartbeat")
        ask(home, "c-1", "heartbeat")
        assert beats == [1]
        assert reports == [("c-1", "done", None)] * 2


async def test_what_cannot_be_done_is_refused_with_a_reason(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = reported(home)
        ask(home, "c-1", "dance", wearer.handle)
        ask(home, "c-2", "locate", "0" * 16)
        ask(home, "c-3", "locate")
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
        reports = reported(home)
        handle = wearer.handle if wearable is True else wearable
        ask(home, "c-1", "locate", handle, **wrong)  # type: ignore[arg-type]
        assert reports == [("c-1", "refused", "not_understood")]
        home.hear(wearer, wearer.hello())
        assert commands_to(wearer) == []


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
        ask(home, "c-0", "locate", wearer.handle, expires_s=60)
        ask(home, "c-1", "locate", wearer.handle, expires_s=0.2)
        async with asyncio.timeout(20):
            await expired.wait()
        assert 200 <= home.clock.now_ms() - asked_ms < 5000
        assert reports == [("c-0", "queued", None), ("c-1", "queued", None), ("c-1", "expired", None)]
        home.hear(wearer, wearer.hello())
        assert len(commands_to(wearer)) == 1, "the other waits on"


async def test_commands_go_one_at_a_time_and_each_once(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = reported(home)
        for number in range(8):
            ask(home, f"c-{number}", "heartbeat", wearer.handle)
        beat = messages.pack_heartbeat(1, 2, 3, 4, (1, 2, 3), 0, 0, 0)
        home.hear(wearer, wearer.hello())
        for number in range(8):
            command = commands_to(wearer)[-1]
            home.hear(wearer, wearer.seal(codes.HEARTBEAT, beat))
            assert len(commands_to(wearer)) == 1, "the heartbeat it asked for fetches it no second time"
            wearer.path.sent.clear()
            done(home, wearer, command)
            assert reports[-1] == (f"c-{number}", "done", None)
        assert home.count("commands_sent") == 8


async def test_where_a_way_is_open_a_command_goes_at_once_and_the_next_after_its_result(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.hello(), "ble")
        home.hear(wearer, wearer.hello())
        wearer.ble.live = False
        ask(home, "c-1", "locate", wearer.handle, args={"seconds": 3})
        ask(home, "c-2", "locate", wearer.handle, args={"seconds": 4})
        (command,) = commands_to(wearer)
        assert command.args == b"\x03"
        assert commands_to(wearer, wearer.ble) == [], "nobody is visited for it"
        done(home, wearer, command)
        assert [c.args for c in commands_to(wearer)] == [b"\x03", b"\x04"]


async def test_the_next_is_not_held_up_by_one_that_expired(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        clock = put_forward(home)
        home.hear(wearer, wearer.hello())
        ask(home, "c-1", "locate", wearer.handle, args={"seconds": 3}, expires_s=60)
        ask(home, "c-2", "locate", wearer.handle, args={"seconds": 4})
        clock.ahead_ms = 61_000
        home.commands.expire()
        assert [c.args for c in commands_to(wearer)] == [b"\x03", b"\x04"]


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
        reports = reported(home)
        home.hear(wearer, wearer.hello())
        ask(home, "c-1", "locate", wearer.handle)
        done(home, wearer, commands_to(wearer)[0], code)
        assert reports[-1] == ("c-1", *report)


async def test_a_platform_gone_mad_does_not_fill_the_memory(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        reports = reported(home)
        for number in range(3000):
            ask(home, f"c-{number}", "locate", wearer.handle)
        assert len([report for report in reports if report[1] == "queued"]) == QUEUED_MOST
        assert reports[-1] == ("c-2999", "refused", "too_many")


async def test_a_look_is_the_care_engines_and_its_result_is_told_once(tmp_path: Path) -> None:
    wearer = Wearer("a")
    async with core(tmp_path, wearer) as home:
        reports, asked = reported(home), []
        home.commands.look = lambda command, handle, seconds, told: asked.append((command, handle, seconds, told))
        ask(home, "c-1", "look", wearer.handle)
        ask(home, "c-2", "look", wearer.handle, args={"seconds": 3600})
        assert [row[:3] for row in asked] == [("c-1", wearer.handle, 600), ("c-2", wearer.handle, 3600)]
        assert reports == [("c-1", "queued", None), ("c-2", "queued", None)]
        asked[0][3]("done", None, b"")
        ask(home, "c-1", "look", wearer.handle)
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
        reports = reported(home)
        ask(home, "c-1", "look", wearer.handle if wearable == "a" else wearable, args=args)
        assert reports == [("c-1", "refused", reason)]
