"""Test mode on the whole firmware in its process: what is a test, what stays an alarm, what is told, how it ends."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from protocol import codes, frame, messages
from tests.firmware.cable import Cable
from tests.firmware.stand_ins import RadioStandIn
from tools import image

ROOT = b"test_only root 5"
LONG = b"\x03\x84"
END = b"\x00\x00"


class Bench:
    """A wearable on a cable; commands have ids of their own."""

    def __init__(self, wearable: WearableProcess, cable: Cable) -> None:
        self.wearable, self.cable, self._id = wearable, cable, 700

    async def test(self, args: bytes, *, again: bool = False) -> tuple[int, messages.Tested]:
        """Arm or end; returns the result and what it tells of the newest test."""
        self._id += 0 if again else 1
        self.cable.say(codes.COMMAND, messages.pack_command(self._id, codes.COMMAND_TEST, args))
        result = messages.Result(await self.cable.heard(codes.RESULT))
        assert result.id == self._id
        return result.status, messages.Tested(result.more)

    async def event(self, kind: int, number: int, within_s: float = 10.0) -> messages.Event:
        """The next event of this kind and number."""
        while True:
            event = messages.Event(await self.cable.heard(codes.EVENT, within_s))
            if (event.kind, event.number) == (kind, number):
                return event

    async def answered(self, stage: int, number: int) -> None:
        """Say so, and wait for the light."""
        self.cable.say(codes.ANSWER, messages.pack_answer(stage, number, 0))
        names = {codes.STORED: "STORED", codes.ACCEPTED: "ACCEPTED", codes.ANSWERED: "ANSWERED", codes.CLOSED: "CLOSED"}
        await self.wearable.shown(names[stage], number)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory


@pytest.fixture
async def bench(tmp_path: Path, staged: Path) -> AsyncIterator[Bench]:
    line = SerialLine.lay(tmp_path)
    wearable = await WearableProcess.start(tmp_path, staged, root=ROOT, serial=line.wearable, may_reset=True)
    cable = Cable(line, wearable)
    await cable.heard(codes.HEARTBEAT)
    yield Bench(wearable, cable)
    cable.close()
    await wearable.stop()
    line.close()


async def test_a_short_press_is_a_test_at_once_and_its_wearer_sees_the_whole_way(bench: Bench) -> None:
    status, told = await bench.test(LONG)
    assert (status, told.number, told.shown, told.took_ms) == (codes.RESULT_DONE, 0, codes.HEARD, -1)
    await bench.wearable.shown("ARMED", 0)
    await bench.wearable.press()
    event = await bench.event(codes.TEST_BY_HAND, 1)
    assert event.detail == 0 and event.age_ms < 1000
    for stage in (codes.STORED, codes.ACCEPTED, codes.ANSWERED, codes.CLOSED):
        await bench.answered(stage, 1)
    await bench.wearable.shown("ARMED", 0, since=len(bench.wearable.body.shown) - 1)
    assert "COUNTING" not in [shown.stage for shown in bench.wearable.body.shown]
    status, told = await bench.test(END)
    assert (status, told.number, told.shown) == (codes.RESULT_DONE, 1, codes.CLOSED)
    assert 0 <= told.took_ms < 3000
    await bench.wearable.shown("IDLE", 0)
    await bench.wearable.press()
    await bench.wearable.shown("COUNTING", 2)


async def test_what_was_not_shown_is_not_told_as_seen(bench: Bench) -> None:
    await bench.test(LONG)
    await bench.wearable.press()
    await bench.event(codes.TEST_BY_HAND, 1)
    status, told = await bench.test(LONG)
    assert (status, told.number, told.shown, told.took_ms) == (codes.RESULT_DONE, 1, codes.HEARD, -1)
    await bench.answered(codes.STORED, 1)
    await asyncio.sleep(1)  # its pattern of 0.7 s
    assert (await bench.test(LONG))[1].shown == codes.STORED


async def test_a_hold_is_a_real_sos_and_ends_test_mode(bench: Bench) -> None:
    await bench.test(LONG)
    await bench.wearable.press()
    await bench.event(codes.TEST_BY_HAND, 1)
    await bench.wearable.hold()
    event = await bench.event(codes.SOS, 2)
    assert event.detail == codes.HOLD
    assert (await bench.test(LONG))[0] == codes.RESULT_FAILED, "not while a real alarm is open"
    await asyncio.sleep(1.5)
    await bench.wearable.press()
    await bench.wearable.shown("COUNTING", 3)
    with pytest.raises(AssertionError, match="no frame"):
        await bench.event(codes.TEST_BY_HAND, 1, within_s=5)


async def test_three_presses_in_a_row_are_a_real_sos(bench: Bench) -> None:
    await bench.test(LONG)
    for _ in range(3):
        await bench.wearable.press()
        await asyncio.sleep(0.15)
    event = await bench.event(codes.SOS, 2)
    assert (event.detail, event.age_ms < 1500) == (codes.PRESS, True)


async def test_an_sos_that_counts_is_not_made_a_test(bench: Bench) -> None:
    await bench.wearable.press()
    await bench.wearable.shown("COUNTING", 1)
    assert (await bench.test(LONG))[0] == codes.RESULT_FAILED
    event = await bench.event(codes.SOS, 1, within_s=15)
    assert event.detail == codes.PRESS


async def test_a_press_begun_before_it_is_armed_is_an_sos_though_it_ends_after(bench: Bench) -> None:
    bench.wearable.down()
    await bench.wearable.shown("PRESSED", 1)
    status, _ = await bench.test(LONG)
    bench.wearable.up()
    assert status == codes.RESULT_FAILED
    await bench.wearable.shown("COUNTING", 1)


async def test_a_restart_in_the_middle_ends_it_and_forgets_its_tests_but_no_press_that_was_under_way(
    bench: Bench,
) -> None:
    await bench.test(LONG)
    await bench.wearable.press()
    await bench.event(codes.TEST_BY_HAND, 1)
    await asyncio.sleep(1.2)
    bench.wearable.down()
    await bench.wearable.shown("PRESSED", 2)
    await bench.wearable.power_cut()
    bench.wearable.up()
    await bench.wearable.power_on()
    event = messages.Event(await bench.cable.heard(codes.EVENT))
    assert (event.kind, event.number, event.detail) == (codes.SOS, 2, codes.PRESS)


async def test_it_runs_out_and_a_command_that_comes_twice_does_not_prolong_it(bench: Bench) -> None:
    await bench.test(b"\x00\x02")
    await asyncio.sleep(1)
    await bench.test(b"\x00\x02", again=True)
    since = len(bench.wearable.body.shown)
    await bench.wearable.shown("IDLE", 0, within_s=1.8, since=since)
    await bench.wearable.press()
    await bench.wearable.shown("COUNTING", 1)


async def test_a_cancel_is_practised_as_a_test_of_its_own(bench: Bench) -> None:
    await bench.test(LONG + bytes([codes.TEST_CANCELS]))
    await bench.wearable.press()
    await bench.event(codes.TEST_BY_HAND, 1)
    await bench.answered(codes.STORED, 1)
    await asyncio.sleep(1.5)
    for _ in range(3):
        await bench.wearable.press()
        await asyncio.sleep(0.15)
    await bench.wearable.shown("CANCELLED", 1)
    event = await bench.event(codes.TEST_BY_HAND, 2)
    assert event.detail == 1
    status, told = await bench.test(END)
    assert (status, told.number) == (codes.RESULT_DONE, 1)


async def test_it_can_be_spoken_to_while_it_is_armed(bench: Bench) -> None:
    await bench.test(LONG)
    for _ in range(2):
        await bench.cable.heard(codes.HELLO, within_s=32)


@pytest.mark.timeout(200)
async def test_put_into_its_cradle_it_calls_for_a_visit_though_it_slept(tmp_path: Path, staged: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pingan-") as name:
        stand_in = RadioStandIn(Path(name) / "radio")
        wearable = await WearableProcess.start(tmp_path, staged, root=ROOT, radio_socket=Path(name) / "radio")
        await wearable.asleep(within_s=90)
        before = len(stand_in.frames)
        wearable.usb(present=True)
        async with asyncio.timeout(20):
            while len(stand_in.frames) == before:
                await asyncio.sleep(0.1)
        await wearable.stop()
        stand_in.close()
    assert frame.parse_head(stand_in.frames[-1]) == codes.HELLO
