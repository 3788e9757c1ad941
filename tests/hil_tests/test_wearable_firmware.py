"""The real firmware on the bench, a serial cable to a gateway's end that this file reads itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import Faults, SerialLine
from protocol import codes, frame, messages, rolling, serial_link
from tools import image

ROOT_1 = b"test_only root 1"
_COUNTERS = 5000
Start = Callable[..., Coroutine[Any, Any, WearableProcess]]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[SerialLine]:
    laid = SerialLine.lay(tmp_path, seed=7)
    yield laid
    laid.close()


@pytest.fixture
async def start(tmp_path: Path, staged: Path) -> AsyncIterator[Start]:
    started: list[WearableProcess] = []

    async def begin(chosen: Path = staged, **more: Any) -> WearableProcess:
        wearable = await WearableProcess.start(tmp_path, chosen, root=ROOT_1, **more)
        started.append(wearable)
        return wearable

    yield begin
    for wearable in started:
        await wearable.stop()


class Listener:
    """The gateway's end of the line: opens what this wearable sealed."""

    def __init__(self, line: SerialLine, wearable: WearableProcess) -> None:
        self._port = os.open(line.gateway, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._decoder = serial_link.Decoder()
        self._ids = rolling.RollingIds(wearable.keys.id)
        self._opener = frame.UpOpener(wearable.keys.up)
        self.counters: list[int] = []

    def close(self) -> None:
        os.close(self._port)

    async def event(self, within_s: float) -> messages.Event:
        """The next event that comes whole; everything else is passed over."""
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            data = b""
            with contextlib.suppress(BlockingIOError):
                data = os.read(self._port, 4096)
            for sealed in self._decoder.feed(data):
                counter = self._ids.find(frame.rolling_id(sealed), 0, _COUNTERS)
                assert counter >= 0, "a frame of somebody else"
                assert counter not in self.counters, "a counter was used twice"
                self.counters.append(counter)
                body = self._opener.open(sealed, counter)
                if frame.parse_head(sealed) == codes.EVENT:
                    return messages.Event(body)
            await asyncio.sleep(0.005)
        raise AssertionError(f"no event within {within_s} s; {self._decoder.refused} blocks were noise")


async def test_a_hold_goes_out_on_the_line_as_a_sealed_sos(start: Start, line: SerialLine) -> None:
    wearable = await start(serial=line.wearable)
    listener = Listener(line, wearable)
    await wearable.hold()
    await wearable.shown("PRESSED", 1)
    event = await listener.event(within_s=10)
    assert (event.kind, event.number, event.detail) == (codes.SOS, 1, codes.HOLD)
    assert 0 <= event.age_ms < 10_000
    listener.close()


async def test_an_alarm_gets_through_a_noisy_line(start: Start, line: SerialLine) -> None:
    line.faults = Faults(flip=0.005, drop=0.002)
    wearable = await start(serial=line.wearable)
    listener = Listener(line, wearable)
    await wearable.hold()
    # A frame in four is lost, and the gaps double to 30 s: time for a dozen.
    event = await listener.event(within_s=240)
    assert (event.kind, event.number) == (codes.SOS, 1)
    listener.close()


async def test_a_press_cut_off_in_its_cancel_window_goes_out_after_power_on(start: Start, line: SerialLine) -> None:
    wearable = await start(serial=line.wearable)
    await wearable.press()
    await wearable.shown("COUNTING", 1)
    await wearable.power_cut()
    listener = Listener(line, wearable)
    await wearable.power_on()
    event = await listener.event(within_s=10)
    assert (event.kind, event.number) == (codes.SOS, 1)
    assert event.age_ms == -1, "nobody knows for how long the power was away"
    listener.close()


async def test_a_release_image_works_and_is_silent(start: Start, tmp_path: Path) -> None:
    release = image.stage("simulator", tmp_path / "release", release=True)
    wearable = await start(chosen=release.directory)
    await wearable.hold()
    await wearable.shown("PRESSED", 1)
    assert wearable.body.log == []
    assert (tmp_path / "pendant-1.log").read_text() == "--- power_on, none\n"


async def test_a_press_wakes_it_from_deep_sleep_and_counts(start: Start) -> None:
    wearable = await start()
    await wearable.asleep(within_s=60)
    since = len(wearable.body.shown)
    await wearable.hold()
    assert (await wearable.started(2)).wake == "button"
    await wearable.shown("PRESSED", 1, since=since)


async def test_a_press_while_the_processor_stands_still_is_one(start: Start) -> None:
    wearable = await start()
    for number, press in enumerate((wearable.hold, wearable.press), 1):
        wearable.freeze()
        await press()
        wearable.thaw()
        await wearable.shown("PRESSED", number)
        # A series ends with a second of rest.
        await asyncio.sleep(1.5)


async def test_a_hold_begun_in_the_moment_the_last_one_ended_is_another(start: Start) -> None:
    wearable = await start()
    for number in (1, 2):
        await wearable.hold()
        await wearable.shown("PRESSED", number)


async def test_a_processor_that_hangs_is_started_again_by_the_watchdog(start: Start) -> None:
    wearable = await start()
    wearable.freeze()
    assert (await wearable.started(2, within_s=40)).reset == "watchdog"
    await wearable.ready()
    await wearable.hold()
    await wearable.shown("PRESSED", 1)
