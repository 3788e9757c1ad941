"""The gateway's own light and sound: what they say, when they stop, and that nothing they do holds anybody up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_daemon.config import Sign as Settings
from edge_daemon.sign import Sign

WITHIN_S = 20.0


@contextlib.asynccontextmanager
async def showing(sign: Sign) -> AsyncIterator[Sign]:
    running = asyncio.create_task(sign.run())
    try:
        yield sign
    finally:
        running.cancel()
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(running, return_exceptions=True)


def a_led(tmp_path: Path) -> Path:
    """What the kernel gives for a LED: files that are written to."""
    led = tmp_path / "led"
    led.mkdir()
    for name, value in (("trigger", "[mmc0] none timer"), ("brightness", "1"), ("max_brightness", "255")):
        (led / name).write_text(value)
    return led


async def _changes(led: Path, count: int) -> list[float]:
    """How long each brightness stays, in order, in seconds."""
    found: list[float] = []
    last, since_s = (led / "brightness").read_text(), time.monotonic()
    async with asyncio.timeout(WITHIN_S):
        while len(found) < count:
            await asyncio.sleep(0.005)
            now = (led / "brightness").read_text()
            if now and now != last:
                found.append(time.monotonic() - since_s)
                last, since_s = now, time.monotonic()
    return found


async def _until(true) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():
            await asyncio.sleep(0.01)


async def test_an_unanswered_emergency_and_an_absent_platform_blink_differently(tmp_path: Path) -> None:
    led = a_led(tmp_path)
    async with showing(Sign(Settings(led=str(led)))) as sign:
        await _until(lambda: (led / "trigger").read_text() == "none" and (led / "brightness").read_text() == "0")
        sign.no_platform(True)
        slow = await _changes(led, 3)
        sign.no_answer(True)
        assert sign.state == "no_answer", "an emergency before all else"
        await _changes(led, 2)
        fast = await _changes(led, 8)
        assert max(slow) > 4 * sorted(fast)[len(fast) // 2]
        assert (led / "brightness").read_text() in ("0", "255", "")
        sign.no_answer(False)
        assert sign.state == "no_platform"
        sign.no_platform(False)
        await asyncio.sleep(2.2)
        assert (led / "brightness").read_text() == "0"
        sign.no_answer(True)
        await _changes(led, 2)
    assert (led / "brightness").read_text() == "0", "dark when the gateway is stopped"


async def test_the_command_is_told_each_state_as_its_last_argument(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = ["/bin/sh", "-c", f'echo "$1" >> {said}', "sign"]
    async with showing(Sign(Settings(command=command))) as sign:
        for change, word in (
            (lambda: sign.no_platform(True), "no_platform"),
            (lambda: sign.no_answer(True), "no_answer"),
            (lambda: sign.no_answer(False), "no_platform"),
            (lambda: sign.no_platform(False), "ok"),
        ):
            change()
            await _until(lambda word=word: said.exists() and said.read_text().split()[-1:] == [word])
        assert said.read_text().split() == ["no_platform", "no_answer", "no_platform", "ok"]


async def test_a_sound_is_made_again_while_it_is_true_and_not_after(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = ["/bin/sh", "-c", f'echo "$1" >> {said}', "sign"]
    async with showing(Sign(Settings(command=command), again_s=0.1)) as sign:
        await asyncio.sleep(0.3)
        assert not said.exists(), "nothing is wrong: nothing is said"
        sign.no_answer(True)
        await _until(lambda: said.exists() and len(said.read_text().split()) >= 3)
        sign.no_answer(False)
        await _until(lambda: said.read_text().split()[-1] == "ok")
        count = len(said.read_text().split())
        await asyncio.sleep(0.4)
        assert len(said.read_text().split()) == count


async def test_a_command_that_hangs_is_killed_with_its_children_and_the_newest_state_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said, child = tmp_path / "said", tmp_path / "child"
    script = f'echo "$1" >> {said}; [ "$1" = ok ] && exit; sleep 600 & echo $! > {child}; wait'
    async with showing(Sign(Settings(command=["/bin/sh", "-c", script, "sign"]), killed_after_s=0.5)) as sign:
        sign.no_platform(True)
        await _until(lambda: child.exists() and child.read_text().strip() != "")
        for _ in range(5):
            sign.no_answer(True)
            sign.no_answer(False)
        sign.no_platform(False)
        await _until(lambda: said.read_text().split()[-1] == "ok")
        assert "command_killed" in [record.getMessage() for record in caplog.records]
        assert said.read_text().split() == ["no_platform", "ok"]
        await _until(lambda: not _lives(int(child.read_text())))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("command", [["/nowhere/at/all"], ["/bin/false"], [os.devnull]])
async def test_a_command_that_cannot_be_run_is_logged(command: list[str], caplog: pytest.LogCaptureFixture) -> None:
    async with showing(Sign(Settings(command=command))) as sign:
        sign.no_answer(True)
        await _until(lambda: "command_failed" in [record.getMessage() for record in caplog.records])


async def test_a_led_that_is_not_there_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with showing(Sign(Settings(led=str(tmp_path / "none")))) as sign:
        sign.no_answer(True)
        await asyncio.sleep(1.0)
        assert [record.getMessage() for record in caplog.records].count("led_failed") == 1


async def test_nothing_configured_does_nothing() -> None:
    sign = Sign(Settings())
    async with asyncio.timeout(WITHIN_S):
        await sign.run()
