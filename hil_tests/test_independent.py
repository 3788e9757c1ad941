"""A wearable and a platform written from the specifications alone, against the real daemon, broker and desk.

Serial lines only; the daemon is the process that is installed, its Bluetooth off.
"""

from __future__ import annotations

import ast
import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from hil_tests.child import Child
from hil_tests.desk.process import DeskProcess
from hil_tests.independent import wire
from hil_tests.independent.platform import Platform
from hil_tests.independent.wearable import Alarm, Wearable
from hil_tests.wearable.serial_line import Faults, SerialLine
from protocol import fragments, frame, keys, serial_link

ROOT_A, ROOT_B = b"test_only_root_x", b"test_only_root_y"
WITHIN_S = 30.0

_CONFIG = """\
[gateway]
id = "{name}"
area = "bench"
state_dir = "{place}/state"
log_level = "DEBUG"
[wearables]
key_file = "{place}/wearables.json"
[ble]
enabled = false
[serial]
ports = ["{place}/line*/ttyGateway"]
rescan_s = 0.1
[platform]
host = "127.0.0.1"
port = {port}
tls = false
reconnect_most_s = 1.0
[forwarder]
answer_within_s = 2.0
fast_s = 2.0
"""


class Home:
    """A gateway with lines to wearables; `started` before any line is used."""

    def __init__(self, directory: Path, name: str, port: int) -> None:
        self.place = directory / name
        self.place.mkdir(mode=0o700)
        self.topic = f"pingan/v1/bench/{name}"
        self._lines: list[SerialLine] = []
        self._wearables: list[Wearable] = []
        self._child: Child | None = None
        (self.place / "gateway.toml").write_text(_CONFIG.format(name=name, place=self.place, port=port))
        self.enrol()

    def disturb(self, faults: Faults) -> None:
        """Let every line do this to its bytes."""
        for line in self._lines:
            line.faults = faults

    def wearable(self, root: bytes, counter: int = 0, seed: int = 0) -> Wearable:
        """A wearable on a line of its own."""
        place = self.place / f"line{len(self._lines)}"
        place.mkdir()
        line = SerialLine.lay(place, seed)
        self._lines.append(line)
        wearable = Wearable(root, line.wearable, counter)
        self._wearables.append(wearable)
        return wearable

    def enrol(self, *wearables: Wearable) -> None:
        """Write the key file."""
        file = self.place / "wearables.json"
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(json.dumps({"v": 1, "wearables": [wearable.registry_row() for wearable in wearables]}))

    async def start(self) -> None:
        """Start the daemon and wait until every line is open."""
        command = [sys.executable, "-m", "edge_daemon", "--config", str(self.place / "gateway.toml")]
        child = self._child = await Child.start("gateway", command, self.place)
        for line in self._lines:
            await child.said(lambda said, path=line.gateway: "serial_opened" in said and path in said, WITHIN_S)  # type: ignore[misc]

    async def connected(self) -> None:
        """Wait for its broker."""
        assert self._child is not None
        await self._child.said(lambda said: "uplink_connected" in said, WITHIN_S)

    def counted(self, platform: Platform, name: str) -> int:
        """A counter of its newest heartbeat."""
        beats = [message for topic, message in platform.received if topic == f"{self.topic}/up/heartbeat"]
        return int(beats[-1]["counters"].get(name, 0)) if beats else 0

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._child is not None
        await self._child.kill()

    async def close(self) -> None:
        """Take everything away."""
        for wearable in self._wearables:
            await wearable.close()
        if self._child is not None:
            await self._child.stop()
        for line in self._lines:
            line.close()


@asynccontextmanager
async def a_home(directory: Path, broker: Broker, name: str = "gw-ind-1") -> AsyncIterator[Home]:
    home = Home(directory, name, broker.port)
    try:
        yield home
    finally:
        await home.close()


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Not started: some tests begin without it."""
    broker = Broker(tmp_path / "broker")
    yield broker
    broker.close()


@pytest.fixture
async def home(tmp_path: Path, broker: Broker) -> AsyncIterator[Home]:
    async with a_home(tmp_path, broker) as home:
        yield home


@pytest.fixture
async def platform(tmp_path: Path, broker: Broker) -> AsyncIterator[Platform]:
    """Connected; at the end nothing that came was against the contract."""
    broker.start()
    platform = Platform(tmp_path / "platform", (ROOT_B,))
    async with platform.connected(broker.host, broker.port):
        yield platform
    assert platform.violations == []


async def _accepted(wearable: Wearable, platform: Platform, alarm: Alarm) -> None:
    await wearable.shows(alarm, "ACCEPTED", WITHIN_S)
    assert platform.events()[wearable.identity(alarm.number)] in ("accepted", "answered", "closed")


async def test_a_press_goes_all_the_way_and_every_stage_comes_back(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    alarm = wearable.press()
    identity = wearable.identity(1)
    await _accepted(wearable, platform, alarm)
    await platform.tell_news(identity, "answered")
    await wearable.shows(alarm, "ANSWERED")
    await platform.tell_news(identity, "closed")
    await wearable.shows(alarm, "CLOSED")
    assert alarm.shown == ["STORED", "ACCEPTED", "ANSWERED", "CLOSED"]
    assert platform.events() == {identity: "closed"}
    event = platform.first(identity)
    assert (event["kind"], event["detail"], event["number"], event["link"]) == ("sos", "hold", 1, "serial")
    assert (event["age_quality"], event["battery_percent"], event["late"]) == ("exact", 78, False)


async def test_without_a_broker_it_is_stored_and_no_path_is_said(home: Home, broker: Broker, tmp_path: Path) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    alarm = wearable.press()
    await wearable.shows(alarm, "STORED")
    await wearable.shows(alarm, "NO_PATH", WITHIN_S)
    broker.start()
    platform = Platform(tmp_path / "platform")
    async with platform.connected(broker.host, broker.port):
        await _accepted(wearable, platform, alarm)
    assert alarm.shown == ["STORED", "NO_PATH", "ACCEPTED"]
    assert platform.violations == []


async def test_a_daemon_killed_after_storing_loses_nothing(home: Home, broker: Broker, tmp_path: Path) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    alarm = wearable.press()
    await wearable.shows(alarm, "STORED")
    await home.kill()
    broker.start()
    platform = Platform(tmp_path / "platform")
    async with platform.connected(broker.host, broker.port):
        await home.start()
        await _accepted(wearable, platform, alarm)
    assert list(platform.events()) == [wearable.identity(1)]


async def test_news_missed_by_a_dead_gateway_come_when_it_lives_again(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    alarm = wearable.press()
    await _accepted(wearable, platform, alarm)
    await home.kill()
    await platform.tell_news(wearable.identity(1), "closed")
    await home.start()
    await wearable.shows(alarm, "CLOSED", WITHIN_S)


async def test_a_heartbeat_is_heard_and_passed_on(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    await home.connected()
    assert await wearable.beat()
    await platform.until(lambda: platform.rows("telemetry", "wearables") != [])
    (row,) = platform.rows("telemetry", "wearables")[:1]
    assert (row["wearable"], row["battery_mv"], row["firmware"], row["reset_cause"]) == (
        wearable.handle,
        2950,
        "9.8.7",
        1,
    )
    assert row["heap_free_low_bytes"] == 0xA028


async def test_a_command_is_done_once_though_its_first_result_is_lost(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    await home.connected()
    wearable.drop_results = 1
    await platform.command(home.topic, command="c-1", name="locate", wearable=wearable.handle, args={"seconds": 5})
    await platform.command(home.topic, command="c-2", name="dance", wearable=wearable.handle)
    await platform.command(home.topic, command="c-3", name="locate", wearable="00" * 8)
    await platform.until(lambda: bool(platform.results("c-1") and platform.results("c-2") and platform.results("c-3")))
    assert platform.results("c-1") == [("queued", None)]
    assert platform.results("c-2") == [("refused", "unknown_command")]
    assert platform.results("c-3") == [("refused", "unknown_wearable")]
    await wearable.beat()
    await wearable.until(lambda: len(wearable.commands_done) == 1, WITHIN_S)
    # The gateway hands a command over again with a question that comes 5 s or more later.
    async with asyncio.timeout(WITHIN_S):
        while len(platform.results("c-1")) < 2:
            await wearable.beat()
            await asyncio.sleep(0.5)
    assert platform.results("c-1")[1] == ("done", None)
    assert len(wearable.commands_done) == 1


async def test_busy_is_asked_again_and_refused_is_told(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    first, second = wearable.identity(1), wearable.identity(2)
    platform.instead[first] = {"answer": "busy", "reason": "store read-only", "retry_after_s": 1}
    platform.instead[second] = {"answer": "refused", "reason": "revoked"}
    alarms = [wearable.press(), wearable.press()]
    await wearable.shows(alarms[1], "REFUSED", WITHIN_S)
    assert alarms[1].reason == 2
    await platform.until(lambda: [row["event"] for row in platform.rows("event", "events")].count(first) >= 2)
    assert "ACCEPTED" not in alarms[0].shown
    del platform.instead[first]
    await _accepted(wearable, platform, alarms[0])
    assert list(platform.events()) == [first]


async def test_what_cannot_be_read_is_raised_raw(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    alarm = wearable.press(kind=0x7F, detail=3)
    await _accepted(wearable, platform, alarm)
    wearable.ask(wire.EVENT, bytes.fromhex("01000009000cb20105"))
    cut = wearable.identity(9)
    await platform.until(lambda: cut in platform.events())
    for identity in (wearable.identity(1), cut):
        event = platform.first(identity)
        assert (event["kind"], event["class"]) == ("not_understood", "emergency")
    assert platform.first(cut)["raw"] == "01000009000cb20105"
    assert platform.first(wearable.identity(1))["raw"].startswith("7f000001")


async def test_damage_repeats_and_others_frames_store_nothing(home: Home, platform: Platform) -> None:
    wearable, other = home.wearable(ROOT_A, counter=3), home.wearable(b"test_only_root_z")
    home.enrol(wearable)
    await home.start()
    await _accepted(wearable, platform, wearable.press())
    genuine = wire.seal_up(wearable.keys, wire.EVENT, 40, wire.event(wire.SOS, 7, wire.HOLD, 0, 78, 2950))
    for bit in range(0, 8 * len(genuine), 7):
        damaged = bytearray(genuine)
        damaged[bit // 8] ^= 1 << bit % 8
        wearable.write(bytes(damaged))
    for size in (17, 20, len(genuine) - 1):
        wearable.write(genuine[:size])
    for old in list(wearable.sent[:1]) * 3:
        wearable.write(old)
    wearable.write(wire.seal_up(other.keys, wire.EVENT, 41, wire.event(wire.SOS, 8, wire.HOLD, 0, 78, 2950)))
    wearable.write(wire.seal_up(wearable.keys, wire.EVENT, 1, wire.event(wire.SOS, 9, wire.HOLD, 0, 78, 2950)))
    await _accepted(wearable, platform, wearable.press())
    assert await wearable.beat()
    await platform.until(lambda: home.counted(platform, "refused_repeat") >= 4)
    assert set(platform.events()) == {wearable.identity(1), wearable.identity(2)}


async def test_a_noisy_line_loses_time_and_no_press(home: Home, platform: Platform) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    wearable = home.wearable(ROOT_A, seed=seed)
    home.enrol(wearable)
    await home.start()
    home.disturb(Faults(flip=0.004, drop=0.002))
    alarms = [wearable.press() for _ in range(5)]
    for alarm in alarms:
        await _accepted(wearable, platform, alarm)
    for alarm in alarms:
        await platform.tell_news(wearable.identity(alarm.number), "closed")
    for alarm in alarms:
        await wearable.shows(alarm, "CLOSED", WITHIN_S)
    assert set(platform.events()) == {wearable.identity(alarm.number) for alarm in alarms}


async def test_a_wearable_far_ahead_is_found(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    await _accepted(wearable, platform, wearable.press())
    wearable.counter += 131_000
    await _accepted(wearable, platform, wearable.press())
    wearable.counter += 63
    assert await wearable.beat()


async def test_an_event_this_gateway_does_not_have_is_asked_for_again(home: Home, platform: Platform) -> None:
    wearable = home.wearable(ROOT_A)
    home.enrol(wearable)
    await home.start()
    # As if another gateway had stored it, and this one had never heard of it.
    alarm = wearable.alarms[1] = Alarm(wire.SOS, 1, wire.HOLD, 0.0, ["STORED"], send_again=False)
    wearable.ask(wire.HELLO, wire.hello(1, 1, 78, 1))
    await wearable.until(lambda: alarm.send_again, WITHIN_S)
    assert alarm.shown == ["STORED"]
    assert platform.events() == {}


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
