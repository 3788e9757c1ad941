"""Sealed positions: stored once, answered after the commit, shown with their event, forgotten in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hil_tests.broker.mosquitto import Broker
from protocol import codes
from protocol.trail_code import Position, accuracy_class
from protocol.watchful import Taken, pack_trail
from tests.tools.desk.conftest import ON_SQLITE
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import Gateway, event
from tests.tools.desk.strangers.talk import ask, counted
from tests.tools.desk.wearable import Wearable, key_file
from tools.desk.store import schema

NOW_S = 1_796_000_000
STRANGER = Wearable(bytes([7]) * 16)


def place(second: int, north: int = 2_257_830, east: int = 11_308_160, accuracy_m: int = 8) -> Position:
    return Position(NOW_S + second, north, east, accuracy_class(accuracy_m), sos=True)


@pytest.fixture
def wearable() -> Wearable:
    return Wearable()


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path, wearable: Wearable, database: str) -> AsyncIterator[Opened]:
    keys = key_file(tmp_path / "keys.json", wearable)
    async with running(settings_for(broker, tmp_path, keys_file=keys, database=database)) as opened:
        yield opened


def up_trail(gateway: str, wearable: str, *boxes: bytes, number: int = 0) -> dict[str, Any]:
    rows = [
        {
            "wearable": wearable,
            "number": number,
            "sequence": int.from_bytes(box[1:5], "big"),
            "box": box.hex(),
            "heard_age_ms": 5,
        }
        for box in boxes
    ]
    return {"v": 1, "gateway": gateway, "trails": rows}


async def hand_over(gateway: Gateway, wearable: Wearable, *boxes: bytes, number: int = 0) -> list[int]:
    """The sequences that are taken."""
    await gateway.say("trail", up_trail(gateway.name, wearable.handle, *boxes, number=number))
    rows = (await gateway.next("trail"))["taken"]
    assert {row["wearable"] for row in rows} == {wearable.handle}
    return [row["sequence"] for row in rows]


async def stored(desk: Opened) -> list[tuple[str, int]]:
    table = schema.trails.c
    query = select(table.wearable, table.sequence).order_by(table.sequence)
    rows = await desk.desk._store.read(lambda connection: list(connection.execute(query)))
    return [(row.wearable, row.sequence) for row in rows]


async def test_a_box_is_stored_once_and_taken_each_time(broker: Broker, desk: Opened, wearable: Wearable) -> None:
    one, two = wearable.trail(1, place(0)), wearable.trail(2, place(10))
    async with Gateway(broker) as gateway, Gateway(broker, "gw-2") as other:
        assert await hand_over(gateway, wearable, two, one) == [2, 1]
        assert await hand_over(gateway, wearable, two) == [2]
        assert await hand_over(other, wearable, one) == [1]
    assert await stored(desk) == [(wearable.handle, 1), (wearable.handle, 2)]
    assert await desk.incidents() == {}


@ON_SQLITE
async def test_a_box_that_nobody_here_can_open_is_kept_all_the_same(broker: Broker, desk: Opened) -> None:
    async with Gateway(broker) as gateway:
        assert await hand_over(gateway, STRANGER, STRANGER.trail(9, place(0)), number=12) == [9]
    assert await stored(desk) == [(STRANGER.handle, 9)]


@ON_SQLITE
async def test_a_forged_box_is_no_position_and_takes_no_genuine_ones_place(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    forged, genuine = wearable.trail(3, place(0), wrong=True), wearable.trail(3, place(0))
    async with Gateway(broker) as gateway:
        await gateway.ask(event(12, wearable.handle))
        assert await hand_over(gateway, wearable, forged, number=12) == [3]
        assert await stored(desk) == []
        assert (await desk.incidents())[f"{wearable.handle}-00000c"]["position"] is None
        assert await hand_over(gateway, wearable, genuine, number=12) == [3]
    assert await stored(desk) == [(wearable.handle, 3)]
    faults = await desk.until("/api/faults", lambda said: said["faults"])
    assert [row["why"] for row in faults["faults"]] == ["box: not genuine"]


@pytest.mark.parametrize("first", ["event", "trail"])
async def test_a_position_is_an_update_of_its_event_in_whichever_order_they_come(
    broker: Broker, desk: Opened, wearable: Wearable, first: str
) -> None:
    box = wearable.trail(5, place(0), place(10, 2_257_840, 11_308_170))
    async with Gateway(broker) as gateway:
        if first == "event":
            await gateway.ask(event(12, wearable.handle))
        await hand_over(gateway, wearable, box, number=12)
        if first == "trail":
            await gateway.ask(event(12, wearable.handle))
        before = await desk.incidents()
        await hand_over(gateway, wearable, wearable.trail(4, place(-60, 0, 0)), number=12)
        after = await desk.incidents()
        await hand_over(gateway, wearable, wearable.trail(6, place(70, 2_257_900, 11_308_200, 300)), number=12)
    last = await desk.incidents()
    (name,) = before
    assert name == f"{wearable.handle}-00000c"
    wanted = {"latitude": 22.5784, "longitude": 113.0817, "accuracy_m": 10, "at": "2026-11-30T00:53:30.000Z"}
    assert before[name]["position"] == wanted
    assert after == before, "an older one replaced it"
    assert last[name]["position"] == {**wanted, "latitude": 22.579, "longitude": 113.082, "accuracy_m": None} | {
        "at": "2026-11-30T00:54:30.000Z"
    }
    assert last[name]["revision"] > before[name]["revision"], "the page would not hear of it"


@ON_SQLITE
async def test_nothing_is_taken_while_the_store_fails(broker: Broker, desk: Opened, wearable: Wearable) -> None:
    """And the rest of a message counts where one row is none."""
    async with Gateway(broker) as gateway:
        await desk.sql("ALTER TABLE trails RENAME TO gone")
        await gateway.say("trail", up_trail(gateway.name, wearable.handle, wearable.trail(1, place(0))))
        await counted(desk, "store_failed", 1)
        await desk.sql("ALTER TABLE gone RENAME TO trails")
        message = up_trail(gateway.name, wearable.handle, wearable.trail(2, place(0)), wearable.trail(3, place(0)))
        message["trails"][0]["sequence"] = 9
        await gateway.say("trail", message)
        assert (await gateway.next("trail"))["taken"] == [{"wearable": wearable.handle, "sequence": 3}]
    assert await stored(desk) == [(wearable.handle, 3)]


@ON_SQLITE
async def test_a_strangers_trail_is_stored_and_taken_sealed(broker: Broker, desk: Opened, wearable: Wearable) -> None:
    async with Gateway(broker) as away:
        await ask(away, wearable.event(12))
        assert wearable.read(await away.next("stranger"), wearable.counter - 1) == [(codes.ACCEPTED, 12)]
        box = wearable.trail(8, place(0))
        await ask(away, wearable.seal(codes.TRAIL, pack_trail(12, box)))
        ((kind, body),) = wearable.opened(await away.next("stranger"), wearable.counter - 1)
        assert (kind, Taken(body).sequence) == (codes.TAKEN, 8)
    assert await stored(desk) == [(wearable.handle, 8)]
    assert (await desk.incidents())[f"{wearable.handle}-00000c"]["position"]["latitude"] == 22.5783


@ON_SQLITE
async def test_a_strangers_trail_is_not_taken_while_the_store_fails(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    """Nor is its counter spent: the same frame again is taken. What is here already is taken all the same."""
    async with Gateway(broker) as away:
        await ask(away, wearable.seal(codes.TRAIL, pack_trail(0, wearable.trail(7, place(0)))))
        await away.next("stranger")
        await desk.sql("ALTER TABLE windows RENAME TO gone")
        frame = wearable.seal(codes.TRAIL, pack_trail(0, wearable.trail(8, place(0))))
        await ask(away, frame)
        await counted(desk, "store_failed", 1)
        await ask(away, wearable.seal(codes.TRAIL, pack_trail(0, wearable.trail(7, place(0)))))
        ((kind, body),) = wearable.opened(await away.next("stranger"), wearable.counter - 1)
        assert (kind, Taken(body).sequence) == (codes.TAKEN, 7)
        await desk.sql("ALTER TABLE gone RENAME TO windows")
        wearable.counter -= 1
        await ask(away, frame)
        ((kind, body),) = wearable.opened(await away.next("stranger"), wearable.counter - 1)
        assert (kind, Taken(body).sequence) == (codes.TAKEN, 8)


async def test_what_is_past_its_time_is_forgotten_and_does_not_come_back(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    """Thirty days where there is no plan; a repeat of what was forgotten, or older, is taken and not stored."""
    async with Gateway(broker) as gateway:
        await gateway.ask(event(12, wearable.handle))
        await hand_over(gateway, wearable, wearable.trail(5, place(0)), number=12)
        day_ms = 86_400_000
        await desk.sql(f"UPDATE trails SET heard_ms = heard_ms - {29 * day_ms}")
        await desk.sql(f"UPDATE positions SET heard_ms = heard_ms - {29 * day_ms}")
        assert await desk.desk._housekeeping.tidy() == 0
        assert (await desk.incidents())[f"{wearable.handle}-00000c"]["position"] is not None
        await desk.sql(f"UPDATE trails SET heard_ms = heard_ms - {2 * day_ms}")
        await desk.sql(f"UPDATE positions SET heard_ms = heard_ms - {2 * day_ms}")
        assert await desk.desk._housekeeping.tidy() == 1
        assert (await desk.incidents())[f"{wearable.handle}-00000c"]["position"] is None
        await hand_over(gateway, wearable, wearable.trail(5, place(0)), wearable.trail(4, place(0)))
        assert await stored(desk) == []
        await hand_over(gateway, wearable, wearable.trail(6, place(0)))
    assert await stored(desk) == [(wearable.handle, 6)]


@ON_SQLITE
async def test_no_position_lies_open_in_the_database(broker: Broker, desk: Opened, wearable: Wearable) -> None:
    """Of a trail that is of no event, nothing but the box is stored."""
    async with Gateway(broker) as gateway:
        await hand_over(gateway, wearable, wearable.trail(5, place(0)))
    query = select(func.count()).select_from(schema.positions)
    assert await desk.desk._store.read(lambda connection: connection.execute(query).scalar_one()) == 0
