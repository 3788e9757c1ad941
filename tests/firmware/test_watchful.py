"""What a wearable lives by and what it is asked, on the whole firmware in its process: settings, prompts, the time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from protocol import box, codes, messages
from protocol.settings import Fence, Settings
from protocol.watchful import pack_prompt, pack_taken, pack_time, parts
from tests.firmware.cable import Cable
from tools import image
from tools.demo.watch import Watch

ROOT = b"test_only root 6"
DONE, UNKNOWN, FAILED = codes.RESULT_DONE, codes.RESULT_UNKNOWN, codes.RESULT_FAILED


class Bench:
    """A wearable on a cable; commands have ids of their own."""

    def __init__(self, wearable: WearableProcess, cable: Cable) -> None:
        self.wearable, self.cable, self._id = wearable, cable, 900

    async def command(self, code: int, args: bytes = b"") -> messages.Result:
        """Say it, wait for its result."""
        self._id += 1
        self.cable.say(codes.COMMAND, messages.pack_command(self._id, code, args))
        result = messages.Result(await self.cable.heard(codes.RESULT))
        assert result.id == self._id
        return result

    async def settle(self, version: int, settings: Settings, *, key: bytes | None = None, leave_out: int = -1) -> int:
        """Hand settings down, part by part; returns the last result."""
        sealed = box.seal(key or self.wearable.keys.trail, box.SETTINGS, version, os.urandom(8), settings.pack())
        status = FAILED
        for index, args in enumerate(parts(version, sealed)):
            if index != leave_out:
                status = (await self.command(codes.COMMAND_SETTINGS, args)).status
        return status

    async def beat(self) -> messages.Heartbeat:
        """A heartbeat, asked for."""
        self.cable.say(codes.COMMAND, messages.pack_command(self._id + 1, codes.COMMAND_HEARTBEAT))
        self._id += 1
        found = messages.Heartbeat(await self.cable.heard(codes.HEARTBEAT))
        assert messages.Result(await self.cable.heard(codes.RESULT)).id == self._id
        return found

    async def event(self, within_s: float = 10.0) -> messages.Event:
        """The next event said."""
        return messages.Event(await self.cable.heard(codes.EVENT, within_s))

    async def answered(self, stage: int, number: int) -> None:
        """Say so, and wait for the light."""
        since = len(self.wearable.body.shown)
        self.cable.say(codes.ANSWER, messages.pack_answer(stage, number, 0))
        await self.wearable.shown(NAMES[stage], number, since=since)


NAMES = {
    codes.STORED: "STORED",
    codes.ACCEPTED: "ACCEPTED",
    codes.ANSWERED: "ANSWERED",
    codes.CLOSED: "CLOSED",
    codes.NO_PATH: "NO_PATH",
    codes.BUSY: "BUSY",
    codes.REFUSED: "REFUSED",
}
Start = Callable[..., Coroutine[Any, Any, Bench]]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory


@pytest.fixture
async def start(tmp_path: Path, staged: Path) -> AsyncIterator[Start]:
    line = SerialLine.lay(tmp_path)
    benches: list[Bench] = []

    async def begin(heap: str = "320k", **environment: str) -> Bench:
        wearable = await WearableProcess.start(
            tmp_path, staged, root=ROOT, serial=line.wearable, may_reset=True, heap=heap, environment=environment
        )
        benches.append(Bench(wearable, Cable(line, wearable)))
        await benches[-1].cable.heard(codes.HEARTBEAT)
        # It has come: else it is said twice more, in the middle of what a test asks for.
        benches[-1].cable.say(codes.ANSWER, messages.pack_answer(codes.HEARD, 0, 0))
        return benches[-1]

    yield begin
    for bench in benches:
        bench.cable.close()
        await bench.wearable.stop()
    line.close()


def living(kind: int, *, fences: int = 0) -> Settings:
    settings = Settings()
    settings.short_press = kind
    settings.fences = [Fence(number, 0x30, 31_230_000, 121_470_000, 200) for number in range(1, fences + 1)]
    return settings


# ---- settings ----


async def test_settings_come_in_parts_are_lived_by_at_once_and_outlive_a_power_cut(start: Start) -> None:
    bench = await start()
    assert (await bench.beat()).settings == -1
    assert await bench.settle(4, living(codes.SERVICE_CALL_ME, fences=15)) == DONE
    assert (await bench.beat()).settings == 4
    await bench.wearable.power_cut()
    await bench.wearable.power_on()
    assert messages.Heartbeat(await bench.cable.heard(codes.HEARTBEAT)).settings == 4
    await bench.wearable.press()
    assert (await bench.event()).kind == codes.SERVICE_CALL_ME


async def test_what_is_older_forged_cut_or_not_all_there_changes_nothing(start: Start) -> None:
    bench = await start()
    many = living(codes.SERVICE_CARE, fences=15)
    assert len(parts(1, many.pack())) > 1
    assert await bench.settle(5, many, key=bytes(16)) == FAILED
    assert await bench.settle(5, many, leave_out=0) == FAILED
    assert (await bench.beat()).settings == -1
    assert await bench.settle(5, many) == DONE
    assert await bench.settle(5, living(codes.SOS)) == DONE, "it lives by that version already"
    assert await bench.settle(4, living(codes.SOS)) == FAILED
    assert (await bench.command(codes.COMMAND_SETTINGS, b"\0\0\0\x09\x02\x02")).status == FAILED
    assert (await bench.command(codes.COMMAND_SETTINGS, b"")).status == FAILED
    assert (await bench.beat()).settings == 5
    await bench.wearable.press()
    assert (await bench.event()).kind == codes.SERVICE_CARE


async def test_a_box_that_says_another_version_than_its_parts_is_not_taken(start: Start) -> None:
    """A gateway may not hold an old box out as a new one."""
    bench = await start()
    sealed = box.seal(bench.wearable.keys.trail, box.SETTINGS, 3, bytes(8), living(codes.SERVICE_CARE).pack())
    for args in parts(9, sealed):
        assert (await bench.command(codes.COMMAND_SETTINGS, args)).status == FAILED
    trail = box.seal(bench.wearable.keys.trail, box.TRAIL, 9, bytes(8), living(codes.SERVICE_CARE).pack())
    for args in parts(9, trail):
        assert (await bench.command(codes.COMMAND_SETTINGS, args)).status == FAILED
    assert (await bench.beat()).settings == -1


# ---- services ----


async def test_a_service_is_shown_stage_by_stage_and_each_is_an_event_of_its_own(start: Start) -> None:
    bench = await start()
    await bench.settle(1, living(codes.SERVICE_HOUSEHOLD))
    await bench.wearable.press()
    event = await bench.event()
    assert (event.kind, event.detail) == (codes.SERVICE_HOUSEHOLD, 0)
    for stage in (codes.NO_PATH, codes.STORED, codes.BUSY, codes.ACCEPTED, codes.ANSWERED, codes.CLOSED):
        await bench.answered(stage, event.number)
    await bench.wearable.shown("IDLE", 0)
    await bench.wearable.press()
    again = await bench.event()
    assert (again.kind, again.number) == (codes.SERVICE_HOUSEHOLD, event.number + 1)
    await bench.answered(codes.REFUSED, again.number)


async def test_an_emergency_has_the_light_before_any_service(start: Start) -> None:
    bench = await start()
    await bench.settle(1, living(codes.SERVICE_HOUSEHOLD))
    await bench.wearable.press()
    service = (await bench.event()).number
    await bench.answered(codes.STORED, service)
    await bench.wearable.hold()
    sos = await bench.event()
    assert sos.kind == codes.SOS
    await bench.answered(codes.STORED, sos.number)
    seen = len(bench.wearable.body.shown)
    bench.cable.say(codes.ANSWER, messages.pack_answer(codes.ANSWERED, service, 0))
    await bench.answered(codes.CLOSED, sos.number)
    await bench.wearable.shown("ANSWERED", service, since=seen)
    assert [shown.stage for shown in bench.wearable.body.shown[seen:]] == ["CLOSED", "ANSWERED"]


# ---- questions ----


def asked(number: int, kind: int, within_s: int = 600) -> bytes:
    return pack_prompt(number, kind, within_s, 0)


async def test_a_question_is_shown_and_a_short_press_answers_it(start: Start) -> None:
    bench = await start()
    for kind in (codes.PROMPT_MEDICINE, codes.PROMPT_LOOK, codes.PROMPT_CHECKIN):
        since = len(bench.wearable.body.shown)
        result = await bench.command(codes.COMMAND_PROMPT, asked(kind, kind))
        assert (result.status, result.more) == (DONE, bytes([codes.WORN_UNKNOWN]))
        await bench.wearable.shown("PROMPTED", 0, since=since)
        await bench.wearable.press()
        event = await bench.event()
        assert (event.kind, event.detail) == (codes.CHECKIN_ANSWERED, kind)
        await bench.answered(codes.STORED, event.number)
        await bench.answered(codes.ACCEPTED, event.number)
    await bench.wearable.shown("IDLE", 0, within_s=20)
    assert (await bench.beat()).open_alarms == 0, "nothing more is to come of an answer that the platform has"


async def test_a_hold_is_an_sos_though_something_is_asked_and_then_nothing_is(start: Start) -> None:
    bench = await start()
    assert (await bench.command(codes.COMMAND_PROMPT, asked(1, codes.PROMPT_CHECKIN))).status == DONE
    await bench.wearable.shown("PROMPTED", 0)
    await bench.wearable.hold()
    assert (await bench.event()).kind == codes.SOS
    assert (await bench.command(codes.COMMAND_PROMPT, asked(2, codes.PROMPT_CHECKIN))).status == FAILED
    assert (await bench.command(codes.COMMAND_PROMPT, asked(2, codes.PROMPT_NONE))).status == DONE
    assert (await bench.command(codes.COMMAND_PROMPT, b"\0\0\x01\0\x09")).status == FAILED


async def test_a_question_of_a_later_protocol_is_not_asked(start: Start) -> None:
    bench = await start()
    for kind in (codes.PROMPT_LOOK + 1, 255):
        assert (await bench.command(codes.COMMAND_PROMPT, asked(kind, kind))).status == FAILED
    assert (await bench.command(codes.COMMAND_PROMPT, asked(1, codes.PROMPT_LOOK))).status == DONE


async def test_what_is_withdrawn_or_over_is_asked_no_more(start: Start) -> None:
    bench = await start()
    await bench.command(codes.COMMAND_PROMPT, asked(1, codes.PROMPT_CHECKIN))
    await bench.wearable.shown("PROMPTED", 0)
    assert (await bench.command(codes.COMMAND_PROMPT, asked(1, codes.PROMPT_NONE))).status == DONE
    await bench.wearable.shown("IDLE", 0)
    await bench.command(codes.COMMAND_PROMPT, asked(2, codes.PROMPT_LOOK, within_s=3))
    since = len(bench.wearable.body.shown)
    await bench.wearable.shown("IDLE", 0, since=since)
    await bench.wearable.press()
    await bench.wearable.shown("COUNTING", since=since)


# ---- the time, and what belongs to parts ----


async def test_the_time_is_wanted_where_there_is_a_screen_until_it_is_told(start: Start) -> None:
    bench = await start("1m", PINGAN_PARTS="display,touch")
    assert (await bench.beat()).wants_time
    assert (await bench.command(codes.COMMAND_TIME, b"\0\0\0\0")).status == FAILED
    assert (await bench.command(codes.COMMAND_TIME, pack_time(1_795_824_000, 480))).status == DONE
    assert not (await bench.beat()).wants_time


async def test_a_watch_whose_memory_is_too_small_for_its_screen_is_a_pendant_that_works(start: Start) -> None:
    bench = await start("280k", PINGAN_PARTS="display,touch")
    assert await bench.settle(3, living(codes.SERVICE_CARE, fences=15)) == DONE
    assert any("part screen " in line for line in bench.wearable.body.log), "it is out"
    assert (await bench.beat()).parts_out == ["screen"]
    await bench.wearable.hold()
    assert (await bench.event()).kind == codes.SOS


async def test_a_part_that_fails_is_told_at_once_and_hurts_no_alarm(start: Start, tmp_path: Path) -> None:
    glass = tmp_path / "glass"
    glass.mkdir()
    parts_there = "display,touch,accelerometer"
    bench = await start("1m", PINGAN_PARTS=parts_there, PINGAN_PROFILE="watch", PINGAN_SCREEN=str(glass / "screen"))
    await Watch(bench.wearable, glass / "screen").lit()
    assert (await bench.beat()).parts_out == []
    for file in glass.iterdir():
        file.unlink()
    glass.rmdir()
    bench.wearable.body.touch(200, 200)
    # The next one would come in half an hour.
    assert messages.Heartbeat(await bench.cable.heard(codes.HEARTBEAT)).parts_out == ["screen"]
    bench.cable.say(codes.ANSWER, messages.pack_answer(codes.HEARD, 0, 0))
    await bench.wearable.hold()
    assert (await bench.event()).kind == codes.SOS
    assert (await bench.beat()).parts_out == ["screen"]


async def test_a_pendant_wants_no_time_and_takes_no_harm_from_what_is_meant_for_a_watch(start: Start) -> None:
    bench = await start()
    assert not (await bench.beat()).wants_time
    assert (await bench.command(codes.COMMAND_TIME, pack_time(1_795_824_000, 480))).status == DONE
    bench.cable.say(codes.TAKEN, pack_taken(7))
    bench.cable.say(codes.TAKEN, b"\0")
    assert (await bench.command(99)).status == UNKNOWN
