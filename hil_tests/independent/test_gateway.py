"""A wearable and a platform written from the specifications alone, against the real daemon, broker and desk.

Serial lines only; the daemon is the process that is installed, its Bluetooth off.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from hil_tests.independent import wire
from hil_tests.independent.home import ROOT_A, WITHIN_S, Home
from hil_tests.independent.platform import Platform
from hil_tests.independent.wearable import Alarm, Wearable
from hil_tests.wearable.serial_line import Faults

# A noisy line costs one exchange in three. Questions are up to 30 s apart: twenty in a row are lost once in 3e9 times.
NOISY_WITHIN_S = 20 * 30.0


async def _accepted(wearable: Wearable, platform: Platform, alarm: Alarm, within_s: float = WITHIN_S) -> None:
    await wearable.shows(alarm, "ACCEPTED", within_s)
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
    await platform.command(home.topic, command="c-count", name="heartbeat")
    await platform.until(lambda: home.counted(platform, "refused_repeat") >= 4)
    assert set(platform.events()) == {wearable.identity(1), wearable.identity(2)}


@pytest.mark.timeout(900)
async def test_a_noisy_line_loses_time_and_no_press(home: Home, platform: Platform) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    wearable = home.wearable(ROOT_A, seed=seed)
    home.enrol(wearable)
    await home.start()
    home.disturb(Faults(flip=0.004, drop=0.002))
    alarms = [wearable.press() for _ in range(5)]
    for alarm in alarms:
        await _accepted(wearable, platform, alarm, NOISY_WITHIN_S)
    for alarm in alarms:
        await platform.tell_news(wearable.identity(alarm.number), "closed")
    for alarm in alarms:
        await wearable.shows(alarm, "CLOSED", NOISY_WITHIN_S)
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
