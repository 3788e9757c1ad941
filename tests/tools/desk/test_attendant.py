"""Wearers' tests are answered and closed by themselves, stage by stage; nothing else ever is. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import WEARABLE, WITHIN_S, Gateway, event
from tests.tools.desk.test_store import NOW_MS, listed, opened, owed, record, take
from tools.desk.store import Store, trials

TEST = f"{WEARABLE}-00000c"
ANSWERED_MS = NOW_MS + trials.ANSWERED_AFTER_MS


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as store:
        yield store


def a_test(number: int = 12, **over: Any) -> dict[str, Any]:
    scaip = {"dty": "0045", "stc": "0102"}
    made = {"kind": "test_by_hand", "class_": "test", "test": True, "detail": "0", "scaip": scaip, "contact_id": "601"}
    return event(number, **(made | over))


async def act(store: Store, now_ms: int) -> dict[str, list[str]]:
    return await store.write(lambda transaction: trials.answer(transaction, now_ms), trials.REVISIONS)


async def test_a_test_is_answered_then_closed_and_its_gateways_are_owed_each_stage(store: Store) -> None:
    assert await record(store, "gw-1", a_test()) == {TEST: "accepted"}
    await record(store, "gw-2", a_test())
    assert await store.read(trials.next_due_ms) == ANSWERED_MS
    assert await act(store, ANSWERED_MS - 1) == {}
    assert await act(store, ANSWERED_MS) == {"answered": [TEST]}
    assert {(news.gateway, news.stage) for news in await owed(store)} == {("gw-1", "answered"), ("gw-2", "answered")}
    closed_ms = ANSWERED_MS + trials.CLOSED_AFTER_MS
    assert await store.read(trials.next_due_ms) == closed_ms
    assert await act(store, closed_ms - 1) == {}
    assert await act(store, closed_ms) == {"closed": [TEST]}
    assert {(news.gateway, news.stage) for news in await owed(store)} == {("gw-1", "closed"), ("gw-2", "closed")}
    assert await act(store, closed_ms + 1) == {} and await store.read(trials.next_due_ms) is None
    row = (await listed(store))[TEST]
    assert (row["stage"], row["outcome"], row["operator"], row["by_itself"]) == ("closed", "test_passed", None, True)


@pytest.mark.parametrize(
    "over",
    [
        {"kind": "sos"},
        {"kind": "sos", "class_": "emergency", "test": False},
        {"class_": "emergency"},
        {"test": False},
        {"kind": "not_understood", "class_": "test", "raw": "60"},
        {"kind": "sos_cancelled", "class_": "test"},
    ],
)
async def test_whatever_is_not_wholly_a_test_is_for_people(store: Store, over: dict[str, Any]) -> None:
    await record(store, "gw-1", a_test(**over))
    assert await store.read(trials.next_due_ms) is None
    assert await act(store, NOW_MS + 10**9) == {}
    assert (await listed(store))[TEST]["stage"] == "accepted"


async def test_a_test_that_a_person_has_taken_is_the_persons(store: Store) -> None:
    await record(store, "gw-1", a_test())
    await take(store, TEST, "A")
    assert await act(store, NOW_MS + 10**9) == {}
    assert (await listed(store))[TEST]["stage"] == "answered"


async def test_the_desk_does_it_and_a_real_alarm_beside_it_waits_for_a_person(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        assert await gateway.ask(a_test(), event(13)) == [(TEST, "accepted"), (f"{WEARABLE}-00000d", "accepted")]
        async with asyncio.timeout(WITHIN_S):
            assert [(await gateway.next_answer())[0] for _ in range(2)] == [[(TEST, "answered")], [(TEST, "closed")]]
    found = await desk.incidents()
    assert (found[TEST]["stage"], found[f"{WEARABLE}-00000d"]["stage"]) == ("closed", "accepted")
    assert [row["action"] for row in (await desk.get(f"/api/incidents/{TEST}"))["actions"]] == [
        "accepted",
        "answered",
        "closed",
    ]
