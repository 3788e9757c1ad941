"""The store itself, on real SQLite and on real PostgreSQL: what is promised of one holds on both."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from edge_daemon.errors import Refusal
from hil_tests.desk.postgres import Postgres
from tests.tools.desk.gateway import WEARABLE, event, up_event
from tools.desk.errors import StoreFailed, TakenAlready
from tools.desk.reading.events import read_events
from tools.desk.reading.health import GatewayBeat, GatewayStatus, Sign
from tools.desk.reading.message import Fault, Message
from tools.desk.report import Report
from tools.desk.store import Store, actions, events, faults, gateways, views, windows
from tools.desk.store.store import Transaction

NOW_MS = 1_795_000_000_000
EVENT = f"{WEARABLE}-00000c"


def reports(gateway: str, *rows: dict[str, Any]) -> list[Report]:
    topic = f"pingan/v1/jianghai/{gateway}/up/event"
    payload = json.dumps(up_event(gateway, *rows)).encode()
    read = read_events(Message("jianghai", gateway, "event", topic, payload, NOW_MS), clock_is_good=True)
    assert read.faults == []
    return read.reports


async def record(store: Store, gateway: str, *rows: dict[str, Any]) -> dict[str, str]:
    said = reports(gateway, *rows)
    return await store.write(lambda transaction: events.record(transaction, said, NOW_MS), events.revisions_for(said))


async def listed(store: Store) -> dict[str, views.View]:
    return {row["event"]: row for row in (await store.read(views.listed))["incidents"]}


async def take(store: Store, event: str, operator: str) -> list[str]:
    return await store.write(
        lambda transaction: actions.take(transaction, event, operator, NOW_MS, over=False), actions.REVISIONS
    )


async def close(store: Store, event: str, operator: str, outcome: str, note: str | None = None) -> list[str]:
    return await store.write(
        lambda transaction: actions.close(transaction, event, operator, outcome, note, NOW_MS), actions.REVISIONS
    )


async def owed(store: Store) -> list[actions.News]:
    return await store.read(lambda connection: actions.owed(connection, 10))


def broken(transaction: Transaction) -> None:
    transaction.run(text("INSERT INTO nothing VALUES (1)"))


@contextlib.asynccontextmanager
async def opened(database: str) -> AsyncIterator[Store]:
    store = Store(database)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as store:
        yield store


async def test_an_event_is_one_incident_however_often_and_through_whomever_it_comes(store: Store) -> None:
    for gateway in ("gw-1", "gw-1", "gw-2", "gw-1"):
        assert await record(store, gateway, event(12), event(12), event(13)) == {
            EVENT: "accepted",
            f"{WEARABLE}-00000d": "accepted",
        }
    found = await listed(store)
    assert len(found) == 2
    assert [(row["gateway"], row["times"]) for row in found[EVENT]["reports"]] == [("gw-1", 6), ("gw-2", 2)]


async def test_what_left_the_transaction_is_there_after_opening_again(database: str) -> None:
    async with opened(database) as store:
        await record(store, "gw-1", event(12, detail="hold"))
        desk_id = store.id
    async with opened(database) as store:
        assert store.id == desk_id
        assert (await listed(store))[EVENT]["detail"] == "hold"


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    def work(transaction: Transaction) -> None:
        events.record(transaction, reports("gw-1", event(12)), NOW_MS)
        broken(transaction)

    with pytest.raises(StoreFailed):
        await store.write(work, 4)
    assert not store.healthy
    assert await listed(store) == {}
    await record(store, "gw-1", event(13))
    assert store.healthy
    assert set(await listed(store)) == {f"{WEARABLE}-00000d"}


async def test_many_writers_at_once_number_their_changes_without_gap_or_double(store: Store) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    shuffle = random.Random(seed)
    sends = [(gateway, number) for gateway in ("gw-1", "gw-2", "gw-3") for number in range(20)]
    shuffle.shuffle(sends)
    await asyncio.gather(*(record(store, gateway, event(number)) for gateway, number in sends))
    found = await listed(store)
    assert len(found) == 20
    for row in found.values():
        assert sorted(report["gateway"] for report in row["reports"]) == ["gw-1", "gw-2", "gw-3"]
    assert len({row["revision"] for row in found.values()}) == 20
    since = await store.read(lambda connection: views.since(connection, 0, 100))
    assert [row["revision"] for row in since] == sorted(row["revision"] for row in found.values())


async def test_taking_and_closing_is_noted_once_and_owed_to_every_gateway(store: Store) -> None:
    await record(store, "gw-1", event(12))
    await record(store, "gw-2", event(12))
    assert await take(store, EVENT, "王芳") == [EVENT]
    with pytest.raises(TakenAlready):
        await take(store, EVENT, "B")
    waiting = await owed(store)
    assert [(news.gateway, news.stage) for news in waiting] == [("gw-1", "answered"), ("gw-2", "answered")]
    assert await close(store, EVENT, "王芳", "helped", "已送医") == [EVENT]
    # Told as answered meanwhile; closed is owed all the same.
    await store.write(lambda transaction: actions.told(transaction, waiting))
    assert [news.stage for news in await owed(store)] == ["closed", "closed"]
    one = await store.read(lambda connection: views.one(connection, EVENT))
    assert one is not None
    assert [(row["action"], row["operator"], row["note"]) for row in one["actions"]] == [
        ("accepted", None, None),
        ("answered", "王芳", None),
        ("closed", "王芳", "已送医"),
    ]
    assert await record(store, "gw-3", event(12)) == {EVENT: "closed"}


async def test_the_cancel_of_an_sos_goes_with_it_and_no_other_event_does(store: Store) -> None:
    cancel = event(13, kind="sos_cancelled", detail="1", refers_to=EVENT)
    await record(store, "gw-1", event(12), cancel, event(14))
    assert await close(store, EVENT, "A", "cancelled") == [EVENT, cancel["event"]]
    assert (await listed(store))[f"{WEARABLE}-00000e"]["stage"] == "accepted"


async def test_a_counter_is_spent_once_and_with_what_it_brought(store: Store) -> None:
    async def spend(counter: int) -> bool:
        return await store.write(lambda transaction: windows.spend(transaction, WEARABLE, counter))

    def fail(transaction: Transaction) -> None:
        assert windows.spend(transaction, WEARABLE, 0xFFFFFFFF)
        broken(transaction)

    assert await spend(0xFFFFFFFF - 1)
    assert not await spend(0xFFFFFFFF - 1)
    with pytest.raises(StoreFailed):
        await store.write(fail)
    assert not await spend(5)
    assert await spend(0xFFFFFFFF), "what came before the fault was kept"
    assert await store.read(windows.loaded) == {WEARABLE: 0xFFFFFFFF}


async def test_open_events_are_told_newest_last_and_the_asked_one_whatever_it_is(store: Store) -> None:
    await record(store, "gw-1", *[event(number) for number in range(20)])
    await close(store, f"{WEARABLE}-000003", "A", "helped")

    def look(connection: Connection) -> None:
        told = windows.stages(connection, WEARABLE, 3, 16)
        assert told == [*[(number, "accepted") for number in range(4, 20)], (3, "closed")]
        assert windows.stage(connection, f"{WEARABLE}-000003") == "closed"
        assert windows.stage(connection, f"{WEARABLE}-0000ff") is None

    await store.read(look)


async def test_faults_are_kept_raw_and_the_oldest_give_way(store: Store) -> None:
    def fault(number: int) -> Fault:
        return Fault(NOW_MS, "pingan/v1/a/b/up/event", f"why {number}", b"\x00\xff" + str(number).encode())

    for first in range(0, faults.KEPT + 300, 300):
        some = [fault(number) for number in range(first, first + 300)]
        await store.write(partial(lambda some, transaction: faults.keep(transaction, some), some))
    count = await store.read(lambda connection: connection.execute(text("SELECT count(*) FROM faults")).scalar_one())
    newest = (await store.read(faults.listed))[0]
    assert count == faults.KEPT
    # Bytes that are no text, and the one character that PostgreSQL's text cannot hold, are kept as they came.
    assert newest["payload"] == "\x00\ufffd1499"


async def test_health_is_the_newest_and_a_will_is_no_sign_of_life(store: Store) -> None:
    beat = {"uptime_s": 1, "version": "1", "waiting": 0, "links": [], "counters": {}}

    def work(transaction: Transaction) -> None:
        gateways.beat(transaction, GatewayBeat("jianghai", "gw-1", NOW_MS, beat))
        gateways.status(transaction, GatewayStatus("jianghai", "gw-1", NOW_MS + 5000, "offline"))
        for battery_percent, heard_ms in ((80, NOW_MS), (90, NOW_MS - 60_000)):
            beat_of = {"wearable": WEARABLE, "battery_percent": battery_percent}
            gateways.heard(transaction, [Sign(WEARABLE, "jianghai", "gw-1", heard_ms, beat_of)])

    await store.write(work, 4)
    (gateway,) = await store.read(lambda connection: gateways.listed(connection, NOW_MS + 5000))
    (wearable,) = await store.read(lambda connection: gateways.wearables_listed(connection, NOW_MS))
    assert (gateway["state"], gateway["seen_at"]) == ("offline", "2026-11-18T11:06:40.000Z")
    assert wearable["battery_percent"] == 80


async def test_a_database_of_another_version_is_refused(database: str) -> None:
    async with opened(database) as store:
        later = text("UPDATE meta SET value = '99' WHERE name = 'version'")
        await store.write(lambda transaction: transaction.run(later))
    with pytest.raises(Refusal) as refused:
        await Store(database).open()
    assert refused.value.key == "desk.database_version"


async def test_a_database_of_before_care_is_taken_up_with_what_is_in_it(database: str) -> None:
    """Tables that are new are made where they are missing; nothing else is touched."""
    new = ("trails", "positions", "forgotten", "care", "care_at", "commands")
    async with opened(database) as store:
        await record(store, "gw-1", event(12))
        for table in new:
            await store.write(lambda transaction, name=table: transaction.run(text(f"DROP TABLE {name}")))
    async with opened(database) as store:
        (row,) = (await listed(store)).values()
        assert (row["stage"], row["position"], row["look"]) == ("accepted", None, None)


async def test_desks_that_make_a_database_at_the_same_time_make_one(postgres_database: str) -> None:
    stores = [Store(postgres_database) for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    try:
        assert len({store.id for store in stores}) == 1
        await asyncio.gather(*(record(store, f"gw-{n}", event(12), event(n)) for n, store in enumerate(stores)))
        found = await listed(stores[0])
        assert len(found) == 7
        assert len(found[EVENT]["reports"]) == 6
    finally:
        for store in stores:
            await store.close()


async def test_a_server_that_crashes_fails_the_transaction_loses_nothing_and_is_taken_up_again(
    postgres: Postgres, postgres_database: str
) -> None:
    async with opened(postgres_database) as store:
        await record(store, "gw-1", event(12))
        postgres.crash()
        with pytest.raises(StoreFailed):
            await record(store, "gw-1", event(13))
        assert not store.healthy
        postgres.start()
        await record(store, "gw-1", event(14))
        assert set(await listed(store)) == {EVENT, f"{WEARABLE}-00000e"}


async def test_a_server_that_says_committed_before_it_is_on_disk_is_refused(
    postgres: Postgres, postgres_database: str
) -> None:
    name = postgres_database.partition("@/")[2].partition("?")[0]
    postgres.execute("postgres", f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    with pytest.raises(Refusal) as refused:
        await Store(postgres_database).open()
    assert refused.value.key == "desk.database_not_durable"


async def test_a_sqlite_file_is_the_owners_alone_and_of_one_desk_alone(tmp_path: Any) -> None:
    path = tmp_path / "new" / "desk.sqlite3"
    async with opened(str(path)):
        assert path.stat().st_mode & 0o077 == 0
        with pytest.raises(Refusal) as refused:
            await Store(str(path)).open()
    assert refused.value.key == "desk.database_unusable"
