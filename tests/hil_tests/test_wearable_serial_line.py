"""The serial cable of the bench: carries, is cut, delays, makes noise that can be repeated, is unplugged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hil_tests.wearable.serial_line import Faults, SerialLine

_WITHIN_S = 10.0


@pytest.fixture
async def line(tmp_path: Path) -> Iterator[SerialLine]:
    laid = SerialLine.lay(tmp_path, seed=7)
    yield laid
    laid.close()
    laid.close()


async def read(descriptor: int, size: int) -> bytes:
    """Exactly `size` bytes from a non-blocking descriptor."""
    data = b""
    deadline_s = time.monotonic() + _WITHIN_S
    while len(data) < size:
        assert time.monotonic() < deadline_s, f"only {data!r} came"
        # A port that pyserial opened says "nothing yet" by giving nothing.
        with contextlib.suppress(BlockingIOError):
            data += os.read(descriptor, size - len(data))
        await asyncio.sleep(0.002)
    return data


async def flow() -> None:
    """Let the relay, which lives in this event loop, carry what is under way."""
    for _ in range(10):
        await asyncio.sleep(0.005)


def open_end(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


async def test_it_carries_every_byte_both_ways(line: SerialLine) -> None:
    wearable, gateway = open_end(line.wearable), open_end(line.gateway)
    everything = bytes(range(256))
    os.write(wearable, everything)
    assert await read(gateway, 256) == everything
    os.write(gateway, everything)
    assert await read(wearable, 256) == everything
    os.close(wearable)
    os.close(gateway)


async def test_pyserial_opens_the_gateways_end(line: SerialLine) -> None:
    wearable = open_end(line.wearable)
    with serial.Serial(line.gateway, 115200, timeout=0, exclusive=True) as port:
        os.write(wearable, b"hello")
        assert await read(port.fileno(), 5) == b"hello"
    os.close(wearable)


async def test_the_wearables_end_outlives_the_wearable(line: SerialLine) -> None:
    gateway = open_end(line.gateway)
    for word in (b"one", b"two"):
        wearable = open_end(line.wearable)
        os.write(wearable, word)
        assert await read(gateway, 3) == word
        os.close(wearable)
    os.close(gateway)


async def test_a_cut_line_carries_nothing_until_it_is_mended(line: SerialLine) -> None:
    wearable, gateway = open_end(line.wearable), open_end(line.gateway)
    line.cut()
    os.write(wearable, b"lost")
    await flow()
    line.mend()
    os.write(wearable, b"kept")
    assert await read(gateway, 4) == b"kept"
    os.close(wearable)
    os.close(gateway)


async def test_what_is_under_way_when_the_line_is_cut_is_lost(line: SerialLine) -> None:
    wearable, gateway = open_end(line.wearable), open_end(line.gateway)
    line.faults = Faults(delay_ms=40)
    os.write(wearable, b"lost")
    await asyncio.sleep(0.01)
    line.cut()
    await asyncio.sleep(0.06)
    line.mend()
    os.write(wearable, b"kept")
    assert await read(gateway, 4) == b"kept"
    os.close(wearable)
    os.close(gateway)


async def test_a_delay_is_kept(line: SerialLine) -> None:
    wearable, gateway = open_end(line.wearable), open_end(line.gateway)
    line.faults = Faults(delay_ms=80)
    sent_at_s = time.monotonic()
    os.write(wearable, b"late")
    assert await read(gateway, 4) == b"late"
    assert time.monotonic() - sent_at_s >= 0.08
    os.close(wearable)
    os.close(gateway)


async def test_noise_is_repeatable_by_its_seed(tmp_path: Path) -> None:
    spoiled = []
    for seed in (7, 7, 8):
        line = SerialLine.lay(tmp_path, seed)
        line.faults = Faults(flip=0.2, drop=0.1)
        spoiled.append(line._spoil(bytes(1000)))
        line.close()
    assert spoiled[0] == spoiled[1] != spoiled[2]
    assert len(spoiled[0]) < 1000
    assert any(spoiled[0])


async def test_unplugging_hangs_up_and_plugging_in_works_again(line: SerialLine) -> None:
    wearable, gateway = open_end(line.wearable), open_end(line.gateway)
    line.unplug()
    assert not os.path.lexists(line.gateway)  # noqa: ASYNC240
    with pytest.raises(OSError, match="Input/output error"):
        os.write(gateway, b"x")
    os.close(gateway)
    os.write(wearable, b"nobody listens")
    await flow()
    line.plug_in()
    gateway = open_end(line.gateway)
    os.write(wearable, b"again")
    assert await read(gateway, 5) == b"again"
    os.close(wearable)
    os.close(gateway)


async def test_noise_from_outside_reaches_the_end_it_is_sent_to(line: SerialLine) -> None:
    gateway = open_end(line.gateway)
    line.inject("to_gateway", b"\xff\x00\x55")
    assert await read(gateway, 3) == b"\xff\x00\x55"
    os.close(gateway)
