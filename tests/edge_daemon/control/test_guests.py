"""Guests that are hostile, broken or slow: none holds up or fills the gateway, and each is told what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from pathlib import Path

import pytest

from edge_daemon.control import server, watching
from edge_daemon.control.address import reachable
from edge_daemon.control.server import GUESTS_MOST, LINE_MOST
from edge_daemon.control.watching import WAITING_MOST
from edge_daemon.errors import Refusal

from .schemas import check
from .served import WITHIN_S, Served, served


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (b"\n", "control.bad_request"),
        (b"no json\n", "control.bad_request"),
        (b"\xff\xfe\n", "control.bad_request"),
        (b"[" * 50_000 + b"\n", "control.bad_request"),
        (b"[1]\n", "control.bad_request"),
        (b'{"ask":"echo"}\n', "control.bad_request"),
        (b'{"v":2,"ask":"echo"}\n', "control.bad_request"),
        (b'{"v":2,"ask":"watch"}\n', "control.bad_request"),
        (b'{"v":1}\n', "control.unknown_ask"),
        (b'{"v":1,"ask":"fly"}\n', "control.unknown_ask"),
        (b'{"v":1,"ask":["echo"]}\n', "control.unknown_ask"),
        (b'{"v":1,"ask":"' + b"x" * LINE_MOST + b'"}\n', "control.bad_request"),
    ],
)
async def test_what_is_no_request_is_refused_in_words(tmp_path: Path, line: bytes, refusal: str) -> None:
    async with served(tmp_path / "control.sock") as here:
        reply = check("refused", await here.raw(line))
        assert reply["refusal"] == refusal
        assert (await here.ask({"ask": "echo"}))["ok"] is True


async def test_a_line_without_an_end_is_not_kept(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        reader, writer = await here.guest()
        with contextlib.suppress(OSError):
            for _ in range(1000):
                writer.write(b"x" * LINE_MOST)
                await writer.drain()
        with contextlib.suppress(OSError):
            assert check("refused", json.loads(await reader.readline()))["refusal"] == "control.bad_request"
            assert await reader.read() == b""
        writer.close()
        assert (await here.ask({"ask": "echo"}))["ok"] is True


async def test_who_says_nothing_or_takes_nothing_is_put_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_SAID_WITHIN_S", 0.05)
    monkeypatch.setattr(server, "_TAKEN_WITHIN_S", 0.05)
    async with served(tmp_path / "control.sock") as here:
        reader, writer = await here.guest()
        assert await reader.read() == b""
        writer.close()
        # More than both ends' kernel buffers hold, never read.
        with socket.socket(socket.AF_UNIX) as deaf, reachable(here.path) as address:
            deaf.connect(address)
            deaf.setblocking(False)
            asked = json.dumps({"v": 1, "ask": "echo", "what": "x" * 60_000}).encode() + b"\n"
            async with asyncio.timeout(WITHIN_S):
                while here.counters.snapshot().get("control_guests_lost", 0) < 2:
                    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                        deaf.send(asked)
                    await asyncio.sleep(0.001)


async def test_there_are_only_so_many_guests_and_a_free_place_is_taken(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        guests = [await here.guest() for _ in range(GUESTS_MOST)]
        for _, writer in guests:
            writer.write(b'{"v":1,"ask":"echo"}\n')
        for reader, _ in guests:
            assert json.loads(await reader.readline())["ok"] is True
        with pytest.raises(Refusal) as refused:
            await here.ask({"ask": "echo"})
        assert refused.value.key == "control.too_many"
        guests[0][1].close()
        async with asyncio.timeout(WITHIN_S):
            while len(here.server._guests) >= GUESTS_MOST:
                await asyncio.sleep(0.001)
        assert (await here.ask({"ask": "echo"}))["ok"] is True
        for _, writer in guests:
            writer.close()


async def test_a_handler_that_breaks_costs_its_guest_and_nobody_else(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        with pytest.raises(Refusal) as refused:
            await here.ask({"ask": "broken"})
        assert refused.value.key == "control.no_answer"
        assert here.counters.snapshot()["control_failed"] == 1
        assert (await here.ask({"ask": "echo"}))["ok"] is True


async def test_all_guests_together_ask_only_so_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    sleep = asyncio.sleep

    async def slept(for_s: float) -> None:
        waited.append(for_s)
        await sleep(0)

    here = Served(tmp_path / "control.sock")
    monkeypatch.setattr(server.asyncio, "sleep", slept)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 1000.0)
    for _ in range(5):
        await here.server._turn()
    monkeypatch.undo()
    assert waited == pytest.approx([0.005, 0.010, 0.015, 0.020])


async def test_a_watcher_that_does_not_read_fills_nothing_and_is_told_what_it_lost(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        reader, writer = await here.guest()
        writer.write(b'{"v":1,"ask":"watch"}\n')
        assert json.loads(await reader.readline()) == {"v": 1, "ok": True}
        (watcher,) = here.watching._watchers
        for number in range(WAITING_MOST + 100):
            here.watching.say("fault", kind="x", about=str(number), note="", restore=False)
        assert len(watcher._waiting) == WAITING_MOST
        lines = [json.loads(await reader.readline()) for _ in range(WAITING_MOST + 1)]
        assert [check("saw", line)["about"] for line in lines[:-1]] == [str(n) for n in range(WAITING_MOST)]
        assert check("saw", lines[-1]) == {"v": 1, "saw": "lost", "count": 100}
        here.watching.say("fault", kind="after", about="", note="", restore=False)
        assert json.loads(await reader.readline())["kind"] == "after"
        writer.close()


async def test_a_watcher_that_goes_on_talking_is_put_out(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        reader, writer = await here.guest()
        writer.write(b'{"v":1,"ask":"watch"}\n')
        await reader.readline()
        writer.write(b"x")
        async with asyncio.timeout(WITHIN_S):
            assert await reader.read() == b""
        writer.close()
        assert not here.watching._watchers


def test_what_is_lost_of_what_waits_is_the_newest() -> None:
    watcher = watching.Watcher()
    for number in range(WAITING_MOST + 2):
        watcher.put({"n": number})
    assert [saw.get("n") for saw in watcher.take()] == [*range(WAITING_MOST), None]
    assert list(watcher.take()) == []
