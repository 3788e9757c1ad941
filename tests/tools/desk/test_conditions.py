"""Gateways' own events: what needs nobody's click closes by itself and stays in the history. On both databases."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hil_tests.broker.mosquitto import Broker
from protocol import kinds
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import JOURNAL, WEARABLE, WITHIN_S, Gateway, event, own
from tests.tools.desk.test_store import NOW_MS, close, listed, opened, owed, record, reports, take
from tools.desk.store import Store, events, views

LATER = "ffeeddccbbaa9988"


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as store:
        yield store


def _id(number: int, journal: str = JOURNAL) -> str:
    return f"{journal}-{number:06x}"


async def _one(store: Store, name: str) -> views.View:
    found = await store.read(lambda connection: views.one(connection, name))
    assert found is not None
    return found


async def _closed(store: Store) -> dict[str, str]:
    return {name: row["outcome"] for name, row in (await listed(store)).items() if row["stage"] == "closed"}


PAIRS = [
    (kinds.BY_CODE[kind.code - 1], kind)
    for kind in kinds.BY_CODE.values()
    if kind.code >= kinds.FIRST_OF_GATEWAY and kind.restore
]


async def test_every_condition_is_over_when_its_end_comes_and_both_are_closed_by_themselves(store: Store) -> None:
    numbers = itertools.count(1)
    for began, end in PAIRS:
        first, second = next(numbers), next(numbers)
        assert await record(store, "gw-1", own(began.name, first, "x")) == {_id(first): "accepted"}
        assert await record(store, "gw-1", own(end.name, second, "x")) == {_id(second): "closed"}
        begun = await _one(store, _id(first))
        if began.event_class == "urgent":
            assert (begun["stage"], begun["ended_by"]) == ("accepted", _id(second)), began.name
            continue
        assert (begun["stage"], begun["outcome"], begun["by_itself"]) == ("closed", "itself", True), began.name
        assert begun["ended_by"] == _id(second)
        assert begun["ended_at"] is not None
        assert [(row["action"], row["operator"]) for row in begun["actions"]] == [("accepted", None), ("closed", None)]
    assert len(PAIRS) == 17


@pytest.mark.parametrize("turn", range(4))
async def test_the_order_in_which_they_come_changes_nothing(store: Store, turn: int) -> None:
    """Two faults of one kind one after the other, another adapter's that goes on, and a repeat of each, shuffled."""
    # The first had a beginning and a later end in one transaction, after the end that was its own.
    seed = 1640695473 if turn == 0 else random.randrange(1 << 32)
    print("seed", seed, "turn", turn)
    chance = random.Random(seed)
    rows = [own(kind, n, "hci0") for n, kind in enumerate(("radio_deaf", "radio_restored") * 2, start=1)]
    rows = [*rows, own("radio_deaf", 9, "hci1")] * 2
    chance.shuffle(rows)
    while rows:
        some = chance.randint(1, 4)
        await record(store, "gw-1", *rows[:some])
        rows = rows[some:]
    found = await listed(store)
    assert {name for name, row in found.items() if row["stage"] != "closed"} == {_id(9)}
    assert [found[_id(n)]["ended_by"] for n in (1, 3, 9)] == [_id(2), _id(4), None]
    for number in (1, 3):
        actions = (await _one(store, _id(number)))["actions"]
        assert [row["action"] for row in actions] == ["accepted", "closed"], "it was closed once"


async def test_what_somebody_took_closes_too_and_its_gateway_is_told(store: Store) -> None:
    await record(store, "gw-1", own("mains_lost", 1, "ACAD"))
    await take(store, _id(1), "王芳")
    assert await record(store, "gw-1", own("mains_restored", 2, "ACAD")) == {_id(2): "closed"}
    row = await _one(store, _id(1))
    assert (row["stage"], row["operator"], row["outcome"]) == ("closed", "王芳", "itself")
    # The end itself was told by its answer.
    assert [(news.event, news.stage) for news in await owed(store)] == [(_id(1), "closed")]


async def test_what_a_person_closed_stays_as_they_closed_it(store: Store) -> None:
    await record(store, "gw-1", own("mains_lost", 1, "ACAD"))
    await close(store, _id(1), "王芳", "fixed")
    await record(store, "gw-1", own("mains_restored", 2, "ACAD"))
    row = await _one(store, _id(1))
    assert (row["operator"], row["outcome"], row["by_itself"]) == ("王芳", "fixed", False)


@pytest.mark.parametrize(
    "other",
    [
        {"about": "hci1"},
        {"journal": LATER},
        {"kind": "link_restored"},
        # A wearable's event of that name ends nothing, and a class that is not the kind's is not believed.
        {"source": "wearable", "wearable": JOURNAL, "about": None},
        {"class": "service"},
    ],
)
async def test_another_end_ends_nothing(store: Store, other: dict[str, Any]) -> None:
    await record(store, "gw-1", own("radio_deaf", 1, "hci0"))
    made = {"about": "hci0", "kind": "radio_restored", **other}
    named = own(made.pop("kind"), 2, made.pop("about"), made.pop("journal", JOURNAL))
    await record(store, "gw-2", {**named, **made, "link": "ble" if made.get("source") else "gateway"})
    assert (await _one(store, _id(1)))["stage"] == "accepted"


async def test_what_is_urgent_is_marked_as_over_and_left_to_a_person(store: Store) -> None:
    await record(store, "gw-1", own("supervision_lost", 1, WEARABLE), own("wearable_missing", 2, WEARABLE))
    await record(store, "gw-1", own("certificate_expires_soon", 3, "primary own"), own("replay_rejected", 4, WEARABLE))
    await record(store, "gw-1", own("supervision_restored", 5, WEARABLE))
    found = await listed(store)
    assert [found[_id(n)]["stage"] for n in range(1, 6)] == ["closed", "accepted", "accepted", "accepted", "closed"]
    assert found[_id(2)]["ended_by"] == _id(5)
    assert found[_id(2)]["ended_at"] is not None


async def test_tests_of_ways_are_done_at_once_and_a_wearables_test_is_not(store: Store) -> None:
    names = ("path_test_primary", "path_test_backup", "path_test_sms")
    for number, name in enumerate(names):
        assert await record(store, "gw-1", own(name, number, name)) == {_id(number): "closed"}
        # Asked again, as after an answer that got lost.
        assert await record(store, "gw-1", own(name, number, name)) == {_id(number): "closed"}
        row = await _one(store, _id(number))
        assert (row["stage"], row["outcome"], row["by_itself"]) == ("closed", "noted", True)
    assert await owed(store) == []
    periodic = event(1, kind="test_periodic", class_="test", test=True)
    assert await record(store, "gw-1", periodic) == {f"{WEARABLE}-000001": "accepted"}


async def test_a_gateway_that_starts_again_and_again_is_a_persons_business_once(store: Store) -> None:
    stages = [(await record(store, "gw-1", own("restarted", n)))[_id(n)] for n in range(1, 6)]
    assert stages == ["closed", "closed", "accepted", "closed", "closed"]
    await close(store, _id(3), "A", "visit")
    assert await record(store, "gw-1", own("restarted", 6)) == {_id(6): "accepted"}
    # Another gateway's is its own.
    assert await record(store, "gw-2", own("restarted", 1, journal=LATER)) == {_id(1, LATER): "closed"}


async def test_restarts_of_other_days_do_not_count(store: Store) -> None:
    for number in (1, 2):
        await record(store, "gw-1", own("restarted", number))
    said = reports("gw-1", own("restarted", 3))
    tomorrow_ms = NOW_MS + 90_000_000
    stages = await store.write(
        lambda transaction: events.record(transaction, said, tomorrow_ms), events.revisions_for(said)
    )
    assert stages == {_id(3): "closed"}


async def test_a_certificates_later_warning_takes_the_earlier_ones_place(store: Store) -> None:
    await record(store, "gw-1", own("certificate_expires", 1, "primary own", note="expires 2026-12-24"))
    await record(store, "gw-1", own("certificate_expires", 2, "backup own"))
    await record(store, "gw-1", own("certificate_expires", 3, "primary own"))
    await record(store, "gw-1", own("certificate_expires_soon", 4, "primary own"))
    assert await _closed(store) == {_id(1): "overtaken", _id(3): "overtaken"}


async def test_what_of_a_wearable_is_out_of_use_now_takes_the_place_of_what_was(store: Store) -> None:
    await record(store, "gw-1", own("wearable_impaired", 1, WEARABLE, note="motion"))
    await record(store, "gw-1", own("wearable_impaired", 2, "ff" * 8, note="motion"))
    await record(store, "gw-1", own("wearable_impaired", 3, WEARABLE, note="screen motion"))
    assert await _closed(store) == {_id(1): "overtaken"}
    await record(store, "gw-1", own("wearable_whole", 4, WEARABLE))
    assert await _closed(store) == {_id(1): "overtaken", _id(3): "itself", _id(4): "itself"}


async def test_a_new_journal_leaves_its_own_gateways_old_conditions_behind_and_no_others(store: Store) -> None:
    await record(store, "gw-1", own("mains_lost", 1, "ACAD"), own("store_damaged", 2, "journal.sqlite3"))
    await record(store, "gw-1", own("wearable_missing", 3, WEARABLE))
    await record(store, "gw-2", own("mains_lost", 1, "ACAD", journal="00" * 8))
    # Several at once, as after an outage: the first of a journal come together.
    await record(store, "gw-1", own("restarted", 1, journal=LATER), own("mains_lost", 2, "ACAD", journal=LATER))
    assert await _closed(store) == {_id(1): "overtaken", _id(1, LATER): "noted"}
    await record(store, "gw-1", own("radio_deaf", 3, "hci0", journal=LATER))
    assert set(await _closed(store)) == {_id(1), _id(1, LATER)}


async def test_what_closed_by_itself_does_not_push_out_what_people_closed(store: Store) -> None:
    await record(store, "gw-1", event(12))
    await close(store, f"{WEARABLE}-00000c", "A", "helped")
    pair = ("supervision_lost", "supervision_restored")
    for first in range(1, 121, 40):
        await record(store, "gw-1", *[own(pair[n % 2], first + n, WEARABLE) for n in range(40)])
        await record(store, "gw-1", *[own("path_test_primary", 1000 + first + n, "primary") for n in range(40)])
    found = await listed(store)
    assert f"{WEARABLE}-00000c" in found
    # Tests of ways out would push out what was over.
    assert [row["test"] for row in found.values()] == [False] * (1 + views.CLOSED_MOST)


async def test_over_the_broker_an_end_is_answered_closed_and_its_beginning_told_so(
    desk: Opened, broker: Broker
) -> None:
    async with Gateway(broker) as gateway:
        assert await gateway.ask(own("path_primary_lost", 1, "primary")) == [(_id(1), "accepted")]
        assert (await desk.get("/api/incidents"))["open"] == 1
        assert await gateway.ask(own("path_primary_restored", 2, "primary")) == [(_id(2), "closed")]
        assert await gateway.next_answer() == ([(_id(1), "closed")], None)
        assert (await desk.get("/api/incidents"))["open"] == 0
    assert WITHIN_S > 5, "the courier looks every five seconds"
