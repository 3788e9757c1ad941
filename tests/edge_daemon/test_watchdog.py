"""systemd is told that the gateway moves as long as it does, and what a restart cannot cure is not held against it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from edge_daemon.watchdog import Notifier, Turning, Watchdog, Writing
from protocol import codes

from .core import Core, core
from .home import WiredWearable, home
from .wearer import Wearer

WITHIN_S = 30.0
# As short as a busy machine lets us look closely; systemd waits for 60 s.
WATCHDOG_S = 0.3
LATE_S = 0.2


class Systemd:
    """The other end of NOTIFY_SOCKET: a real datagram socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}
        self.said: list[str] = []

    def heard(self) -> list[str]:
        """All that has been said so far, word by word."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said += self._socket.recv(4096).decode().splitlines()
        return self.said

    def count(self, word: str) -> int:
        return sum(said.startswith(word) for said in self.heard())

    async def until(self, word: str, more: int = 1) -> None:
        """Wait until it has been said so many times more."""
        before = self.count(word)
        async with asyncio.timeout(WITHIN_S):
            while self.count(word) < before + more:
                await asyncio.sleep(0.01)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    made = Systemd(str(tmp_path / "notify"))
    yield made
    made.close()


@contextlib.asynccontextmanager
async def watched(here: Core, systemd: Systemd, directory: Path) -> AsyncIterator[None]:
    """A watchdog over a core, with the parts that the pipeline gives it."""
    parts: dict[str, Callable[[], bool]] = {
        "forwarder": Turning(lambda: here.forwarder.turns, here.forwarder.wake),
        "journal": Writing(lambda: here.journal.writing_since_s, directory, LATE_S),
    }
    task = asyncio.create_task(Watchdog(Notifier(systemd.environment), parts, lambda: "all\nis well").run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def stuck_writer(here: Core) -> Iterator[threading.Event]:
    """The journal's own thread stands still until the event is set, or the end."""
    go_on = threading.Event()
    assert here.journal._disk._db is not None
    waiting = asyncio.ensure_future(here.journal._disk._db._execute(go_on.wait))  # type: ignore[no-untyped-call]
    try:
        yield go_on
    finally:
        go_on.set()
        waiting.cancel()


async def test_it_says_ready_then_moves_then_stops_and_a_status_is_one_line(tmp_path: Path, systemd: Systemd) -> None:
    async with core(tmp_path, Wearer()) as here, watched(here, systemd, tmp_path):
        await systemd.until("WATCHDOG=1", 3)
    said = systemd.heard()
    assert said[:3] == ["READY=1", "WATCHDOG=1", "STATUS=all is well"]
    assert said[-1] == "STOPPING=1"
    assert systemd.count("READY=1") == systemd.count("STOPPING=1") == 1


async def test_a_writer_that_hangs_over_a_healthy_disk_ends_the_notifications(tmp_path: Path, systemd: Systemd) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here, watched(here, systemd, tmp_path):
        await systemd.until("WATCHDOG=1")
        with stuck_writer(here):
            here.hear(wearer, wearer.event())
            await systemd.until("STATUS=stuck: journal", 2)
            before = systemd.count("WATCHDOG=1")
            await systemd.until("STATUS=stuck: journal", 5)
            assert systemd.count("WATCHDOG=1") == before
        await systemd.until("WATCHDOG=1", 2)


async def test_a_disk_that_hangs_for_everybody_is_no_reason_to_be_killed(
    tmp_path: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    wearer, sync, hang = Wearer(), os.fsync, threading.Event()
    async with core(tmp_path, wearer) as here, watched(here, systemd, tmp_path):
        # Only now: to open the journal is to sync it.
        monkeypatch.setattr(os, "fsync", lambda descriptor: (hang.wait(), sync(descriptor)))
        with stuck_writer(here):
            here.hear(wearer, wearer.event())
            async with asyncio.timeout(WITHIN_S):
                while not (tmp_path / "disk.probe").exists():
                    await asyncio.sleep(0.01)
            await systemd.until("WATCHDOG=1", 5)
            # The alarm has gone out meanwhile, from memory.
            await here.uplink.until(1)
            assert systemd.count("STATUS=stuck") == 0
            hang.set()
            await systemd.until("STATUS=stuck: journal")


async def test_a_disk_that_refuses_the_probe_too_is_no_reason(
    tmp_path: Path, systemd: Systemd, caplog: pytest.LogCaptureFixture
) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here, watched(here, systemd, tmp_path / "none"):
        with stuck_writer(here):
            here.hear(wearer, wearer.event())
            async with asyncio.timeout(WITHIN_S):
                while "disk_fails" not in [record.message for record in caplog.records]:
                    await asyncio.sleep(0.01)
            await systemd.until("WATCHDOG=1", 5)
    assert systemd.count("STATUS=stuck") == 0


async def test_a_full_disk_and_a_broker_that_is_away_do_not_end_the_notifications(
    tmp_path: Path, systemd: Systemd
) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here, watched(here, systemd, tmp_path):
        here.uplink.connected = False
        assert here.journal._disk._db is not None
        ((pages,),) = await here.journal._disk._db.execute_fetchall("PRAGMA page_count")
        await here.journal._disk._db.execute_fetchall(f"PRAGMA max_page_count = {pages}")
        async with asyncio.timeout(WITHIN_S):
            while not here.count("store_failed"):
                here.hear(wearer, wearer.event())
                await asyncio.sleep(0.01)
        await systemd.until("WATCHDOG=1", 10)
        assert here.count("store_failed")
    assert systemd.count("STATUS=stuck") == 0


async def test_a_forwarder_that_does_not_turn_ends_the_notifications(tmp_path: Path, systemd: Systemd) -> None:
    async with core(tmp_path, Wearer()) as here, watched(here, systemd, tmp_path):
        await systemd.until("WATCHDOG=1", 5)
        assert systemd.count("STATUS=stuck") == 0, "idle is not stuck"
        # Its task, which never ends by itself.
        here._tasks[0].cancel()
        await systemd.until("STATUS=stuck: forwarder", 2)
        before = systemd.count("WATCHDOG=1")
        await systemd.until("STATUS=stuck: forwarder", 3)
        assert systemd.count("WATCHDOG=1") == before


async def test_a_loop_that_does_not_turn_says_nothing(tmp_path: Path, systemd: Systemd) -> None:
    async with core(tmp_path, Wearer()) as here, watched(here, systemd, tmp_path):
        await systemd.until("WATCHDOG=1")
        before = systemd.count("WATCHDOG=1")
        time.sleep(WATCHDOG_S * 2)  # noqa: ASYNC251 - this is the fault
        assert systemd.count("WATCHDOG=1") == before


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_time_is_systemds_own(environment: dict[str, str], watchdog_s: float | None) -> None:
    assert Notifier(environment).watchdog_s == watchdog_s


def test_without_systemd_or_with_one_that_does_not_read_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).say(READY="1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "none")}).say(READY="1")
    full = Systemd(str(tmp_path / "full"))
    notifier = Notifier(full.environment)
    for _ in range(5000):
        notifier.say(STATUS="x" * 100)
    full.close()


def test_an_abstract_socket_is_found() -> None:
    abstract = Systemd(f"@pingan-test-{os.getpid()}")
    Notifier(abstract.environment).say(READY="1")
    assert abstract.heard() == ["READY=1"]
    abstract.close()


async def test_the_real_gateway_notifies_with_a_journal_and_without_a_broker(
    tmp_path: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in systemd.environment.items():
        monkeypatch.setenv(name, value)
    wearer = Wearer()
    async with home(tmp_path, 1, wearer) as gateway:
        wearable = WiredWearable(tmp_path, wearer)
        await gateway.start()
        await systemd.until("READY=1")
        await wearable.until(wearable.press(), codes.NO_PATH)
        await systemd.until("WATCHDOG=1", 5)
        assert "waiting=1" in [word for said in systemd.heard()[-2:] for word in said.split()]
        assert systemd.count("STOPPING=1") == 0
        assert await gateway.ended(15) == 0
        assert systemd.count("STOPPING=1") == 1
        assert systemd.count("STATUS=stuck") == 0
        wearable.close()
