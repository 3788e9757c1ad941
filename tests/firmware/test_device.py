"""The whole firmware in its process: what it answers, what it believes, how it sleeps, wakes and mends itself."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from protocol import codes, frame, messages, rolling
from tests.firmware.cable import Cable
from tests.firmware.stand_ins import RadioStandIn
from tools import image

ROOT = b"test_only root 3"
Start = Callable[..., Coroutine[Any, Any, WearableProcess]]
POWER_ON, SOFT, FAULT = 1, 5, 7


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory


@pytest.fixture
async def start(tmp_path: Path, staged: Path) -> AsyncIterator[Start]:
    started: list[WearableProcess] = []

    async def begin(**more: Any) -> WearableProcess:
        started.append(await WearableProcess.start(tmp_path, staged, root=ROOT, **more))
        return started[-1]

    yield begin
    for wearable in started:
        await wearable.stop()


@pytest.fixture
async def cabled(start: Start, tmp_path: Path) -> AsyncIterator[tuple[WearableProcess, Cable]]:
    line = SerialLine.lay(tmp_path)
    wearable = await start(serial=line.wearable, may_reset=True)
    cable = Cable(line, wearable)
    yield wearable, cable
    cable.close()
    await wearable.stop()
    line.close()


@pytest.fixture
def radio() -> Iterator[tuple[RadioStandIn, Path]]:
    with tempfile.TemporaryDirectory(prefix="pingan-") as name:
        path = Path(name) / "radio"
        stand_in = RadioStandIn(path)
        yield stand_in, path
        stand_in.close()


def answer(cable: Cable, stage: int, number: int, counter: int | None = None, reason: int = 0) -> bytes:
    return cable.say(codes.ANSWER, messages.pack_answer(stage, number, reason), counter)


async def held(wearable: WearableProcess, cable: Cable) -> messages.Event:
    await wearable.hold()
    return messages.Event(await cable.heard(codes.EVENT))


# ---- what it says of itself ----


async def test_the_first_thing_after_a_start_is_a_heartbeat(cabled: tuple[WearableProcess, Cable]) -> None:
    _, cable = cabled
    beat = messages.Heartbeat(await cable.heard(codes.HEARTBEAT))
    assert (beat.reset_cause, beat.open_alarms, beat.flash_failed, beat.protocol) == (POWER_ON, 0, False, 1)
    assert beat.battery_mv == 4100
    assert 80 <= beat.battery_percent <= 100
    assert 0 < beat.heap_free_low < 320 * 1024
    assert beat.uptime_s < 5


async def test_an_unanswered_heartbeat_is_tried_again_and_an_answered_one_is_not(
    cabled: tuple[WearableProcess, Cable],
) -> None:
    _, cable = cabled
    await cable.heard(codes.HEARTBEAT)
    await cable.heard(codes.HEARTBEAT, within_s=15)
    answer(cable, codes.HEARD, 0, cable.counters[-1])
    with pytest.raises(AssertionError, match="no frame"):
        await cable.heard(codes.HEARTBEAT, within_s=13)


async def test_a_fault_ends_in_a_restart_that_is_told_and_keeps_the_alarm(
    cabled: tuple[WearableProcess, Cable],
) -> None:
    wearable, cable = cabled
    await held(wearable, cable)
    # What the bench says is no number: the simulator board fails on it as a driver may fail on a broken chip.
    wearable.body._say("battery broken")
    assert (await wearable.started(2)).reset == "soft"
    event = messages.Event(await cable.heard(codes.EVENT))
    assert (event.number, event.detail) == (1, codes.HOLD)
    assert event.age_ms > 0, "power was there all the time"
    beat = messages.Heartbeat(await cable.heard(codes.HEARTBEAT))
    assert (beat.reset_cause, beat.open_alarms) == (FAULT, 1)


async def test_a_low_battery_is_an_event_of_its_own_and_hides_no_alarm(cabled: tuple[WearableProcess, Cable]) -> None:
    wearable, cable = cabled
    wearable.battery(3400)
    await wearable.power_cut()
    await wearable.power_on()
    low = messages.Event(await cable.heard(codes.EVENT))
    assert low.kind == 0x39
    sos = await held(wearable, cable)
    while sos.kind != codes.SOS:
        sos = messages.Event(await cable.heard(codes.EVENT))
    assert (sos.detail, sos.battery_percent) == (codes.HOLD, 0)


# ---- what it believes ----


async def test_each_stage_is_shown_and_none_falls(cabled: tuple[WearableProcess, Cable]) -> None:
    wearable, cable = cabled
    number = (await held(wearable, cable)).number
    for stage, name in ((codes.STORED, "STORED"), (codes.NO_PATH, "NO_PATH"), (codes.ACCEPTED, "ACCEPTED")):
        answer(cable, stage, number)
        await wearable.shown(name, number)
    seen = len(wearable.body.shown)
    for lower in (codes.STORED, codes.NO_PATH, codes.BUSY, codes.HEARD, 99):
        answer(cable, lower, number)
    answer(cable, codes.ANSWERED, number)
    await wearable.shown("ANSWERED", number)
    assert [shown.stage for shown in wearable.body.shown[seen:]] == ["ANSWERED"]
    answer(cable, codes.CLOSED, number)
    await wearable.shown("CLOSED", number)
    await wearable.shown("IDLE", 0)


async def test_what_is_forged_flipped_or_too_old_lights_nothing(cabled: tuple[WearableProcess, Cable]) -> None:
    wearable, cable = cabled
    number = (await held(wearable, cable)).number
    seen = len(wearable.body.shown)
    genuine = frame.DownSealer(wearable.keys.down).seal(
        codes.ANSWER, cable.counters[-1], b"test_onl", messages.pack_answer(codes.ACCEPTED, number, 0)
    )
    for bit in range(8 * len(genuine)):
        flipped = bytearray(genuine)
        flipped[bit // 8] ^= 1 << bit % 8
        cable.write(bytes(flipped))
    forged = frame.DownSealer(bytes(16)).seal(codes.ANSWER, cable.counters[-1], b"test_onl", bytes(5))
    cable.write(forged)
    old = cable.counters[-1]
    for _ in range(4):  # four more questions: repeats of the event
        await cable.heard(codes.EVENT, within_s=20)
    answer(cable, codes.ACCEPTED, number, counter=old)
    answer(cable, codes.STORED, number + 1)
    answer(cable, codes.STORED, number)
    await wearable.shown("STORED", number)
    assert [shown.stage for shown in wearable.body.shown[seen:]] == ["STORED"]


async def test_it_asks_until_it_is_closed_and_sends_again_what_a_gateway_does_not_have(
    cabled: tuple[WearableProcess, Cable],
) -> None:
    wearable, cable = cabled
    number = (await held(wearable, cable)).number
    answer(cable, codes.STORED, number)
    hello = messages.Hello(await cable.heard(codes.HELLO, within_s=5))
    while not hello.asks_state:
        hello = messages.Hello(await cable.heard(codes.HELLO, within_s=5))
    assert (hello.number, hello.stage, hello.open_alarms) == (number, codes.STORED, 1)
    answer(cable, codes.HEARD, number)
    again = messages.Event(await cable.heard(codes.EVENT, within_s=5))
    assert again.number == number
    assert wearable.showing is not None
    assert wearable.showing.stage == "STORED"


async def test_a_refusal_is_shown_and_ends_it(cabled: tuple[WearableProcess, Cable]) -> None:
    wearable, cable = cabled
    number = (await held(wearable, cable)).number
    answer(cable, codes.REFUSED, number, reason=codes.REASON_REVOKED)
    await wearable.shown("REFUSED", number)
    with pytest.raises(AssertionError, match="no frame"):
        await cable.heard(codes.EVENT, within_s=6)


# ---- what it does when it is asked ----


async def test_a_command_is_done_once_and_its_result_told_each_time(cabled: tuple[WearableProcess, Cable]) -> None:
    wearable, cable = cabled
    number = (await held(wearable, cable)).number
    answer(cable, codes.ACCEPTED, number)
    await wearable.shown("ACCEPTED", number)
    seen = len(wearable.body.shown)
    for _ in range(3):
        cable.say(codes.COMMAND, messages.pack_command(513, codes.COMMAND_LOCATE, b"\x02"))
        result = messages.Result(await cable.heard(codes.RESULT))
        assert (result.id, result.status) == (513, codes.RESULT_DONE)
    await wearable.shown("ACCEPTED", number, since=seen)
    assert [shown.stage for shown in wearable.body.shown[seen:]] == ["LOCATING", "ACCEPTED"]
    cable.say(codes.COMMAND, messages.pack_command(514, 77))
    assert messages.Result(await cable.heard(codes.RESULT)).status == codes.RESULT_UNKNOWN
    cable.say(codes.COMMAND, messages.pack_command(515, codes.COMMAND_HEARTBEAT))
    assert messages.Heartbeat(await cable.heard(codes.HEARTBEAT)).open_alarms == 1
    assert messages.Result(await cable.heard(codes.RESULT)).id == 515


# ---- sleep, dead flash, no identity ----


def opened(stand_in: RadioStandIn, wearable: WearableProcess) -> list[tuple[int, messages.Event]]:
    """The events on the air as (counter, event); a counter stands for one body only."""
    ids, opener = rolling.RollingIds(wearable.keys.id), frame.UpOpener(wearable.keys.up)
    found: dict[int, bytes] = {}
    for sealed in stand_in.frames:
        counter = ids.find(frame.rolling_id(sealed), 0, 200_000)
        assert found.setdefault(counter, sealed) == sealed
    return [
        (counter, messages.Event(opener.open(sealed, counter)))
        for counter, sealed in found.items()
        if frame.parse_head(sealed) == codes.EVENT
    ]


@pytest.mark.timeout(300)
async def test_an_alarm_that_nobody_hears_goes_on_through_deep_sleep(
    start: Start, radio: tuple[RadioStandIn, Path]
) -> None:
    stand_in, path = radio
    wearable = await start(radio_socket=path)
    await wearable.hold()
    await wearable.shown("NO_PATH", 1, within_s=40)
    await wearable.asleep(within_s=60)
    assert (await wearable.started(2, within_s=60)).wake == "timer"
    await wearable.ready()
    await wearable.asleep(within_s=60)
    events = opened(stand_in, wearable)
    counters = [counter for counter, _ in events]
    assert counters == sorted(counters)
    assert {(event.number, event.detail) for _, event in events} == {(1, codes.HOLD)}
    ages_s = [event.age_ms / 1000 for _, event in events]
    assert ages_s == sorted(ages_s)
    # 1, 2, 4, 8, 16, 30, 30 s between bursts, over sleeping and waking; a start takes some tenths.
    assert max(later - earlier for earlier, later in pairwise(ages_s)) < 33
    no_paths = [shown.at_s for shown in wearable.body.shown if shown.stage == "NO_PATH"]
    assert no_paths


async def test_a_radio_that_dies_is_started_anew_and_the_alarm_goes_out(
    start: Start, radio: tuple[RadioStandIn, Path]
) -> None:
    stand_in, path = radio
    wearable = await start(radio_socket=path)
    stand_in.fail()
    await wearable.hold()
    await wearable.shown("PRESSED", 1)
    async with asyncio.timeout(40):
        while not (events := opened(stand_in, wearable)):
            await asyncio.sleep(0.1)
    assert events[0][1].number == 1


@pytest.mark.timeout(200)
async def test_keys_and_alarms_outlive_dead_flash_as_long_as_power_lasts(
    start: Start, tmp_path: Path, radio: tuple[RadioStandIn, Path]
) -> None:
    stand_in, path = radio
    wearable = await start(radio_socket=path)
    await wearable.asleep(within_s=90)
    flash = tmp_path / "pendant-1.flash"
    rubbish = b"\x5a" * flash.stat().st_size
    flash.write_bytes(rubbish)
    used = [counter for counter, _ in opened(stand_in, wearable)]
    await wearable.hold()
    assert (await wearable.started(2)).wake == "button"
    await wearable.shown("PRESSED", 1)
    await wearable.shown("NO_PATH", 1, within_s=40)
    events = opened(stand_in, wearable)
    assert {(event.kind, event.number) for _, event in events} == {(codes.SOS, 1)}
    assert not used or events[0][0] > max(used)
    assert flash.read_bytes() == rubbish, "it was written to"


async def test_without_identity_a_press_is_answered_by_no_path(start: Start, tmp_path: Path) -> None:
    wearable = await start()
    await wearable.power_cut()
    (tmp_path / "pendant-1.flash").write_bytes(b"\xff" * 64 * 4096)
    await wearable.power_on()
    since = len(wearable.body.shown)
    await wearable.press()
    assert (await wearable.shown("NO_PATH", since=since)).number == 0
    assert "not provisioned" in wearable.body.log
