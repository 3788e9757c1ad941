"""Serial ports that are real to the kernel: pseudo terminals that come, speak nonsense, and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tty
from collections.abc import AsyncIterator
from pathlib import Path

from edge_daemon.clock import Clock
from edge_daemon.config import Serial
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.links.serial_link import SerialLink
from protocol import serial_link

WITHIN_S = 20.0


class Plug:
    """The far end of a port; `name` is the device as the daemon sees it."""

    def __init__(self, directory: Path, name: str) -> None:
        self.near, far = os.openpty()
        tty.setraw(far)
        self.name = directory / name
        self.name.symlink_to(os.ttyname(far))
        os.close(far)
        os.set_blocking(self.near, False)
        self._decoder = serial_link.Decoder()
        self.frames: list[bytes] = []

    def write(self, data: bytes) -> None:
        os.write(self.near, data)

    async def read(self, count: int) -> list[bytes]:
        async with asyncio.timeout(WITHIN_S):
            while len(self.frames) < count:
                with contextlib.suppress(BlockingIOError):
                    self.frames += self._decoder.feed(os.read(self.near, 4096))
                await asyncio.sleep(0.005)
        return self.frames

    def pull(self) -> None:
        """Out of the socket: name and line are gone."""
        self.name.unlink(missing_ok=True)
        os.close(self.near)


class Ports:
    """A running link over every port in a directory."""

    def __init__(self, directory: Path, leave: str = "") -> None:
        self.heard: list[Heard] = []
        self.counters = Counters()
        settings = Serial(ports=[f"{directory}/tty*"], rescan_s=0.05)
        self.link = SerialLink(settings, self._heard, Clock(), self.counters, leave)
        self._changed = asyncio.Event()

    def _heard(self, heard: Heard) -> None:
        self.heard.append(heard)
        self._changed.set()

    async def until(self, count: int) -> list[bytes]:
        async with asyncio.timeout(WITHIN_S):
            while len(self.heard) < count:
                self._changed.clear()
                await self._changed.wait()
        return [heard.frame for heard in self.heard]

    async def states(self, *wanted: tuple[Plug | Path, str]) -> None:
        names = [
            {"link": "serial", "name": str(plug.name if isinstance(plug, Plug) else plug), "state": state}
            for plug, state in wanted
        ]
        async with asyncio.timeout(WITHIN_S):
            while self.link.states() != names:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def ports(directory: Path, leave: str = "") -> AsyncIterator[Ports]:
    made = Ports(directory, leave)
    running = asyncio.create_task(made.link.run())
    try:
        yield made
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def a_frame(number: int) -> bytes:
    return bytes([0x11]) + number.to_bytes(23, "big")


async def test_ports_come_and_go_and_come_again(tmp_path: Path) -> None:
    async with ports(tmp_path) as home:
        assert home.link.states() == []
        one, two = Plug(tmp_path, "tty1"), Plug(tmp_path, "tty2")
        await home.states((one, "up"), (two, "up"))
        one.write(serial_link.encode(a_frame(1)))
        await home.until(1)
        two.write(serial_link.encode(a_frame(2)))
        assert await home.until(2) == [a_frame(1), a_frame(2)]
        home.heard[0].path.send(a_frame(3))
        home.heard[1].path.send(a_frame(4))
        assert (await one.read(1), await two.read(1)) == ([a_frame(3)], [a_frame(4)])
        one.pull()
        await home.states((two, "up"))
        assert not home.heard[0].path.live
        home.heard[0].path.send(a_frame(5))  # nobody there: dropped, counted, no harm
        assert home.counters.snapshot()["serial_unwritten"] == 1
        again = Plug(tmp_path, "tty1")
        await home.states((again, "up"), (two, "up"))
        again.write(serial_link.encode(a_frame(6)))
        await home.until(3)
        two.pull()
        again.pull()
        await home.states()


async def test_a_port_whose_name_goes_first_is_let_go(tmp_path: Path) -> None:
    async with ports(tmp_path) as home:
        plug = Plug(tmp_path, "tty1")
        await home.states((plug, "up"))
        plug.name.unlink()
        await home.states()
        os.close(plug.near)


async def test_noise_costs_itself_and_not_the_frame_after_it(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    async with ports(tmp_path) as home:
        plug = Plug(tmp_path, "tty1")
        await home.states((plug, "up"))
        for number in range(50):
            plug.write(chance.randbytes(chance.randrange(1, 600)) + b"\x00" + serial_link.encode(a_frame(number)))
            await home.until(number + 1)
        for byte in serial_link.encode(a_frame(50)):
            plug.write(bytes([byte]))
        assert (await home.until(51)) == [a_frame(number) for number in range(51)]
        assert home.counters.snapshot()["refused_serial_noise"] >= 50
        plug.pull()
        await home.states()


async def test_a_frame_ends_the_noise_that_an_idle_line_has_made(tmp_path: Path) -> None:
    async with ports(tmp_path) as home:
        plug = Plug(tmp_path, "tty1")
        await home.states((plug, "up"))
        # What the far end has taken for the beginning of a block.
        assert plug._decoder.feed(b"\x07noise") == []
        (port,) = home.link.open_ports()
        port.send(a_frame(1))
        assert await plug.read(1) == [a_frame(1)]


async def test_a_port_nobody_reads_blocks_nothing_and_recovers(tmp_path: Path) -> None:
    async with ports(tmp_path) as home:
        plug = Plug(tmp_path, "tty1")
        await home.states((plug, "up"))
        plug.write(serial_link.encode(a_frame(1)))
        await home.until(1)
        for number in range(5000):
            home.heard[0].path.send(a_frame(number))
        dropped = home.counters.snapshot()["serial_unwritten"]
        assert 0 < dropped < 5000
        assert (await plug.read(5000 - dropped))[:3] == [a_frame(0), a_frame(1), a_frame(2)]
        assert len(plug.frames) == 5000 - dropped
        plug.pull()
        await home.states()


async def test_the_modems_port_is_left_alone_under_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to(tmp_path / "tty1")
    async with ports(tmp_path, str(tmp_path / "by-id")) as home:
        modem, plug = Plug(tmp_path, "tty1"), Plug(tmp_path, "tty2")
        await home.states((plug, "up"))
        for gone in (modem, plug):
            gone.pull()
        # It comes back as another device, and the name that stays is its.
        (tmp_path / "by-id").unlink()
        (tmp_path / "by-id").symlink_to(tmp_path / "tty3")
        plug, modem = Plug(tmp_path, "tty1"), Plug(tmp_path, "tty3")
        await home.states((plug, "up"))
        for gone in (modem, plug):
            gone.pull()


async def test_what_is_no_port_is_said_once_and_tried_again(tmp_path: Path) -> None:
    async with ports(tmp_path) as home:
        (tmp_path / "tty1").write_text("a file")
        (tmp_path / "tty2").symlink_to("/nowhere")
        (tmp_path / "tty3").mkdir()
        await home.states(*[(tmp_path / name, "down") for name in ("tty1", "tty2", "tty3")])
        (tmp_path / "tty1").unlink()
        (tmp_path / "tty2").unlink()
        (tmp_path / "tty3").rmdir()
        plug = Plug(tmp_path, "tty1")
        await home.states((plug, "up"))
        plug.pull()
        await home.states()


async def test_many_frames_at_once_all_arrive_in_order(tmp_path: Path) -> None:
    async with ports(tmp_path) as home:
        plug = Plug(tmp_path, "tty1")
        await home.states((plug, "up"))
        for start in range(0, 1000, 20):
            plug.write(b"".join(serial_link.encode(a_frame(n)) for n in range(start, start + 20)))
            await home.until(start + 20)
        assert await home.until(1000) == [a_frame(n) for n in range(1000)]
        plug.pull()
        await home.states()
