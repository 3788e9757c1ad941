"""Ways out over real brokers: failover, the way back, SMS where nothing else carries; one incident in the end."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from hil_tests.conftest import Build
from hil_tests.desk.operator import Operator
from hil_tests.two_brokers import QUICK, TwoBrokers, two_brokers
from protocol import sms_text
from tests.edge_daemon.modem import FakeModem

NUMBERS = ["+8613800138001", "+8613800138002"]


def _events(made: TwoBrokers) -> set[str]:
    """What the wearer's presses became at the platform."""
    return {event for event in made.primary.platform.events if event[:16] == made.wearable.handle}


async def test_a_silent_primary_is_given_three_misses_then_the_backup_accepts(tmp_path: Path, seed: int) -> None:
    async with two_brokers(tmp_path, random.Random(seed), forwarder=QUICK["forwarder"] | {"heartbeat_s": 60.0}) as made:
        made.primary.proxy.fall_silent()
        alarm = made.press()
        took_s = await made.shown(alarm, "ACCEPTED")
        print(f"three misses of 1 s each, then accepted by the backup: {took_s:.2f} s after the press")
        assert took_s > 2.5, "the primary was given up too soon"
        assert made.hops() == ["backup"]
        event = made.wearable.identity(alarm.number)
        assert made.backup.platform.came[event] >= 1
        assert _events(made) == {event}


async def test_a_primary_killed_while_an_sos_waits_costs_no_more_than_the_noticing(tmp_path: Path, seed: int) -> None:
    async with two_brokers(
        tmp_path, random.Random(seed), forwarder={**QUICK["forwarder"], "answer_within_s": 20.0}
    ) as made:
        made.primary.platform.mood = "deaf"
        alarm = made.press()
        event = made.wearable.identity(alarm.number)
        await made.until(lambda: event in made.primary.platform.came)
        made.primary.broker.kill()
        took_s = await made.shown(alarm, "ACCEPTED")
        print(f"the primary's death to ACCEPTED by the backup: {took_s * 1000:.0f} ms")
        # No answer was due yet: it is the connection that was seen to break.
        assert took_s < 15
        assert made.hops() == ["backup"]
        assert _events(made) == {event}


async def test_a_platform_that_is_deaf_at_the_primary_is_found_out_without_any_press(tmp_path: Path, seed: int) -> None:
    async with two_brokers(tmp_path, random.Random(seed)) as made:
        made.primary.platform.mood = "deaf"
        await made.until(lambda: made.hops() == ["backup"])
        await made.until(lambda: "path_primary_lost" in made.backup.kinds())
        alarm = made.press()
        took_s = await made.shown(alarm, "ACCEPTED")
        print(f"with the primary known to be mute: {took_s * 1000:.0f} ms")
        assert made.wearable.identity(alarm.number) not in made.primary.platform.came
        made.primary.platform.mood = ""
        await made.until(lambda: made.hops() == ["backup", "primary"])
        await made.until(lambda: "path_primary_restored" in [*made.primary.kinds(), *made.backup.kinds()])
        again = made.press()
        await made.shown(again, "ACCEPTED")
        assert made.wearable.identity(again.number) in made.primary.platform.came


async def test_a_flapping_primary_makes_it_hop_once_and_it_goes_back_when_that_is_over(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with two_brokers(tmp_path, chance, ways=QUICK["ways"] | {"back_after_s": 12.0}) as made:
        alarms = []
        for _ in range(8):
            made.primary.proxy.cut()
            alarms.append(made.press())
            await made.shown(alarms[-1], "ACCEPTED")
            await asyncio.sleep(chance.uniform(0.3, 1.5))
        assert made.hops() == ["backup"]
        await made.until(lambda: made.hops() == ["backup", "primary"])
        assert _events(made) == {made.wearable.identity(alarm.number) for alarm in alarms}
        assert not made.wearable.untrue


async def test_both_down_is_sms_and_a_sign_and_both_back_is_one_incident(tmp_path: Path, seed: int) -> None:
    modem = FakeModem(tmp_path)
    modem.report = lambda number, reference: [(0, reference)]
    said = tmp_path / "said"
    script = tmp_path / "sound"
    script.write_text(f'#!/bin/sh\necho "$1" >> {said}\n')
    script.chmod(0o755)
    sms = {"enabled": True, "port": str(modem.device), "numbers": NUMBERS}
    sign = {"command": [str(script)]}
    # Not tested now: what goes by SMS here is the emergency alone.
    ways = QUICK["ways"] | {"test_every_s": 604_800.0}
    async with two_brokers(tmp_path / "lane", random.Random(seed), sms=sms, sign=sign, ways=ways) as made:
        await made.gateway.logged("sms_modem_open", 60)
        made.primary.proxy.shut()
        made.backup.proxy.shut()
        alarm = made.press()
        event = made.wearable.identity(alarm.number)
        took_s = await made.shown(alarm, "NO_PATH")
        print(f"no broker: NO_PATH {took_s:.2f} s after the press")
        await made.gateway.logged("event_sms_sent", 60, event=event)
        await made.gateway.logged("event_sms_reported", 60, event=event, state="delivered")
        texts = [(number, sms_text.parse(text)) for number, text in modem.sent]
        assert [(number, text.event, text.kind, text.test) for number, text in texts] == [
            (number, event, "sos", False) for number in NUMBERS
        ]
        assert "ACCEPTED" not in alarm.shown, "a delivery report is no answer"
        await made.until(lambda: said.exists() and "no_answer" in said.read_text().split())
        service = made.wearable.press(kind=0x10)
        await made.shown(service, "NO_PATH")
        await asyncio.gather(made.primary.proxy.open(), made.backup.proxy.open())
        await made.shown(alarm, "CLOSED")
        await made.shown(service, "CLOSED")
        await made.until(lambda: said.read_text().split()[-1] == "ok")
        assert _events(made) == {event, made.wearable.identity(service.number)}
        assert len(modem.sent) == len(NUMBERS), "once, and nothing but emergencies"
        assert not made.wearable.untrue
    modem.vanish()


async def test_each_way_is_tested_end_to_end_by_itself(tmp_path: Path, seed: int) -> None:
    modem = FakeModem(tmp_path)
    modem.report = lambda number, reference: [(0, reference)]
    sms = {"enabled": True, "port": str(modem.device), "numbers": NUMBERS}
    ways = QUICK["ways"] | {"test_every_s": 3.0}
    async with two_brokers(tmp_path / "lane", random.Random(seed), sms=sms, ways=ways) as made:
        await made.until(lambda: made.primary.kinds().count("path_test_primary") >= 2)
        await made.until(lambda: made.backup.kinds().count("path_test_backup") >= 2)
        await made.until(lambda: len(modem.sent) >= 2)
        assert "path_test_backup" not in made.primary.kinds()
        assert "path_test_primary" not in made.backup.kinds()
        tests = [sms_text.parse(text) for _, text in modem.sent]
        assert {(text.kind, text.test) for text in tests} == {("path_test_sms", True)}

        def passed() -> bool:
            paths = made.backup.platform.beat.get("paths", [])
            return len(paths) == 3 and all(path["last_test_age_s"] is not None for path in paths)

        await made.until(passed)
        # A way that stops accepting is told, though nobody presses.
        made.backup.platform.mood = "deaf"
        await made.until(lambda: "path_backup_lost" in made.primary.kinds())
    modem.vanish()


async def test_a_whole_house_with_two_brokers_news_come_by_the_one_that_is_left(build: Build) -> None:
    house = await build()
    before, after = [await house.add_wearable(f"pendant-{n}", ble=False, serial=True) for n in range(2)]
    house.open_second_broker()
    desk = await house.open_desk()
    gateway = await house.open_gateway()
    for way in ("primary", "backup"):
        await gateway.logged("uplink_connected", 40, way=way)
    await before.hold()
    await before.shown("ACCEPTED", within_s=40)
    house.broker.kill()
    await gateway.logged("uplink_lost", 40, way="primary")
    await after.hold()
    await after.shown("ACCEPTED", within_s=40)
    async with Operator(desk):
        for wearable in (before, after):
            await wearable.shown("CLOSED", within_s=60)
    assert len(await desk.incidents()) == 2
    health = await desk.get("/healthz")
    assert [broker["connected"] for broker in health["brokers"]] == [False, True]
    said = len(gateway.logs)
    house.broker.start()
    await gateway.logged("uplink_connected", 60, after=said, way="primary")
