"""The asking end of the gateway's control socket. Owns one line there and back, and what a failure of it means.

What answers is believed only as root's or the socket's directory's owner's: keys are told over this line. Must not know
what is asked. Refusals are the gateway's own, or say why it could not be asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

from edge_daemon import config
from edge_daemon.control.address import peer_user, reachable
from edge_daemon.errors import Refusal
from tools.messages import catalogue

# The status of a thousand wearables is some 300 KB.
_REPLY_MOST = 8 << 20
_ANSWER_WITHIN_S = 30.0
_CONNECT_WITHIN_S = 5.0


def socket_of(gateway: Path | None, file: Path) -> Path:
    """The socket to ask: as named, else as the gateway's configuration says. Raises Refusal."""
    return gateway if gateway is not None else config.load(file).control_socket


def ask(path: Path, request: dict[str, Any], within_s: float = _ANSWER_WITHIN_S) -> dict[str, Any]:
    """One question and its answer; `"v"` is added. Raises Refusal: the gateway's own, or `control.not_running`, ..."""
    with _connected(path) as line:
        line.settimeout(within_s)
        try:
            # Who has no room for one more guest says so without listening: its words are there all the same.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                line.sendall(json.dumps({"v": 1, **request}).encode() + b"\n")
            with line.makefile("rb") as replies:
                reply = replies.readline(_REPLY_MOST)
        except OSError as error:
            raise Refusal("control.no_answer", socket=path, why=str(error) or type(error).__name__) from error
    return _read(path, reply)


async def watch(path: Path) -> AsyncGenerator[dict[str, Any], None]:
    """What the gateway sees, line by line, until it ends or the caller does. Raises Refusal as `ask` does.

    The first is `{"saw": "begun"}`: what happens from then on will be told. Where it is left before its end, close it
    (`contextlib.aclosing`).
    """
    with _connected(path) as line:
        line.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=line.dup(), limit=_REPLY_MOST)
        try:
            writer.write(b'{"v":1,"ask":"watch"}\n')
            _read(path, await _line(path, reader))
            yield {"saw": "begun"}
            while saw := await _line(path, reader):
                yield _parsed(path, saw)
        finally:
            writer.transport.abort()


async def _line(path: Path, reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except (OSError, ValueError) as error:
        raise Refusal("control.no_answer", socket=path, why=str(error)) from error


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[socket.socket]:
    """A line to the gateway, and to nobody else. Raises Refusal."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_CONNECT_WITHIN_S)
        try:
            with reachable(path.absolute()) as address:
                line.connect(address)
            owner = path.absolute().parent.stat().st_uid
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise Refusal("control.not_running", socket=path) from error
        except PermissionError as error:
            raise Refusal("control.not_allowed", socket=path) from error
        except OSError as error:
            raise Refusal("control.no_answer", socket=path, why=error.strerror or str(error)) from error
        answers = peer_user(line)
        if answers not in (0, owner):
            raise Refusal("control.not_ours", socket=path, owner=answers)
        yield line


def _read(path: Path, reply: bytes) -> dict[str, Any]:
    message = _parsed(path, reply)
    if message.get("ok") is True:
        return message
    key, names = message.get("refusal"), message.get("names")
    if not isinstance(key, str) or not isinstance(names, dict):
        raise Refusal("control.no_answer", socket=path, why="no reply")
    if key not in catalogue():
        raise Refusal("control.newer", key=key)
    raise Refusal(key, **names)


def _parsed(path: Path, line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise Refusal("control.no_answer", socket=path, why="no reply" if line else "hung up") from error
    if not isinstance(message, dict):
        raise Refusal("control.no_answer", socket=path, why="no reply")
    return message
