from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import WEARABLE, Gateway, event
from tools.desk.store.actions import owed

EVENT = f"{WEARABLE}-00000c"
PATH = f"/api/incidents/{EVENT}"


async def test_two_operators_who_take_at_once_are_one_taker_and_one_told(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
        results = await asyncio.gather(*(desk.post(f"{PATH}/take", {"operator": name}) for name in ("A", "B", "C")))
    assert sorted(status for status, _ in results) == [200, 409, 409]
    (winner,) = [said["operator"] for status, said in results if status == 200]
    assert {said["incident"]["operator"] for status, said in results if status == 409} == {winner}
    actions = (await desk.get(PATH))["actions"]
    assert [(row["action"], row["operator"]) for row in actions] == [("accepted", None), ("answered", winner)]


async def test_taking_over_is_asked_for_and_told_to_nobody_a_second_time(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
        await desk.post(f"{PATH}/take", {"operator": "A"})
        await gateway.next_answer()
        answered_at = (await desk.get(PATH))["stages"]["answered"]
        assert (await desk.post(f"{PATH}/take", {"operator": "B"}))[0] == 409
        status, said = await desk.post(f"{PATH}/take", {"operator": "B", "over": True})
        assert (status, said["operator"], said["stages"]["answered"]) == (200, "B", answered_at)
        assert (await desk.post(f"{PATH}/take", {"operator": "B"}))[0] == 200
        await desk.post(f"{PATH}/close", {"operator": "B", "outcome": "helped"})
        assert (await gateway.next_answer())[0] == [(EVENT, "closed")]
    actions = (await desk.get(PATH))["actions"]
    assert [row["action"] for row in actions] == ["accepted", "answered", "taken_over", "closed"]


async def test_closing_is_done_once_and_cannot_be_undone(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
    closing = {"operator": "A", "outcome": "false_alarm", "note": "猫踩到了"}
    for _ in range(2):
        status, said = await desk.post(f"{PATH}/close", closing)
        assert (status, said["stage"], said["outcome"], said["note"]) == (200, "closed", "false_alarm", "猫踩到了")
    assert (await desk.post(f"{PATH}/close", {"operator": "B", "outcome": "helped"}))[0] == 409
    assert (await desk.post(f"{PATH}/take", {"operator": "B", "over": True}))[0] == 409
    found = await desk.get(PATH)
    assert [row["action"] for row in found["actions"]] == ["accepted", "closed"]
    assert found["stages"]["answered"] == found["stages"]["closed"]


async def test_a_cancel_stays_on_its_sos_until_an_operator_closes_both(desk: Opened, broker: Broker) -> None:
    cancel = event(13, kind="sos_cancelled", detail="1", refers_to=EVENT)
    async with Gateway(broker) as gateway:
        await gateway.ask(cancel)
        before = (await desk.get("/api/incidents"))["revision"]
        await gateway.ask(event())
        found = await desk.incidents()
        assert found[EVENT]["stage"] == "accepted"
        assert [row["event"] for row in found[EVENT]["cancelled_by"]] == [cancel["event"]]
        assert found[EVENT]["revision"] > before
        await desk.post(f"{PATH}/take", {"operator": "A"})
        assert sorted((await gateway.next_answer())[0]) == [(EVENT, "answered"), (cancel["event"], "answered")]
        await desk.post(f"{PATH}/close", {"operator": "A", "outcome": "cancelled"})
        assert sorted((await gateway.next_answer())[0]) == [(EVENT, "closed"), (cancel["event"], "closed")]


async def test_a_cancel_that_comes_later_changes_what_the_sos_shows(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
        before = (await desk.get(PATH))["revision"]
        await gateway.ask(event(13, kind="sos_cancelled", detail="1", refers_to=EVENT))
        after = await desk.get(PATH)
    assert after["revision"] > before
    assert after["stage"] == "accepted"
    assert len(after["cancelled_by"]) == 1


async def test_closing_one_sos_leaves_the_wearers_other_alarms_open(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event(12), event(13), event(14, kind="fall"))
    await desk.post(f"{PATH}/close", {"operator": "A", "outcome": "helped"})
    stages = {name: row["stage"] for name, row in (await desk.incidents()).items()}
    assert stages == {EVENT: "closed", f"{WEARABLE}-00000d": "accepted", f"{WEARABLE}-00000e": "accepted"}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("take", {}),
        ("take", {"operator": ""}),
        ("take", {"operator": "   "}),
        ("take", {"operator": "x" * 41}),
        ("take", {"operator": "a\u0000b"}),
        ("take", {"operator": "\ud800"}),
        ("take", {"operator": 5}),
        ("take", {"operator": "A", "over": "yes"}),
        ("close", {"operator": "A"}),
        ("close", {"operator": "A", "outcome": "gone"}),
        ("close", {"operator": "A", "outcome": "helped", "note": ["x"]}),
        ("close", []),
    ],
)
async def test_what_is_posted_wrongly_changes_nothing(desk: Opened, broker: Broker, action: str, body: object) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
    status, said = await desk.post(f"{PATH}/{action}", body)
    assert (status, said["error"]) == (400, "not_understood")
    assert (await desk.get(PATH))["stage"] == "accepted"


async def test_an_unknown_incident_is_not_found(desk: Opened) -> None:
    for event_id in (EVENT, "x", "..%2f", "1d4f35debd828018-00000C"):
        status, said = await desk.post(f"/api/incidents/{event_id}/take", {"operator": "A"})
        assert (status, said["error"]) == (404, "no_such_incident")


async def test_news_waits_for_a_broker_that_is_away(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
    broker.stop()
    await desk.until_healthy(False)
    assert (await desk.post(f"{PATH}/take", {"operator": "A"}))[0] == 200
    waiting = await desk.desk._store.read(lambda connection: owed(connection, 10))
    assert [(news.gateway, news.stage) for news in waiting] == [("gw-1", "answered")]
    broker.start()
    async with asyncio.timeout(20):
        while await desk.desk._store.read(lambda connection: owed(connection, 10)):
            await asyncio.sleep(0.01)


async def test_news_owed_at_a_stop_is_told_by_the_next_start(broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(broker, tmp_path)
    async with Gateway(broker) as gateway:
        async with running(settings) as desk:
            await gateway.ask(event())

            async def dies(*_: object) -> None:
                await asyncio.Event().wait()

            desk.desk._courier._tell_gateway = dies  # type: ignore[method-assign, assignment]
            await desk.post(f"{PATH}/take", {"operator": "A"})
        async with running(settings):
            assert await gateway.next_answer() == ([(EVENT, "answered")], None)
