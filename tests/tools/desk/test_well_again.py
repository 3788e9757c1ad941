"""Wearers' own ends, check-ins and badges: what is joined, what closes by itself, what is left to a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol import kinds
from tests.tools.desk.gateway import JOURNAL, WEARABLE, event, own
from tests.tools.desk.test_store import listed, opened, owed, record
from tools.desk.store import Store, visits

BADGE = "00112233445566aa"
CHECKIN = "kind=checkin id=morning on=2026-11-28 due=08:00"


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as store:
        yield store


def worn(kind: str, number: int, detail: str = "0", **over: Any) -> dict[str, Any]:
    """A wearable's event, with the class and codes of its kind."""
    meaning = next(row for row in kinds.ON_AIR.values() if row.name == kind)
    made = event(number, kind=kind, class_=meaning.event_class, detail=detail, contact_id=meaning.contact_id)
    made |= {"scaip": {"dty": meaning.dty, "stc": meaning.stc}, "restore": meaning.restore}
    return {**made, **over}


def _id(number: int, of: str = WEARABLE) -> str:
    return f"{of}-{number:06x}"


async def test_a_fence_entered_ends_the_same_fence_left_and_needs_nobody(store: Store) -> None:
    await record(store, "gw-1", worn("fence_left", 1, "2"), worn("fence_left", 2, "3"))
    assert await record(store, "gw-1", worn("fence_entered", 3, "2")) == {_id(3): "closed"}
    found = await listed(store)
    assert (found[_id(1)]["stage"], found[_id(1)]["ended_by"]) == ("accepted", _id(3))
    assert found[_id(1)]["ended_at"] is not None
    assert (found[_id(2)]["stage"], found[_id(2)]["ended_by"]) == ("accepted", None)


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_wearers_end_in_either_order(store: Store, backwards: bool) -> None:
    """What is urgent is marked as over and stays a person's; a fault closes."""
    pairs = [
        ("home_left", "home_returned", "accepted"),
        ("wearable_removed", "wearable_worn", "closed"),
        ("wearable_battery_low", "wearable_battery_ok", "closed"),
    ]
    for number, (began, end, stage) in enumerate(pairs):
        first, second = 2 * number + 1, 2 * number + 2
        rows = [worn(began, first), worn(end, second)]
        for row in reversed(rows) if backwards else rows:
            await record(store, "gw-1", row)
        found = await listed(store)
        assert [found[_id(n)]["stage"] for n in (first, second)] == [stage, "closed"], began
        assert found[_id(first)]["ended_by"] == _id(second)


async def test_nothing_that_asks_for_somebody_closes_by_itself(store: Store) -> None:
    """Whatever else the wearable says behind it: every end there is."""
    asking = {row.code: row.name for row in kinds.ON_AIR.values() if not row.restore}
    ends = [row.name for row in kinds.ON_AIR.values() if row.restore]
    stages = await record(store, "gw-1", *[worn(name, code) for code, name in asking.items()])
    await record(store, "gw-1", *[worn(name, 300 + n) for n, name in enumerate([*ends, "checkin_answered"])])
    noted = {"checkin_answered", "visit_arrived", "visit_done"}
    ended = {"wearable_removed", "wearable_battery_low", "wearable_battery_critical"}
    assert {asking[int(event[17:], 16)] for event, stage in stages.items() if stage == "closed"} == noted
    found = await listed(store)
    closed = {name for code, name in asking.items() if found[_id(code)]["stage"] == "closed"}
    assert closed == noted | ended


async def test_a_fall_that_somebody_got_up_from_is_for_a_person(store: Store) -> None:
    assert await record(store, "gw-1", worn("fall_recovered", 1)) == {_id(1): "accepted"}


async def test_an_end_that_a_wearable_says_of_a_gateways_condition_ends_nothing(store: Store) -> None:
    """And none but its own."""
    await record(store, "gw-1", own("inactive", 1, WEARABLE), worn("home_left", 1))
    await record(store, "gw-1", worn("home_returned", 2, event=_id(2, BADGE), wearable=BADGE))
    await record(store, "gw-1", event(3, kind="active_again", class_="service", restore=True))
    found = await listed(store)
    assert found[_id(1, JOURNAL)]["ended_by"] is None
    assert found[_id(1)]["ended_by"] is None
    # Of a wearable that is no kind of ours: a card like any request.
    assert found[_id(3)]["stage"] == "accepted"


async def test_a_checkin_that_is_settled_is_over_and_settles_no_other(store: Store) -> None:
    for at, kind in enumerate(("checkin_silent", "checkin_not_worn", "checkin_unreachable")):
        one, two, three = 3 * at + 1, 3 * at + 2, 3 * at + 3
        this, other = CHECKIN.replace("morning", f"id{at}"), CHECKIN.replace("morning", f"other{at}")
        await record(store, "gw-1", own(kind, one, WEARABLE, note=f"{this} tries=3"))
        await record(store, "gw-1", own(kind, two, WEARABLE, note=f"{other} tries=3"))
        end = own("checkin_settled", three, WEARABLE, note=f"{this} was=silent")
        assert await record(store, "gw-1", end) == {_id(three, JOURNAL): "closed"}
        found = await listed(store)
        assert [found[_id(n, JOURNAL)]["ended_by"] for n in (one, two)] == [_id(three, JOURNAL), None]
        assert [found[_id(n, JOURNAL)]["stage"] for n in (one, two)] == ["accepted", "accepted"]


async def test_a_visit_goes_on_until_the_badge_left(store: Store) -> None:
    assert await record(store, "gw-1", own("badge_arrived", 1, BADGE)) == {_id(1, JOURNAL): "accepted"}
    (visit,) = await store.read(visits.listed)
    assert (visit["badge"], visit["gateway"], visit["left_at"], visit["minutes"]) == (BADGE, "gw-1", None, None)
    note = "minutes=42 purpose=care,call_me silent=66 new=word at_least"
    assert await record(store, "gw-1", own("badge_left", 2, BADGE, note=note)) == {_id(2, JOURNAL): "closed"}
    (visit,) = await store.read(visits.listed)
    assert visit["left_at"] == visit["arrived_at"], "it was over before it was said, and no visit ends before it began"
    assert (visit["minutes"], visit["purposes"], visit["at_least"]) == (42, ["care", "call_me"], True)
    # Not in the history of what was over: they would push out everything else.
    assert await listed(store) == {}
    # The same badge again is another visit, and a note of nonsense says nothing.
    await record(
        store, "gw-1", own("badge_arrived", 3, BADGE), own("badge_left", 4, BADGE, note="minutes=x purpose=none")
    )
    again = (await store.read(visits.listed))[0]
    assert (again["minutes"], again["purposes"], again["at_least"]) == (None, [], False)
    assert [(news.event, news.stage) for news in await owed(store)] == [(_id(1, JOURNAL), "closed")]
