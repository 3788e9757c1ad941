from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import WEARABLE, Gateway, event

_EXAMPLES = Path(__file__).resolve().parents[3] / "protocol" / "platform" / "examples"


async def test_an_event_is_stored_and_answered_with_its_correlation_data(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "accepted")]
    (incident,) = (await desk.incidents()).values()
    assert incident["stage"] == "accepted"
    assert incident["reports"][0]["gateway"] == "gw-1"
    assert set(incident["stages"]) == {"pressed", "heard", "accepted"}


async def test_the_answer_is_sent_after_the_commit(broker: Broker, tmp_path: Path) -> None:
    """At the moment the answer comes, another process that reads only what is on the disk finds the event."""
    async with running(settings_for(broker, tmp_path)), Gateway(broker) as gateway:
        for number in range(20):
            await gateway.ask(event(number))
            # The desk holds its file locked, so its files are copied, as after a power cut, and read there.
            database = sqlite3.connect(_as_after_a_cut(tmp_path, f"copy{number}"))
            (count,) = database.execute("SELECT count(*) FROM incidents WHERE number = ?", (number,)).fetchone()
            database.close()
            assert count == 1


def _as_after_a_cut(directory: Path, name: str) -> Path:
    copy = directory / name
    copy.mkdir()
    for file in directory.glob("desk.sqlite3*"):
        (copy / file.name).write_bytes(file.read_bytes())
    return copy / "desk.sqlite3"


async def test_every_example_of_the_contract_is_answered(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker, "gw-test-1") as gateway:
        for name in ("event", "event_backlog"):
            message = json.loads((_EXAMPLES / f"{name}.json").read_text())
            await gateway.publish("event", json.dumps(message).encode(), None, b"x")
            answers, correlation = await gateway.next_answer()
            assert correlation == b"x"
            # A battery that is well again needs nobody.
            ends = {row["event"]: "closed" for row in message["events"] if row["restore"]}
            assert answers == [(row["event"], ends.get(row["event"], "accepted")) for row in message["events"]]
    found = await desk.incidents()
    assert len(found) == 5
    assert found[f"{WEARABLE}-00000e"]["raw"] == "7f00000effffb2"
    assert found[f"{WEARABLE}-00000c"]["cancelled_by"][0]["event"] == f"{WEARABLE}-00000d"


async def test_copies_in_any_order_through_two_gateways_are_one_incident_each(desk: Opened, broker: Broker) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    shuffle = random.Random(seed)
    events = [event(number) for number in range(30)]
    sends = [(which, each) for each in events for which in (0, 0, 1, 1)]
    shuffle.shuffle(sends)
    async with Gateway(broker, "gw-1") as one, Gateway(broker, "gw-2") as two:
        gateways = (one, two)
        while sends:
            which = sends[0][0]
            batch = [each for other, each in sends[: shuffle.randint(1, 9)] if other == which]
            sends = [send for send in sends if not (send[0] == which and send[1] in batch)] + [
                (which, each) for each in {e["number"]: e for e in batch}.values() if shuffle.random() < 0.2
            ]
            await gateways[which].ask(*batch)
    found = await desk.incidents()
    assert len(found) == 30
    for incident in found.values():
        assert sorted(report["gateway"] for report in incident["reports"]) == ["gw-1", "gw-2"]


async def test_a_thousand_waiting_events_by_fifties_are_all_accepted_once(desk: Opened, broker: Broker) -> None:
    wanted = {f"{WEARABLE}-{number:06x}" for number in range(1000)}
    async with Gateway(broker) as gateway:
        for first in range(0, 1000, 50):
            await gateway.send(*[event(number) for number in range(first, first + 50)])
        answered: list[str] = []
        while len(answered) < 1000:
            rows, _ = await gateway.next_answer()
            assert all(answer == "accepted" for _, answer in rows)
            answered += [row[0] for row in rows]
    assert set(answered) == wanted
    assert (await desk.get("/api/incidents"))["open"] == 1000


async def test_an_emergency_overtakes_a_backlog_that_is_being_stored(desk: Opened, broker: Broker) -> None:
    """Nothing is stored while the messages come in, so the order of answers is the order of the lanes."""
    held = asyncio.Event()
    work = desk.desk._receiver._work

    async def waiting(batch: object) -> None:
        await held.wait()
        await work(batch)  # type: ignore[arg-type]

    desk.desk._receiver._work = waiting  # type: ignore[method-assign]
    async with Gateway(broker) as gateway:
        for number in range(100):
            await gateway.send(event(number, kind="wearable_battery_low", class_="fault"))
        await gateway.send(event(500))
        await desk.until("/healthz", lambda health: health["counters"].get("messages") == 101)
        held.set()
        order = [(await gateway.next_answer())[0][0][0] for _ in range(101)]
    place = order.index(f"{WEARABLE}-0001f4")
    assert place <= 20, f"the SOS came as number {place}: after more than the one batch that was under way"


@pytest.mark.parametrize("size", [1, 50], ids=["small messages", "large ones"])
async def test_a_fresh_emergency_overtakes_old_ones(desk: Opened, broker: Broker, size: int) -> None:
    """A backlog is mostly emergencies, too. It is not even read before a fresh one that came after it."""
    held = asyncio.Event()
    work = desk.desk._receiver._work

    async def waiting(batch: object) -> None:
        await held.wait()
        await work(batch)  # type: ignore[arg-type]

    desk.desk._receiver._work = waiting  # type: ignore[method-assign]
    async with Gateway(broker) as gateway:
        for message in range(60):
            old = [event(1000 + message * size + number, late=True) for number in range(size)]
            await gateway.send(*old)
        await gateway.send(event(500))
        await desk.until("/healthz", lambda health: health["counters"].get("messages") == 61)
        held.set()
        order = [(await gateway.next_answer())[0][0][0] for _ in range(61)]
    place = order.index(f"{WEARABLE}-0001f4")
    assert place <= 20, f"the SOS came as number {place}: after more than the one batch that was under way"


async def test_what_comes_again_is_answered_with_its_present_stage(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway, Gateway(broker, "gw-2") as second:
        await gateway.ask(event())
        path = f"/api/incidents/{WEARABLE}-00000c"
        assert (await desk.post(f"{path}/take", {"operator": "王芳"}))[0] == 200
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "answered")], None)
        assert await second.ask(event()) == [(f"{WEARABLE}-00000c", "answered")]
        assert (await desk.post(f"{path}/close", {"operator": "王芳", "outcome": "helped"}))[0] == 200
        for each in (gateway, second):
            assert await each.next_answer() == ([(f"{WEARABLE}-00000c", "closed")], None)
            assert await each.ask(event()) == [(f"{WEARABLE}-00000c", "closed")]


async def test_a_store_that_fails_answers_busy_and_then_accepts(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await desk.sql("CREATE TRIGGER full BEFORE INSERT ON incidents BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "busy")]
        assert await desk.incidents() == {}
        await desk.sql("DROP TRIGGER full")
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "accepted")]


async def test_one_event_that_the_store_will_not_take_does_not_hold_up_the_others(desk: Opened, broker: Broker) -> None:
    await desk.sql(
        "CREATE TRIGGER poison BEFORE INSERT ON incidents WHEN new.number = 7 BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    async with Gateway(broker) as gateway:
        for number in range(15):
            await gateway.send(event(number))
        answers = dict([(await gateway.next_answer())[0][0] for _ in range(15)])
    assert answers.pop(f"{WEARABLE}-000007") == "busy"
    assert set(answers.values()) == {"accepted"}


async def test_a_drill_stores_nothing_and_ends_by_itself(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await desk.post("/api/drill", {"mode": "busy", "retry_after_s": 2})
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "busy")]
        await desk.post("/api/drill", {"mode": "refuse", "reason": "revoked"})
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "refused")]
        assert await desk.incidents() == {}
        await desk.post("/api/drill", {"mode": "silent", "lasts_s": 0.2})
        await desk.until("/api/drill", lambda drill: drill["mode"] == "off")
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "accepted")]


async def test_a_commit_that_fails_is_never_answered_accepted(desk: Opened, broker: Broker) -> None:
    engine = getattr(desk.desk._store._engine, "_engine")  # noqa: B009  # SQLAlchemy's own, under ours

    def power_cut(_connection: object) -> None:
        raise OSError("no space left on device")

    async with Gateway(broker) as gateway:
        sqlalchemy_event.listen(engine, "commit", power_cut)
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "busy")]
        sqlalchemy_event.remove(engine, "commit", power_cut)
        assert await desk.incidents() == {}
        assert await gateway.ask(event()) == [(f"{WEARABLE}-00000c", "accepted")]


async def test_the_desk_comes_back_to_a_broker_that_was_killed(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event(1))
    broker.kill()
    await desk.until_healthy(False)
    broker.start()
    await desk.until_healthy(True)
    async with Gateway(broker) as gateway:
        assert await gateway.ask(event(2)) == [(f"{WEARABLE}-000002", "accepted")]
    assert len(await desk.incidents()) == 2
