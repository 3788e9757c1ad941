"""Health of gateways and wearables: the newest by time heard holds, whatever comes late, twice, or by which broker."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.uplinks import payload
from hil_tests.broker.mosquitto import Broker
from protocol import codes
from protocol.messages import Heartbeat, pack_heartbeat
from tests.edge_daemon.wearer import Recorder
from tests.tools.desk.desk_house import WITHIN_S, Opened, running, settings_for
from tests.tools.desk.gateway import WEARABLE, Gateway, event
from tests.tools.desk.test_store import NOW_MS, opened
from tools.desk import opened as opened_frame
from tools.desk.reading import health
from tools.desk.reading.message import Message
from tools.desk.reading.sealed import SealedFrame
from tools.desk.store import Store, gateways
from tools.desk.watch import Watch

BEAT = {"v": 1, "gateway": "gw-1", "uptime_s": 1, "version": "1", "waiting": 0, "links": [], "counters": {}}
HOUR_MS = 3_600_000


def row(wearable: str = WEARABLE, heard_age_ms: int = 0, **over: Any) -> dict[str, Any]:
    made = {"wearable": wearable, "heard_age_ms": heard_age_ms, "link": "ble", "rssi_dbm": -61, "uptime_s": 86400}
    made |= {"battery_mv": 2950, "battery_percent": 78, "heap_free_low_bytes": 41000, "firmware": "1.0.0"}
    return made | {"protocol": 1, "reset_cause": 1, "open_alarms": 0, "flash_failed": False} | over


def telemetry(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, "gateway": "gw-1", "wearables": list(rows)}


def message(kind: str, said: dict[str, Any], received_ms: int = NOW_MS, **more: Any) -> Message:
    topic = f"pingan/v1/jianghai/gw-1/up/{kind}"
    return Message("jianghai", "gw-1", kind, topic, json.dumps(said).encode(), received_ms, **more)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as store:
        yield store


class Watched:
    """A watch that works on a store; `take` waits until it has stored what it was given."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.watch = Watch(store, Counters())

    async def take(self, *messages: Message) -> None:
        for each in messages:
            self.watch.take(each)
        async with asyncio.timeout(WITHIN_S):
            while not self.watch.idle:
                await asyncio.sleep(0.005)

    async def wearables(self, now_ms: int = NOW_MS) -> dict[str, dict[str, Any]]:
        rows = await self.store.read(lambda connection: gateways.wearables_listed(connection, now_ms))
        return {row["wearable"]: row for row in rows}

    async def gateway(self, now_ms: int = NOW_MS) -> dict[str, Any]:
        (found,) = await self.store.read(lambda connection: gateways.listed(connection, now_ms))
        return found


@pytest.fixture
async def watched(store: Store) -> AsyncIterator[Watched]:
    made = Watched(store)
    work = asyncio.create_task(made.watch.run())
    yield made
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def _ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)


async def test_the_newest_heard_holds_in_whatever_order_rows_come_and_however_often(watched: Watched) -> None:
    """As after an outage: days of rows of five wearables, shuffled, over messages, each row twice."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    handles = [f"{n:016x}" for n in range(1, 6)]
    ages = {handle: chance.sample(range(7 * 24 * HOUR_MS), 60) for handle in handles}
    rows = [row(handle, age, uptime_s=age) for handle, some in ages.items() for age in some] * 2
    chance.shuffle(rows)
    for at in range(0, len(rows), 100):
        await watched.take(message("telemetry", telemetry(*rows[at : at + 100])))
    found = await watched.wearables()
    newest = {handle: min(some) for handle, some in ages.items()}
    assert {handle: each["uptime_s"] for handle, each in found.items()} == newest
    assert {handle: NOW_MS - _ms(each["heard_at"]) for handle, each in found.items()} == newest


async def test_newest_first_in_one_message_keeps_the_first(watched: Watched) -> None:
    await watched.take(message("telemetry", telemetry(*[row(heard_age_ms=n * 60_000, uptime_s=n) for n in range(100)])))
    assert (await watched.wearables())[WEARABLE]["uptime_s"] == 0


async def test_a_gateways_beat_is_not_lost_behind_a_flood_of_telemetry(watched: Watched) -> None:
    flood = [message("telemetry", telemetry(*[row(f"{m:08x}{n:08x}", n) for n in range(50)])) for m in range(200)]
    await watched.take(*flood[:100], message("heartbeat", BEAT), *flood[100:])
    assert (await watched.gateway())["state"] == "online"
    # Who was heard longest ago first, and no more than somebody reads.
    assert len(await watched.wearables()) == gateways.WEARABLES_MOST
    counted = await watched.store.read(lambda connection: gateways.wearables_counted(connection, NOW_MS))
    assert counted == {"all": 10_000, "silent": 0}


@pytest.mark.parametrize(("hours", "state"), [(3.9, "heard"), (4.1, "overdue"), (23.9, "overdue"), (24.1, "missing")])
async def test_a_wearable_not_heard_for_hours_is_overdue_and_after_a_day_missing(
    watched: Watched, hours: float, state: str
) -> None:
    await watched.take(message("telemetry", telemetry(row())))
    now_ms = NOW_MS + int(hours * HOUR_MS)
    assert (await watched.wearables(now_ms))[WEARABLE]["state"] == state
    counted = await watched.store.read(lambda connection: gateways.wearables_counted(connection, now_ms))
    assert counted == {"all": 1, "silent": int(state != "heard")}


async def test_which_parts_are_out_stands_with_the_heartbeat(watched: Watched) -> None:
    for age_ms, said in enumerate((["screen", "motion"], [], ["of_a_later"], None)):
        await watched.take(message("telemetry", telemetry(row(parts_out=said)), NOW_MS + age_ms))
        assert (await watched.wearables())[WEARABLE]["parts_out"] == (said or [])


def test_what_is_no_list_of_names_costs_its_row() -> None:
    for wrong in ("motion", [1], ["<b>"], ["x"] * 17, {"motion": 1}):
        signs, faults = health.read_telemetry(message("telemetry", telemetry(row(parts_out=wrong), row())))
        assert [sign.heartbeat and sign.heartbeat["parts_out"] for sign in signs] == [[]]
        assert [fault.why for fault in faults] == ["wearables: 1 left out: parts_out"]


def test_a_strangers_heartbeat_says_as_much_as_its_home_gateway_would() -> None:
    sealed = SealedFrame("jianghai", "gw-1", NOW_MS, bytes(8), b"", "ble", -70, 5)
    heard = Heard(b"", "ble", -70, 0, Recorder())
    for flags in (0, codes.HEARTBEAT_MOTION_OUT | codes.HEARTBEAT_SCREEN_OUT, 0xFF):
        body = pack_heartbeat(60, 3900, 80, 20_000, (1, 0, 0), 1, 0, flags)
        at_home = payload.wearable_heartbeat(WEARABLE, Heartbeat(body), heard, 5)
        assert opened_frame.heartbeat(WEARABLE, body, sealed) == at_home


async def test_any_event_is_a_sign_of_life_and_leaves_the_heartbeat_as_it_was(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.say("telemetry", telemetry(row(heard_age_ms=5 * HOUR_MS)))

        def said(state: str) -> Any:
            return lambda answer: [each["state"] for each in answer["wearables"]] == [state]

        (before,) = (await desk.until("/api/gateways", said("overdue")))["wearables"]
        await gateway.ask(event(1, wearable="0" * 16), event(12, heard_age_ms=6 * HOUR_MS))
        await gateway.ask(event(13))
        rows = (await desk.get("/api/gateways"))["wearables"]
    by_name = {each["wearable"]: each for each in rows}
    assert by_name[WEARABLE]["state"] == "heard"
    assert by_name[WEARABLE]["beat_at"] == before["heard_at"]
    assert by_name[WEARABLE]["battery_percent"] == 78
    # One that has sent no heartbeat yet.
    assert by_name["0" * 16]["beat_at"] is None


async def test_a_gateway_is_lost_after_three_minutes_since_then_and_back_with_its_next_beat(watched: Watched) -> None:
    await watched.take(message("heartbeat", BEAT))
    assert (await watched.gateway(NOW_MS + 180_000))["state"] == "online"
    lost = await watched.gateway(NOW_MS + 181_000)
    assert (lost["state"], _ms(lost["since"])) == ("lost", NOW_MS + 180_000)
    await watched.take(message("heartbeat", BEAT, NOW_MS + 600_000))
    back = await watched.gateway(NOW_MS + 600_000)
    assert (back["state"], _ms(back["since"])) == ("online", NOW_MS + 600_000)
    # How long it was away, so that it can be seen afterwards.
    assert (_ms(back["lost"]["from"]), _ms(back["lost"]["until"])) == (NOW_MS, NOW_MS + 600_000)


async def test_the_will_of_one_broker_is_not_believed_while_it_beats_on_the_other(watched: Watched) -> None:
    will = {"v": 1, "gateway": "gw-1", "state": "offline", "reason": "lost"}
    await watched.take(message("heartbeat", BEAT, broker=0), message("heartbeat", BEAT, broker=1))
    watched.watch.take(message("status", will, NOW_MS + 1000, broker=0))
    await watched.take(message("telemetry", telemetry(row())))
    assert (await watched.gateway())["state"] == "online"
    await watched.take(message("status", will, NOW_MS + 2000, broker=1))
    assert (await watched.gateway())["state"] == "offline"
    await watched.take(message("heartbeat", BEAT, NOW_MS + 3000, broker=1))
    assert (await watched.gateway())["state"] == "online"


async def test_an_older_beat_that_lay_at_a_broker_does_not_replace_a_newer_one(watched: Watched) -> None:
    await watched.take(message("heartbeat", {**BEAT, "waiting": 1}, NOW_MS))
    await watched.take(message("heartbeat", {**BEAT, "waiting": 2}, NOW_MS + 5000, expiry_left_s=60))
    assert (await watched.gateway())["heartbeat"]["waiting"] == 1


async def test_what_lay_at_the_broker_while_the_desk_was_away_is_not_passed_off_as_fresh(
    broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(broker, tmp_path)
    async with running(settings):
        pass
    expiring = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    expiring.MessageExpiryInterval = 3600
    async with Gateway(broker) as gateway:
        payload = json.dumps(telemetry(row())).encode()
        await gateway._client.publish(f"{gateway.root}/up/telemetry", payload, qos=1, properties=expiring)
        # Time has to pass; the broker counts in whole seconds.
        await asyncio.sleep(3.2)
        async with running(settings) as desk:
            answer = await desk.until("/api/gateways", lambda answer: answer["wearables"])
    assert _ms(answer["now"]) - _ms(answer["wearables"][0]["heard_at"]) >= 2000
