"""The socket itself: its file, who may come, what a guest is told, and what the client makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from pathlib import Path

import pytest

from edge_daemon.control import server
from edge_daemon.control.address import reachable
from edge_daemon.errors import Refusal
from tools.control import client

from .served import WITHIN_S, Served, served


async def test_one_guest_asks_again_and_again_and_others_beside_it(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        reader, writer = await here.guest()
        for number in range(3):
            writer.write(json.dumps({"v": 1, "ask": "echo", "n": number}).encode() + b"\n")
            assert json.loads(await reader.readline())["echo"]["n"] == number
            assert (await here.ask({"ask": "echo"}))["ok"] is True
        writer.close()


async def test_its_file_is_nobody_elses_and_its_path_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 40) / "control.sock"
    async with served(path) as here:
        assert path.stat().st_mode & 0o7777 == 0o600
        assert path.parent.stat().st_mode & 0o7777 == 0o700
        assert (await here.ask({"ask": "echo"}))["ok"] is True
        assert [file.name for file in path.parent.iterdir()] == ["control.sock"]
    assert list(path.parent.iterdir()) == []


async def test_a_dead_gateways_socket_is_replaced_and_a_living_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead, reachable(path) as address:
        dead.bind(address)
        dead.listen()
    async with served(path) as here:
        with pytest.raises(Refusal) as refused:
            await Served(path).server.open()
        assert (refused.value.key, refused.value.params) == ("control.in_use", {"socket": path})
        assert (await here.ask({"ask": "echo"}))["ok"] is True


async def test_it_leaves_the_socket_of_who_came_after_it(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with served(path):
        path.unlink()
        async with served(path) as after:
            inode = path.stat().st_ino
            assert (await after.ask({"ask": "echo"}))["ok"] is True
            first = path.stat()
        assert not path.exists()
    assert inode == first.st_ino
    async with served(path):
        path.unlink()
        path.touch()
    assert path.exists()


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
async def test_a_directory_that_others_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(Refusal) as refused:
        await Served(directory / "control.sock").server.open()
    assert refused.value.key == "control.open_directory"


async def test_what_the_system_refuses_is_no_reason_not_to_run_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_TRY_AGAIN_S", 0.01)
    (tmp_path / "run").write_text("a file where a directory should be")
    path = tmp_path / "run" / "control.sock"
    async with served(path) as here:
        with pytest.raises(Refusal) as refused:
            await here.ask({"ask": "echo"})
        assert refused.value.key == "control.not_running"
        (tmp_path / "run").unlink()
        async with asyncio.timeout(WITHIN_S):
            while not path.exists():
                await asyncio.sleep(0.01)
        assert (await here.ask({"ask": "echo"}))["ok"] is True


async def test_a_watcher_is_told_in_order_until_it_leaves(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        here.watching.say("fault", kind="lost before anybody watched")
        lines = client.watch(here.path)
        async with contextlib.aclosing(lines), asyncio.timeout(WITHIN_S):
            assert await anext(lines) == {"saw": "begun"}
            for number in range(3):
                here.watching.say("fault", kind=str(number))
            assert [(await anext(lines))["kind"] for _ in range(3)] == [*"012"]
        async with asyncio.timeout(WITHIN_S):
            while here.watching._watchers or here.server._guests:
                await asyncio.sleep(0.001)


async def test_its_end_ends_every_guest(tmp_path: Path) -> None:
    async with served(tmp_path / "control.sock") as here:
        lines = client.watch(here.path)
        assert await anext(lines) == {"saw": "begun"}
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(StopAsyncIteration):
            await anext(lines)


async def test_a_running_gateway_makes_its_socket_anew_and_is_not_stopped_by_what_would_refuse_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_TRY_AGAIN_S", 0.01)
    path = tmp_path / "run" / "control.sock"
    async with served(path) as here:
        reader, writer = await here.guest()
        path.parent.chmod(0o777)
        path.unlink()
        await asyncio.sleep(0.1)
        assert not path.exists()
        path.parent.chmod(0o700)
        async with asyncio.timeout(WITHIN_S):
            while not path.exists():
                await asyncio.sleep(0.01)
        assert (await here.ask({"ask": "echo"}))["ok"] is True
        # Who was here stays.
        writer.write(b'{"v":1,"ask":"echo"}\n')
        assert json.loads(await reader.readline())["ok"] is True
        writer.close()


def test_the_client_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none.sock", tmp_path / "no" / "directory.sock"):
        with pytest.raises(Refusal) as refused:
            client.ask(path, {"ask": "status"})
        assert refused.value.key == "control.not_running"
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as line, reachable(path) as address:
        line.bind(address)
        line.listen()
        with pytest.raises(Refusal) as refused:
            client.ask(path, {"ask": "status"}, within_s=0.05)
        assert refused.value.key == "control.no_answer"
        monkeypatch.setattr(client, "peer_user", lambda line: os.geteuid() + 1)
        with pytest.raises(Refusal) as refused:
            client.ask(path, {"ask": "status"})
        assert (refused.value.key, refused.value.params["owner"]) == ("control.not_ours", os.geteuid() + 1)


def test_the_client_understands_a_newer_gateways_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        client._read(tmp_path, b'{"v":1,"ok":false,"refusal":"control.not_yet_thought_of","names":{}}\n')
    assert (refused.value.key, refused.value.params) == ("control.newer", {"key": "control.not_yet_thought_of"})
    for line in (b"", b"x", b"[]", b"{}", b'{"ok":false,"refusal":1}'):
        with pytest.raises(Refusal) as refused:
            client._read(tmp_path, line)
        assert refused.value.key == "control.no_answer"
