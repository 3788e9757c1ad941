"""What the receiver believes of a message: garbage, other versions, and payloads in another gateway's name."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import WEARABLE, Gateway, event, up_event

_EXAMPLES = Path(__file__).resolve().parents[3] / "protocol" / "platform" / "examples"


async def test_garbage_changes_nothing_and_is_kept_for_a_person(desk: Opened, broker: Broker) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    noise = random.Random(seed)
    whole = json.dumps(up_event("gw-1", event())).encode()
    payloads = [b"", b"null", b"[]", b"{}", b'{"v":2}', b"\xff\xfe", b"[" * 50_000, b"x" * (1 << 20)]
    payloads += [noise.randbytes(noise.randrange(1, 200)) for _ in range(20)]
    payloads += [whole[: noise.randrange(len(whole))] for _ in range(20)]
    async with Gateway(broker) as gateway:
        for payload in payloads:
            await gateway.publish("event", payload)
            await gateway.publish("stranger", payload)
            await gateway.publish("heartbeat", payload)
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "accepted")]
    assert len(await desk.incidents()) == 1
    listed = await desk.until("/api/faults", lambda said: len(said["faults"]) == 50)
    assert {fault["why"] for fault in listed["faults"]} & {"json", "version", "not an object", "size"}


async def test_another_version_is_not_answered_and_a_broken_field_is_raised(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        foreign = {**up_event("gw-1", event(1)), "v": 2}
        await gateway.publish("event", json.dumps(foreign).encode(), None, b"v2")
        broken = up_event("gw-1", event(2, age_ms="soon"), {"event": "nobody"}, event(3))
        await gateway.publish("event", json.dumps(broken).encode(), None, b"broken")
        assert await gateway.next_answer() == (
            [(f"{WEARABLE}-000002", "accepted"), (f"{WEARABLE}-000003", "accepted")],
            b"broken",
        )
    found = await desk.incidents()
    assert set(found) == {f"{WEARABLE}-000002", f"{WEARABLE}-000003"}
    raised = found[f"{WEARABLE}-000002"]
    assert (raised["kind"], raised["class"], raised["late"]) == ("not_understood", "emergency", True)
    assert json.loads(raised["raw"])["age_ms"] == "soon"


@pytest.mark.parametrize(
    ("response", "odd"),
    [
        ("pingan/v1/jianghai/gw-1/down/answer", False),
        (None, False),
        ("pingan/v1/jianghai/gw-2/down/answer", True),
        ("pingan/v1/other/gw-1/down/answer", True),
        ("pingan/v1/jianghai/gw-1/down/command", True),
        ("$SYS/x", True),
    ],
)
async def test_an_answer_goes_to_the_gateway_of_the_topic_and_to_nobody_else(
    desk: Opened, broker: Broker, response: str | None, odd: bool
) -> None:
    message = json.dumps(up_event("gw-1", event())).encode()
    async with (
        Gateway(broker) as gateway,
        Gateway(broker, "gw-2") as neighbour,
        Gateway(broker, "gw-1", area="other") as namesake,
    ):
        await gateway.publish("event", message, response, b"1")
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "accepted")], b"1")
        assert gateway.received.empty()
        assert neighbour.received.empty()
        assert namesake.received.empty()
    assert len(await desk.incidents()) == 1
    why = [fault["why"] for fault in (await desk.get("/api/faults"))["faults"]]
    assert why == (["response topic is not the gateway's own"] if odd else [])
    assert (await desk.counters()).get("faults", 0) == len(why)


async def test_an_alarm_in_another_gateways_name_is_stored_for_the_topics_gateway_and_shown_as_a_fault(
    desk: Opened, broker: Broker
) -> None:
    async with Gateway(broker) as gateway, Gateway(broker, "gw-2") as named:
        await gateway.publish("event", json.dumps(up_event("gw-2", event())).encode(), None, b"1")
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "accepted")], b"1")
        await desk.post(f"/api/incidents/{WEARABLE}-00000c/take", {"operator": "A"})
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "answered")], None)
        assert named.received.empty()
    (incident,) = (await desk.incidents()).values()
    assert [report["gateway"] for report in incident["reports"]] == ["gw-1"]
    (fault,) = (await desk.get("/api/faults"))["faults"]
    assert fault["why"] == "gateway is not the topic's"


async def test_health_in_another_gateways_name_is_the_topics_and_a_bad_row_takes_no_other_with_it(
    desk: Opened, broker: Broker
) -> None:
    good = json.loads((_EXAMPLES / "telemetry.json").read_text(encoding="utf-8"))
    good["wearables"] = [{**good["wearables"][0], "battery_mv": "full"}, good["wearables"][0]]
    result = json.loads((_EXAMPLES / "result.json").read_text(encoding="utf-8"))
    async with Gateway(broker) as gateway:
        await gateway.publish("telemetry", json.dumps({**good, "gateway": "gw-2"}).encode())
        await gateway.say("result", {**result, "gateway": "gw-1"})
        await gateway.say("result", {**result, "gateway": "gw-2"})
        listed = await desk.until("/api/faults", lambda listed: len(listed["faults"]) == 3)
    assert sorted(fault["why"] for fault in listed["faults"]) == [
        "gateway is not the topic's",
        "gateway is not the topic's",
        "wearables: 1 left out: battery_mv",
    ]
    (row,) = (await desk.get("/api/gateways"))["wearables"]
    assert row["gateway"] == "gw-1"
    assert (await desk.counters())["results"] == 2
