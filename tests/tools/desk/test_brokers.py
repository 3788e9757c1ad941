"""Two brokers: each answer goes back the way its question came, and what comes by both is one incident."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from hil_tests.broker.mosquitto import Broker
from tests.edge_daemon.hand import HandClock
from tools.desk.brokers import Brokers
from tools.desk.errors import BrokerDown
from tools.desk.reading.message import Message
from tools.desk.settings import DeskSettings

from .desk_house import WITHIN_S, Opened, running, settings_for
from .gateway import Gateway
from .gateway import event as an_event

BEAT = {
    "v": 1,
    "gateway": "gw-1",
    "uptime_s": 5,
    "version": "1.0.0",
    "waiting": 0,
    "counters": {},
    "links": [],
    "paths": [
        {"name": "primary", "state": "mute", "used": False, "last_answer_age_s": 70, "last_test_age_s": None},
        {"name": "backup", "state": "up", "used": True, "last_answer_age_s": 1, "last_test_age_s": 4000},
    ],
}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "other") as broker:
        yield broker


def _both(broker: Broker, other: Broker, directory: Path) -> DeskSettings:
    return settings_for(broker, directory, more_brokers=((other.host, other.port),), allow_drill=True)


async def _until_all_connected(desk: Opened) -> None:
    await desk.until("/healthz", lambda health: all(one["connected"] for one in health["brokers"]))


async def _life_sign(gateway: Gateway, correlation: bytes) -> None:
    """Say a heartbeat and get its answer."""
    await gateway.publish("heartbeat", json.dumps(BEAT).encode(), f"{gateway.root}/down/alive", correlation)
    async with asyncio.timeout(WITHIN_S):
        message, answered = await gateway.life_signs.get()
    assert answered == correlation
    assert message.properties is not None
    assert message.properties.json()["MessageExpiryInterval"] in (59, 60)  # type: ignore[no-untyped-call]


async def test_the_same_event_by_both_at_once_is_one_incident_answered_on_both(
    broker: Broker, other: Broker, tmp_path: Path
) -> None:
    async with running(_both(broker, other, tmp_path)) as desk, Gateway(broker) as here, Gateway(other) as there:
        await _until_all_connected(desk)
        for number in range(1, 21):
            event = an_event(number)
            answers = await asyncio.gather(here.ask(event), there.ask(event))
            assert list(answers) == [[(event["event"], "accepted")]] * 2
        incidents = await desk.incidents()
        assert len(incidents) == 20
        assert all(len(incident["reports"]) == 1 for incident in incidents.values())


async def test_a_heartbeat_is_answered_by_the_broker_that_brought_it_and_by_no_other(
    broker: Broker, other: Broker, tmp_path: Path
) -> None:
    async with running(_both(broker, other, tmp_path)) as desk, Gateway(broker) as here, Gateway(other) as there:
        await _until_all_connected(desk)
        await _life_sign(there, b"by the other")
        await _life_sign(here, b"by the first")
        assert here.life_signs.empty()
        assert there.life_signs.empty()
        status, _ = await desk.post("/api/drill", {"mode": "silent", "lasts_s": 60}, **{"X-Pingan-Desk": "1"})
        assert status == 200
        await here.say("heartbeat", {**BEAT, "uptime_s": 6})
        await desk.until("/api/gateways", lambda said: said["gateways"][0]["heartbeat"]["uptime_s"] == 6)
        assert here.life_signs.empty(), "silence is practised"
        rows = (await desk.get("/api/gateways"))["gateways"]
        assert rows[0]["heartbeat"]["paths"] == BEAT["paths"]


async def test_news_go_by_each_broker_that_the_gateway_was_heard_by(
    broker: Broker, other: Broker, tmp_path: Path
) -> None:
    async with running(_both(broker, other, tmp_path)) as desk, Gateway(broker) as here, Gateway(other) as there:
        await _until_all_connected(desk)
        event = an_event(1)
        await here.ask(event)
        await desk.post(f"/api/incidents/{event['event']}/take", {"operator": "a"}, **{"X-Pingan-Desk": "1"})
        assert await here.next_answer() == ([(event["event"], "answered")], None)
        assert there.received.empty(), "not heard there"
        await _life_sign(there, b"now it is")
        body = {"operator": "a", "outcome": "helped"}
        await desk.post(f"/api/incidents/{event['event']}/close", body, **{"X-Pingan-Desk": "1"})
        for gateway in (here, there):
            assert await gateway.next_answer() == ([(event["event"], "closed")], None)


async def test_one_broker_away_is_shown_and_stops_nothing(broker: Broker, other: Broker, tmp_path: Path) -> None:
    async with running(_both(broker, other, tmp_path)) as desk, Gateway(other) as there:
        await _until_all_connected(desk)
        broker.kill()
        away = await desk.until("/healthz", lambda health: not health["brokers"][0]["connected"])
        assert away["ok"]
        event = an_event(1)
        assert await there.ask(event) == [(event["event"], "accepted")]
        await desk.post(f"/api/incidents/{event['event']}/take", {"operator": "a"}, **{"X-Pingan-Desk": "1"})
        assert await there.next_answer() == ([(event["event"], "answered")], None)
        broker.start()
        await _until_all_connected(desk)


async def test_news_for_a_gateway_that_was_not_heard_for_long_goes_by_every_broker() -> None:
    clock = HandClock()
    settings = DeskSettings("127.0.0.1", 1, "x", more_brokers=(("127.0.0.1", 2),))
    brokers = Brokers(settings, "desk", clock)
    told: list[int] = []
    away: set[int] = set()

    def publishing(place: int) -> Callable[..., Awaitable[None]]:
        async def publish(*_: object) -> None:
            if place in away:
                raise BrokerDown("away")
            told.append(place)

        return publish

    for place, one in enumerate(brokers._brokers):
        one.publish = publishing(place)  # type: ignore[method-assign]
    brokers._received(Message("a", "gw-1", "heartbeat", "t", b"", 0, broker=1))
    await brokers.tell("a", "gw-1", "to", b"")
    assert told == [1]
    clock.pass_s(601)
    await brokers.tell("a", "gw-1", "to", b"")
    assert sorted(told) == [0, 1, 1]
    away.add(0)
    await brokers.tell("a", "gw-unknown", "to", b"")
    away.add(1)
    with pytest.raises(BrokerDown):
        await brokers.tell("a", "gw-unknown", "to", b"")


def test_a_broker_given_twice_or_in_the_clear_is_refused() -> None:
    made = DeskSettings("127.0.0.1", 1883, "x", more_brokers=(("127.0.0.1", 1883),))
    with pytest.raises(Refusal, match=r"desk\.broker_twice"):
        made.check()
    made = DeskSettings("127.0.0.1", 1883, "x", more_brokers=(("broker.example", 1883),))
    with pytest.raises(Refusal, match=r"desk\.plain_mqtt"):
        made.check()
