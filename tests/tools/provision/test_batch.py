"""Twenty boards at once, one broken and one provisioned already; and the gateway that is told of a replaced one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.clock import Clock
from edge_daemon.control.server import ControlServer
from edge_daemon.control.watching import Watching
from edge_daemon.counters import Counters
from tests.tools.provision.conftest import RECORDS_AT, RECORDS_SIZE, KitBench, on_board
from tools.label import code

DEAD_RECORDS = {"PINGAN_DEAD_FLASH": f"{RECORDS_AT},{RECORDS_AT + RECORDS_SIZE - 1}"}


@pytest.mark.timeout(600)
def test_of_twenty_boards_eighteen_get_a_record_and_two_a_reason(bench: KitBench) -> None:
    already = bench.flashed("b1", 1)
    had = bench.provision(already, more=("--no-lock",)).verdict["wearable"]
    broken = bench.flashed("b2", 2, environment=DEAD_RECORDS)
    good = [bench.flashed(f"b{number}", number) for number in range(3, 21)]
    ran = bench.provision(already, broken, *good, more=("--sheet", str(bench.directory / "labels.pdf")))
    ends = ran.verdicts
    assert ran.code == 2, ends
    assert (ends[already.port]["reason"], ends[already.port]["code"]) == ("provision.already", code.of_handle(had))
    assert ends[broken.port]["reason"] == "provision.flash_fails"
    assert {ends[board.port]["state"] for board in good} == {"done"}
    new = {ends[board.port]["wearable"] for board in good}
    assert len(new) == 18
    assert set(bench.files("records")) == new | {had}
    assert bench.files("pending") == []
    assert len(set(bench.imported().values())) == 19
    labels = (bench.directory / "labels.pdf").read_bytes()
    assert labels.count(b"PingAnTong PAT-") == 18
    for board in good:
        board.pull()
        assert on_board(board)[0] == ends[board.port]["wearable"]
    already.pull()
    assert on_board(already)[0] == had


@contextmanager
def _gateway(socket: Path) -> Iterator[list[dict[str, Any]]]:
    """A gateway's control socket, and what it was asked."""
    asked: list[dict[str, Any]] = []
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"revoked": request["revoke"]}

    async def serve() -> None:
        server = ControlServer(socket, Watching(Clock()), Counters())
        server.asks["wearables"] = answer
        await server.open()
        ready.set()
        await server.run()

    task = loop.create_task(serve())

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    try:
        yield asked
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)


def test_a_running_gateway_is_told_which_identity_is_no_more(bench: KitBench) -> None:
    board, socket = bench.flashed("a"), bench.directory / "own" / "control.sock"
    more = ("--no-lock", "--replace", "--gateway", str(socket))
    with _gateway(socket) as asked:
        first = bench.provision(board, more=more).verdict["wearable"]
        assert asked == [], "there was nothing to revoke"
        ran = bench.provision(board, more=more)
        assert ran.code == 0
        assert [request["revoke"] for request in asked] == [[first]]


def test_a_gateway_that_cannot_be_told_is_said_so_and_the_board_is_done_all_the_same(bench: KitBench) -> None:
    board = bench.flashed("a")
    first = bench.provision(board, more=("--no-lock",)).verdict["wearable"]
    ran = bench.provision(board, more=("--no-lock", "--replace", "--gateway", str(bench.directory / "none.sock")))
    assert ran.code == 1
    assert (ran.verdict["reason"], ran.verdict["old"]) == ("provision.gateway_not_told", code.of_handle(first))
    assert bench.live() == {"6055f9000001": ran.verdict["wearable"]}
