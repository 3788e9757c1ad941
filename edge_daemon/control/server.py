"""The control socket: one JSON object a line, asked and answered (README.md). Owns the socket, its file and its guests.

Guarantee: no guest holds up or fills the gateway, whatever it sends or does not read: lines, guests, the rate of asking
and what waits for a watcher are bounded, and who takes nothing is put out. A gateway whose socket cannot be made goes
on without one and tries again. Must not know what is asked: each ask has its handler in `asks`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from edge_daemon.control.address import peer_user, reachable
from edge_daemon.control.watching import Watching
from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal
from edge_daemon.log import Log

log = Log("control")

# Answers an ask with what its reply holds beside "v" and "ok". Raises Refusal.
Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

VERSION = 1
LINE_MOST = 64 << 10
GUESTS_MOST = 16
# A guest that has not said a whole line, or has not taken what it is told, in this time is put out.
_SAID_WITHIN_S = 60.0
_TAKEN_WITHIN_S = 30.0
# All guests together ask no faster: an answer costs a millisecond, and alarms use the same loop.
_ASKS_EVERY_S = 0.005
_TRY_AGAIN_S = 30.0
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MODE = 0o600
_DIRECTORY_MODE = 0o700


class ControlServer:
    """`open` before the gateway says that it is ready, then `run`. `asks`: name -> handler; others may add theirs."""

    def __init__(self, path: Path, watching: Watching, counters: Counters) -> None:
        self._path = path.absolute()
        self._watching = watching
        self._counters = counters
        self.asks: dict[str, Ask] = {}
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._guests: set[asyncio.Task[None]] = set()
        self._next_s = 0.0

    async def open(self) -> None:
        """Make the socket, in the place of a dead gateway's. Raises Refusal where a living one or others have it.

        What the system refuses is logged; `run` tries again.
        """
        try:
            await self._open()
        except OSError as error:
            log.error("control_unusable", socket=str(self._path), why=error.strerror or str(error))

    async def run(self) -> None:
        """Serve for ever. A socket that could not be made, or whose name somebody took away, is made anew."""
        try:
            while True:
                await asyncio.sleep(_TRY_AGAIN_S)
                if self._server is None or not self._path.exists():
                    await self._open_again()
        finally:
            await self._close()

    async def _open_again(self) -> None:
        """What is a person's mistake at the start is no reason to stop a gateway that runs."""
        if self._server is not None:
            self._server.close()
            self._server = None
        try:
            await self.open()
        except Refusal as refusal:
            log.error("control_refused", why=refusal.key, names=refusal.params)

    async def _open(self) -> None:
        directory = self._path.parent
        directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        mode = directory.stat().st_mode
        if mode & _OTHERS_WRITE:
            raise Refusal("control.open_directory", directory=directory, mode=f"{stat.S_IMODE(mode):04o}")
        if self._answers():
            raise Refusal("control.in_use", socket=self._path)
        self._server = await asyncio.start_unix_server(self._connected, sock=self._bound(), limit=LINE_MOST)
        log.info("control_open", socket=str(self._path))

    def _answers(self) -> bool:
        """Whether somebody listens where our socket is to be; what a killed gateway left refuses to connect."""
        with reachable(self._path) as address, socket.socket(socket.AF_UNIX) as line:
            # A full queue of a gateway that hangs is a living one, too (BlockingIOError).
            line.setblocking(False)
            try:
                line.connect(address)
            except BlockingIOError:
                return True
            except (ConnectionRefusedError, FileNotFoundError):
                return False
            return True

    def _bound(self) -> socket.socket:
        """A listening socket at our path, of mode 0600 from its first moment on. Raises OSError."""
        made = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        made.unlink(missing_ok=True)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with reachable(made) as address:
                line.bind(address)
            made.chmod(_MODE)
            line.listen(GUESTS_MOST)
            self._inode = made.stat().st_ino
            # In the place of whatever is there, so that nobody meets a name without a gateway behind it.
            made.replace(self._path)
        except BaseException:
            line.close()
            made.unlink(missing_ok=True)
            raise
        return line

    async def _close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        try:
            if self._path.lstat().st_ino == self._inode:
                self._path.unlink()
        except OSError as error:
            log.warning("control_not_removed", socket=str(self._path), why=error.strerror)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._guests.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._guests.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._counters.add("control_failed")
            log.error("control_failed", exc=task.exception())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # `drain` then waits until the guest's kernel has all of it: nothing piles up here.
        writer.transport.set_write_buffer_limits(high=0)
        try:
            # The mode of the file says the same, and somebody may have changed that.
            if peer_user(writer.get_extra_info("socket")) not in (0, os.geteuid()):
                return
            if len(self._guests) > GUESTS_MOST:
                await _say(writer, _refused(Refusal("control.too_many", most=GUESTS_MOST)))
                return
            while line := await _line(reader):
                await self._turn()
                request = _parsed(line)
                if request.get("ask") == "watch" and request.get("v") == VERSION:
                    await self._watch(reader, writer)
                    return
                await _say(writer, await self._answer(request))
        except Refusal as refusal:
            # A line without an end: whatever follows it is no request either.
            await _say_last(writer, _refused(refusal))
        except (OSError, TimeoutError):
            self._counters.add("control_guests_lost")
        finally:
            # What it has not taken by now it will not take.
            writer.transport.abort()

    async def _turn(self) -> None:
        """Wait until it may be asked again."""
        now_s = asyncio.get_running_loop().time()
        at_s = max(now_s, self._next_s)
        self._next_s = at_s + _ASKS_EVERY_S
        if at_s > now_s:
            await asyncio.sleep(at_s - now_s)

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request; what is wrong with it is said and changes nothing."""
        self._counters.add("control_asks")
        try:
            return {"v": VERSION, "ok": True, **await self._handler(request)(request)}
        except Refusal as refusal:
            return _refused(refusal)

    def _handler(self, request: dict[str, Any]) -> Ask:
        """Raises Refusal for a request of another version, or one that nobody here answers."""
        if request.get("v") != VERSION:
            raise Refusal("control.bad_request", why='"v" is not 1')
        ask = request.get("ask")
        handler = self.asks.get(ask) if isinstance(ask, str) else None
        if handler is None:
            raise Refusal("control.unknown_ask", known=", ".join(sorted([*self.asks, "watch"])))
        return handler

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell what is seen until the guest leaves, or says anything more."""
        with self._watching.watcher() as watcher:
            await _say(writer, {"v": VERSION, "ok": True})
            leaving = asyncio.ensure_future(reader.read(1))
            leaving.add_done_callback(lambda _: watcher.wake())
            try:
                while not leaving.done():
                    for saw in watcher.take():
                        await _say(writer, {"v": VERSION, **saw})
                    await watcher.news()
            finally:
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """One line; empty at the end. Raises Refusal for one that is too long, TimeoutError, OSError."""
    try:
        async with asyncio.timeout(_SAID_WITHIN_S):
            return await reader.readline()
    except ValueError as error:
        raise Refusal("control.bad_request", why=f"a line of more than {LINE_MOST} bytes") from error


def _parsed(line: bytes) -> dict[str, Any]:
    """A request; an empty one for what is none, which is then refused."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return request if isinstance(request, dict) else {}


def _refused(refusal: Refusal) -> dict[str, Any]:
    names = {name: value if isinstance(value, int) else str(value) for name, value in refusal.params.items()}
    return {"v": VERSION, "ok": False, "refusal": refusal.key, "names": names}


async def _say(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Send one line, and wait until it is taken. Raises TimeoutError, OSError."""
    writer.write(json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    async with asyncio.timeout(_TAKEN_WITHIN_S):
        await writer.drain()


async def _say_last(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Send one line to a guest that may be gone."""
    try:
        await _say(writer, message)
    except (OSError, TimeoutError):
        return
