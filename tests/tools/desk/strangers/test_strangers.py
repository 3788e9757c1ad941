from __future__ import annotations

import json
import random
from binascii import crc32
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import Gateway, event
from tests.tools.desk.strangers.talk import answer, ask, counted
from tests.tools.desk.wearable import Wearable, key_file, up_stranger


async def test_a_strangers_press_is_stored_and_answered_so_that_only_the_wearer_can_read_it(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        frame = wearable.event(12)
        await ask(gateway, frame)
        said = await answer(gateway)
        assert said["frames"][0]["rid"] == frame[1:9].hex()
        assert wearable.read(said, 0) == [(codes.ACCEPTED, 12)]
    (incident,) = (await desk.incidents()).values()
    assert (incident["event"], incident["kind"], incident["detail"]) == (f"{wearable.handle}-00000c", "sos", "hold")
    (report,) = incident["reports"]
    assert (report["gateway"], report["sealed"], report["rssi_dbm"]) == ("gw-1", True, -70)


async def test_the_same_frame_through_two_gateways_names_both_and_answers_both(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker, "gw-1") as one, Gateway(broker, "gw-2") as two:
        frame = wearable.event(12)
        for gateway in (one, two):
            await ask(gateway, frame)
            assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 12)]
    (incident,) = (await desk.incidents()).values()
    assert [report["gateway"] for report in incident["reports"]] == ["gw-1", "gw-2"]


async def test_one_event_heard_at_home_and_by_a_stranger_is_one_incident(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker, "gw-home") as home, Gateway(broker, "gw-2") as away:
        await home.ask(event(12, wearable=wearable.handle))
        await ask(away, wearable.event(12))
        assert wearable.read(await answer(away), 0) == [(codes.ACCEPTED, 12)]
        await desk.post(f"/api/incidents/{wearable.handle}-00000c/take", {"operator": "A"})
        assert await home.next_answer() == ([(f"{wearable.handle}-00000c", "answered")], None)
        assert wearable.read(await answer(away), 0) == [(codes.ANSWERED, 12)]
    assert len(await desk.incidents()) == 1


async def test_an_operators_news_is_in_the_answer_to_the_next_question(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        await ask(gateway, wearable.event(12))
        await answer(gateway)
        for action, stage in (("take", codes.ANSWERED), ("close", codes.CLOSED)):
            body = {"operator": "A", "outcome": "helped"}
            await desk.post(f"/api/incidents/{wearable.handle}-00000c/{action}", body)
            assert wearable.read(await answer(gateway), wearable.counter - 1) == [(stage, 12)]
            question = wearable.counter
            await ask(gateway, wearable.hello(asked=12))
            assert wearable.read(await answer(gateway), question) == [(stage, 12)]


@pytest.mark.usefixtures("desk")
async def test_a_question_for_an_event_that_is_not_here_is_told_so(broker: Broker, wearable: Wearable) -> None:
    async with Gateway(broker) as gateway:
        await ask(gateway, wearable.event(3))
        await answer(gateway)
        await ask(gateway, wearable.hello(asked=99))
        assert wearable.read(await answer(gateway), 1) == [(codes.ACCEPTED, 3), (codes.HEARD, 99)]
        await ask(gateway, wearable.hello())
        assert wearable.read(await answer(gateway), 2) == [(codes.HEARD, 0)]


async def test_a_strangers_heartbeat_is_kept_and_greeted(desk: Opened, broker: Broker, wearable: Wearable) -> None:
    async with Gateway(broker) as gateway:
        await ask(gateway, wearable.heartbeat())
        assert wearable.read(await answer(gateway), 0) == [(codes.HEARD, 0)]
    (row,) = (await desk.get("/api/gateways"))["wearables"]
    assert (row["wearable"], row["battery_mv"], row["firmware"]) == (wearable.handle, 2950, "1.2.3")


async def test_a_wearable_weeks_ahead_is_found(desk: Opened, broker: Broker, wearable: Wearable) -> None:
    async with Gateway(broker) as gateway:
        for counter in (60_000, 60_001, 190_000):
            wearable.counter = counter
            await ask(gateway, wearable.event(counter & 0xFFF))
            assert wearable.read(await answer(gateway), counter) == [(codes.ACCEPTED, counter & 0xFFF)]
    assert len(await desk.incidents()) == 3


async def test_a_replay_is_refused_also_after_a_restart(broker: Broker, tmp_path: Path, wearable: Wearable) -> None:
    settings = settings_for(broker, tmp_path, keys_file=key_file(tmp_path / "keys.json", wearable))
    old = [wearable.event(number) for number in range(5)]
    async with Gateway(broker) as gateway:
        async with running(settings) as desk:
            await ask(gateway, old[4])
            await answer(gateway)
            await ask(gateway, *old[:4])
            await counted(desk, "strangers_unknown", 4)
        async with running(settings) as desk:
            await ask(gateway, *old)
            await counted(desk, "strangers_unknown", 5)
            assert len(await desk.incidents()) == 1
            question = wearable.counter
            await ask(gateway, wearable.event(9))
            assert wearable.read(await answer(gateway), question) == [(codes.ACCEPTED, 9)]
        assert gateway.received.empty()


async def test_forged_and_foreign_frames_are_refused_and_the_next_genuine_one_goes_through(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    noise = random.Random(seed)
    genuine = wearable.event(12)
    forged = []
    for bit in range(72, 8 * len(genuine)):
        frame = bytearray(genuine)
        frame[bit // 8] ^= 1 << bit % 8
        forged.append(bytes(frame))
    forged += [bytes([genuine[0]]) + noise.randbytes(23) for _ in range(5)]
    forged += [Wearable(b"test_only_nobody").event(1), bytes([0x21]) + genuine[1:], bytes([0x18]) + genuine[1:]]
    async with Gateway(broker) as gateway:
        for first in range(0, len(forged), 40):
            await ask(gateway, *forged[first : first + 40])
        await ask(gateway, genuine)
        assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 12)]
        assert gateway.received.empty()
    assert len(await desk.incidents()) == 1
    await counted(desk, "strangers_unknown", 6)
    counters = await desk.counters()
    assert counters["strangers_refused_tag"] == 8 * (len(genuine) - 9)
    assert counters["strangers_unknown"] == 6
    assert counters["strangers_opened"] == 1


async def test_a_store_that_fails_says_busy_spends_no_counter_and_still_tells_what_it_has(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        await ask(gateway, wearable.event(11))
        assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 11)]
        await desk.sql("CREATE TRIGGER full BEFORE UPDATE ON windows BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        again, new = wearable.event(11), wearable.event(12)
        for counter, question, told in (
            (1, again, [(codes.ACCEPTED, 11)]),
            (2, new, [(codes.BUSY, 12)]),
            (3, wearable.hello(asked=12), [(codes.ACCEPTED, 11), (codes.HEARD, 12)]),
            (4, wearable.hello(), [(codes.HEARD, 0)]),
        ):
            await ask(gateway, question)
            assert wearable.read(await answer(gateway), counter) == told
        assert len(await desk.incidents()) == 1
        await desk.sql("DROP TRIGGER full")
        await ask(gateway, new)
        assert wearable.read(await answer(gateway), 2) == [(codes.ACCEPTED, 12)]


async def test_nothing_is_said_where_the_store_cannot_even_be_looked_into(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        await desk.sql("ALTER TABLE incidents RENAME TO gone")
        question = wearable.event(12)
        await ask(gateway, question)
        await counted(desk, "store_failed", 2)
        await desk.sql("ALTER TABLE gone RENAME TO incidents")
        await ask(gateway, question)
        assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 12)]
        assert gateway.received.empty()


async def test_a_row_that_is_not_of_the_contract_is_left_out_and_the_rest_counts(
    desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    said = up_stranger("gw-9", wearable.event(1))
    said["frames"] = [5, {"rid": "0" * 16}, *said["frames"]]
    async with Gateway(broker) as gateway:
        await gateway.publish("stranger", json.dumps(said).encode(), "pingan/v1/jianghai/gw-9/down/stranger")
        assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 1)]
    listed = await desk.until("/api/faults", lambda listed: len(listed["faults"]) == 3)
    assert {fault["why"] for fault in listed["faults"]} == {
        "gateway is not the topic's",
        "response topic is not the gateway's own",
        "frames: 2 left out: not an object",
    }


async def test_a_body_that_cannot_be_read_is_raised(desk: Opened, broker: Broker, wearable: Wearable) -> None:
    async with Gateway(broker) as gateway:
        await ask(gateway, wearable.seal(codes.EVENT, bytes.fromhex("7f00000effffb2")))
        assert wearable.read(await answer(gateway), 0) == [(codes.ACCEPTED, 14)]
        await ask(gateway, wearable.seal(codes.EVENT, b"\x01"))
        assert wearable.read(await answer(gateway), 1) == [(codes.ACCEPTED, 0xF00000 | crc32(b"\x01") & 0xFFFFF)]
    found = await desk.incidents()
    assert [row["kind"] for row in found.values()] == ["not_understood"] * 2
    assert {row["raw"] for row in found.values()} == {"7f00000effffb2", "01"}
