"""More than one gateway, frames of others, the desk, and that the strangers are strangers: no code is shared."""

from __future__ import annotations

import ast
import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

from hil_tests.broker.mosquitto import Broker
from hil_tests.desk.process import DeskProcess
from hil_tests.independent import wire
from hil_tests.independent.home import ROOT_A, ROOT_B, WITHIN_S, Home, a_home
from hil_tests.independent.platform import Platform
from hil_tests.independent.wearable import Alarm, Wearable
from protocol import fragments, frame, keys, serial_link


async def _accepted(wearable: Wearable, platform: Platform, alarm: Alarm) -> None:
    await wearable.shows(alarm, "ACCEPTED", WITHIN_S)
    assert platform.events()[wearable.identity(alarm.number)] in ("accepted", "answered", "closed")


async def test_two_gateways_make_one_incident_and_both_get_the_news(
    tmp_path: Path, broker: Broker, platform: Platform
) -> None:
    async with AsyncExitStack() as stack:
        homes = [await stack.enter_async_context(a_home(tmp_path, broker, f"gw-two-{n}")) for n in (1, 2)]
        first, second = (home.wearable(ROOT_A) for home in homes)
        for home in homes:
            home.enrol(first)
            await home.start()
        alarm = first.press()
        await _accepted(first, platform, alarm)
        # The same sealed frame by the second gateway; its answers are for the same counter.
        heard = second.alarms[1] = Alarm(wire.SOS, 1, wire.HOLD, 0.0)
        second._questions.appendleft(0)
        second.write(first.sent[0])
        await second.shows(heard, "ACCEPTED", WITHIN_S)
        identity = first.identity(1)
        assert platform.reporters(identity) == {home.topic for home in homes}
        await platform.tell_news(identity, "closed")
        await first.shows(alarm, "CLOSED")
        await second.shows(heard, "CLOSED")
        assert platform.events() == {identity: "closed"}


async def test_a_strangers_press_is_answered_by_the_platform_that_has_its_key(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_B)
    await home.start()
    await home.connected()
    alarm = wearable.press()
    await _accepted(wearable, platform, alarm)
    assert alarm.shown[0] == "ACCEPTED"
    await platform.tell_news(wearable.identity(1), "closed")
    await wearable.shows(alarm, "CLOSED", WITHIN_S)


async def test_the_desk_understands_the_stranger_as_well(home: Home, broker: Broker, tmp_path: Path) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    broker.start()
    desk = await DeskProcess.start(tmp_path / "desk", broker.address)
    try:
        await home.start()
        alarm = wearable.press()
        await wearable.shows(alarm, "ACCEPTED", WITHIN_S)
        (incident,) = await desk.incidents()
        assert incident["event"] == wearable.identity(1)
        await desk.take(incident["event"], "op-1")
        await wearable.shows(alarm, "ANSWERED", WITHIN_S)
        await desk.close(incident["event"], "op-1")
        await wearable.shows(alarm, "CLOSED", WITHIN_S)
    finally:
        await desk.stop()


def test_the_strangers_share_no_code_with_us() -> None:
    for path in (Path(__file__).parent / "independent").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] not in ("protocol", "edge_daemon", "firmware", "tools"), (path.name, name)


async def test_the_stranger_refuses_forged_answers(home: Home) -> None:
    """The stranger itself: it lights nothing for what was not sealed for one of its last four questions."""
    wearable = home.wearable(ROOT_A)
    alarm = wearable.press()
    await asyncio.sleep(0)
    body = b"\x01\x00\x00\x01\x00"
    other = wire.Keys.of(ROOT_B)
    for sealed in (
        wire.seal_down(other, wire.ANSWER, 0, body),
        wire.seal_down(wearable.keys, wire.ANSWER, wearable.counter, body),
        wire.seal_down(wearable.keys, wire.ANSWER, 0, body[:4]),
    ):
        wearable._take(sealed)
    assert alarm.shown == []
    wearable._take(wire.seal_down(wearable.keys, wire.ANSWER, 0, body))
    assert alarm.shown == ["STORED"]


def test_both_seal_and_frame_the_same_bytes() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    theirs, ours = wire.Keys.of(ROOT_A), keys.derive(ROOT_A)
    assert (theirs.handle, theirs.up, theirs.down, theirs.id) == (ours.handle, ours.up, ours.down, ours.id)
    for size in [*range(40), frame.BODY_MAX - 1, frame.BODY_MAX]:
        counter, body = chance.randrange(1 << 32), chance.randbytes(size)
        sealed = wire.seal_up(theirs, wire.EVENT, counter, body)
        assert frame.UpOpener(ours.up).open(sealed, counter) == body
        down = bytearray(wire.seal_down(theirs, wire.ANSWER, counter, body))
        assert frame.DownOpener(ours.down).open(down, len(down), counter)
        assert bytes(down[frame.BODY_AT : -8]) == body
        assert len(fragments.split(sealed, 20)) == -(-len(sealed) // 19)


def test_both_stuff_and_unstuff_the_same_bytes() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    for size in [*range(17, 40), 240, *range(247, frame.FRAME_MAX + 1)]:
        for palette in (bytes(range(256)), b"\x00\x01", b"\xff", b"\x00"):
            sealed = bytes(chance.choice(palette) for _ in range(size))
            assert wire.FromLine().feed(serial_link.encode(sealed)) == [sealed]
            assert serial_link.Decoder().feed(wire.to_line(sealed)) == [sealed]
