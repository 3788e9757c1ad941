"""The life of a wearable on the bench, with a stand-in for the firmware in the real interpreter."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from hil_tests.wearable.body import Body
from hil_tests.wearable.errors import WearableFailed
from hil_tests.wearable.process import WearableProcess

STAND_IN = Path(__file__).parent / "stand_in"
CRASH, SLEEP_TIMED, SLEEP, RESET, STOP_FEEDING, NONSENSE, SLEEP_DEAF = 1, 2, 3, 4, 5, 6, 7
FULL_MV = 4100
Start = Callable[..., Coroutine[Any, Any, WearableProcess]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[WearableProcess] = []

    async def begin(**more: Any) -> WearableProcess:
        wearable = await WearableProcess.start(tmp_path, STAND_IN, **more)
        started.append(wearable)
        return wearable

    yield begin
    for wearable in started:
        await wearable.stop()


async def test_a_press_is_shown_with_its_time(start: Start) -> None:
    wearable = await start()
    pressed_at_s = await wearable.press()
    pressed = await wearable.shown("PRESSED", 1)
    assert pressed.at_s >= pressed_at_s
    await wearable.shown("IDLE", 1)
    assert wearable.showing is not None
    assert wearable.showing.stage == "IDLE"


async def test_what_is_not_shown_is_an_error_that_tells_what_was(start: Start) -> None:
    wearable = await start()
    await wearable.press()
    await wearable.shown("IDLE", 1)
    with pytest.raises(WearableFailed, match=r"(?s)no CLOSED for event 1.*PRESSED 1, IDLE 1"):
        await wearable.shown("CLOSED", 1, within_s=0.2)


async def test_a_crash_is_told_with_its_traceback(start: Start) -> None:
    wearable = await start()
    wearable.battery(CRASH)
    with pytest.raises(WearableFailed, match=r"(?s)about to crash.*RuntimeError: test crash"):
        await wearable.shown("STORED")
    assert len(wearable.starts) == 1, "it must not be started again in silence"


async def test_a_crash_that_nobody_waited_for_is_told_at_the_end(start: Start) -> None:
    wearable = await start()
    wearable.battery(CRASH)
    while wearable.body.failure is None:
        await asyncio.sleep(0.01)
    with pytest.raises(WearableFailed, match="test crash"):
        await wearable.stop()


async def test_nonsense_to_the_body_is_a_failure(start: Start) -> None:
    wearable = await start()
    wearable.battery(NONSENSE)
    with pytest.raises(WearableFailed, match="dances"):
        await wearable.shown("STORED")


async def test_deep_sleep_ends_by_its_timer_and_keeps_rtc_memory(start: Start) -> None:
    wearable = await start()
    wearable.battery(SLEEP_TIMED)
    assert await wearable.asleep(within_s=10) == 300
    wearable.battery(FULL_MV)
    woken = await wearable.started(2)
    assert (woken.reset, woken.wake) == ("deep_sleep", "timer")
    await wearable.ready()
    assert wearable.body.log == ["power_on none 0", "deep_sleep timer 1"]


@pytest.mark.parametrize(("act", "wake"), [("down", "button"), ("usb", "serial")])
async def test_deep_sleep_ends_by_button_and_by_cable(start: Start, act: str, wake: str) -> None:
    wearable = await start()
    wearable.battery(SLEEP)
    await wearable.asleep(within_s=10)
    wearable.battery(FULL_MV)
    if act == "down":
        wearable.down()
    else:
        wearable.usb(True)
    woken = await wearable.started(2)
    assert (woken.reset, woken.wake) == ("deep_sleep", wake)
    if act == "down":
        # The level is told at boot, so that a button held through it is known to be down.
        await wearable.shown("PRESSED", 1)


async def test_a_press_long_after_it_fell_asleep_wakes_it(start: Start) -> None:
    wearable = await start()
    wearable.battery(SLEEP)
    await wearable.asleep(within_s=10)
    wearable.battery(FULL_MV)
    # Until nobody is at anything any more: the process has ended, and only the press is left to wake it.
    await asyncio.sleep(1)
    await wearable.press()
    woken = await wearable.started(2)
    assert (woken.reset, woken.wake) == ("deep_sleep", "button")


async def test_a_press_that_the_program_slept_over_wakes_it(start: Start) -> None:
    wearable = await start()
    wearable.battery(SLEEP_DEAF)
    await wearable.body.until(lambda: wearable.body.signals or None, 10, "lamp")
    wearable.battery(FULL_MV)
    await wearable.press(10)
    woken = await wearable.started(2)
    assert (woken.reset, woken.wake) == ("deep_sleep", "button")


async def test_a_reset_is_a_failure_where_none_is_expected(start: Start) -> None:
    wearable = await start()
    wearable.battery(RESET)
    with pytest.raises(WearableFailed, match=r"(?s)ended with 3.*asks for a reset"):
        await wearable.shown("STORED")
    assert len(wearable.starts) == 1


async def test_a_reset_is_a_new_start_where_it_may_be(start: Start) -> None:
    wearable = await start(may_reset=True)
    wearable.battery(RESET)
    wearable.battery(FULL_MV)
    assert (await wearable.started(2)).reset == "soft"
    assert "asks for a reset" in wearable.body.log


async def test_last_words_are_heard_although_the_bench_speaks_to_who_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "body"
    body = await Body.listen(path, tmp_path / "log")
    try:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello 0.0.1\n")
        await body.until(lambda: body.version, 10, "hello")
        # All in one turn of the loop: the words lie there unread while the bench finds that nobody listens any more.
        with writer.get_extra_info("socket").dup() as wearable:
            wearable.send(b"log last words\n")
            wearable.shutdown(socket.SHUT_RDWR)
        body.set_battery(FULL_MV)
        await body.heard_out()
        assert body.log == ["last words"]
        writer.close()
    finally:
        await body.close()


async def test_the_watchdog_bites_a_program_that_does_not_feed_it(start: Start) -> None:
    wearable = await start()
    wearable.battery(STOP_FEEDING)
    wearable.battery(FULL_MV)
    bitten = await wearable.started(2)
    assert bitten.reset == "watchdog"
    assert bitten.at_s - wearable.starts[0].at_s >= 1.0
    await wearable.ready()


async def test_the_watchdog_bites_a_frozen_processor(start: Start) -> None:
    wearable = await start()
    wearable.freeze()
    assert (await wearable.started(2)).reset == "watchdog"
    await wearable.ready()


async def test_a_power_cut_takes_rtc_memory_and_leaves_flash(start: Start, tmp_path: Path) -> None:
    wearable = await start()
    flash = (tmp_path / "pendant-1.flash").read_bytes()
    await wearable.power_cut()
    assert not (tmp_path / "pendant-1.rtc").exists()
    await wearable.power_on()
    assert wearable.body.log == ["power_on none 0", "power_on none 0"]
    assert (tmp_path / "pendant-1.flash").read_bytes() == flash


async def test_a_power_cut_wakes_nobody(start: Start) -> None:
    wearable = await start()
    await wearable.power_cut()
    await wearable.press()
    assert len(wearable.starts) == 1


async def test_nothing_is_left_running_after_stop(start: Start) -> None:
    wearable = await start()
    process = wearable._life._process
    assert process is not None
    socket = wearable._socket
    await wearable.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    assert not socket.parent.exists()
    await wearable.stop()


async def test_it_ends_when_the_bench_is_gone(start: Start) -> None:
    wearable = await start()
    process = wearable._life._process
    assert process is not None
    await wearable.body.close()
    assert await asyncio.wait_for(process.wait(), 10) != 0
    with pytest.raises(WearableFailed, match="the interpreter ended with"):
        await wearable.shown("CLOSED")


async def test_a_flash_is_provisioned_once_and_needs_its_root_afterwards(start: Start, tmp_path: Path) -> None:
    root = b"test_only root 1"
    wearable = await start(root=root)
    await wearable.stop()
    with pytest.raises(WearableFailed, match="give its root"):
        await start()
    again = await start(root=root)
    assert again.handle == wearable.handle
    assert (tmp_path / "pendant-1.flash").stat().st_mode & 0o077 == 0
