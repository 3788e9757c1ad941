"""Plans and settings at the desk: kept if newer, sent to every gateway of the wearable until they are lived by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.cared import STRANGER, own_settings, plan, row, says, until_said
from tests.tools.desk.conftest import ON_SQLITE
from tests.tools.desk.desk_house import Opened, cut_off, running, settings_for
from tests.tools.desk.gateway import Gateway, event
from tests.tools.desk.strangers.talk import ask
from tests.tools.desk.test_trails import hand_over, place, stored
from tests.tools.desk.wearable import Wearable, key_file
from tools.desk import care
from tools.desk.settings import DeskSettings
from tools.desk.store import schema

CONNECTED = {"v": 1, "state": "online", "reason": "connected"}
BEAT = {"v": 1, "gateway": "gw-1", "uptime_s": 1, "version": "1", "waiting": 0, "counters": {}, "links": []}


@pytest.fixture
def wearable() -> Wearable:
    return Wearable()


@pytest.fixture
def settings(broker: Broker, tmp_path: Path, wearable: Wearable, database: str) -> DeskSettings:
    return settings_for(broker, tmp_path, keys_file=key_file(tmp_path / "keys.json", wearable), database=database)


@pytest.fixture
async def desk(settings: DeskSettings) -> AsyncIterator[Opened]:
    async with running(settings) as opened:
        yield opened


async def until_sent(desk: Opened, wearable: Wearable) -> None:
    """Until the desk knows that the broker has it."""
    path = f"/api/care/{wearable.handle}"
    await desk.until(path, lambda said: all(each["sent_at"] for each in said["gateways"]))


async def test_a_plan_goes_to_every_gateway_of_its_wearable_and_to_no_other(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    async with Gateway(broker) as home, Gateway(broker, "gw-2") as second, Gateway(broker, "gw-3") as third:
        for gateway in (home, second):
            await gateway.ask(event(12, wearable.handle))
        await third.ask(event(12, STRANGER.handle))
        said = row(wearable, plan=plan(wearable, 7), settings=own_settings(wearable, 3))
        status, answer = await desk.post("/api/care", said)
        assert (status, answer["plan_version"], answer["settings_version"]) == (200, 7, 3)
        assert (answer["beneficiary"], answer["centre"], answer["retention_days"]) == ("older", "jianghai", 30)
        for gateway in (home, second):
            assert await gateway.next("care") == {"v": 1, "rows": [said]}
        await says(home, wearable, plan_version=7, settings_version=None)
        known = await until_said(desk, wearable, "gw-1", plan_version=7)
        assert {each["gateway"] for each in known["gateways"]} == {"gw-1", "gw-2"}
        assert third.received.empty()


async def given(gateway: Gateway, desk: Opened, wearable: Wearable) -> dict[str, Any]:
    """A gateway that has heard a wearable is sent a plan, 7, and settings, 3; the row."""
    await gateway.ask(event(12, wearable.handle))
    said = row(wearable, plan=plan(wearable, 7), settings=own_settings(wearable, 3))
    await desk.post("/api/care", said)
    await gateway.next("care")
    return said


async def test_a_gateway_that_has_forgotten_its_plans_is_sent_them_again_when_it_connects(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    """It said that it lives by them; then came a new card, or its file was damaged. It says nothing of that."""
    async with Gateway(broker) as gateway:
        said = await given(gateway, desk, wearable)
        await says(gateway, wearable, plan_version=7, settings_version=3)
        await until_said(desk, wearable, "gw-1", plan_version=7, settings_version=3)
        for _ in range(2):
            await gateway.say("status", {**CONNECTED, "gateway": "gw-1"})
            assert (await gateway.next("care"))["rows"] == [said]
            await until_sent(desk, wearable)


async def test_a_gateway_that_cannot_be_reached_is_in_no_others_way(
    broker: Broker, desk: Opened, wearable: Wearable, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = row(wearable, plan=plan(wearable, 7))
    # However much is due to it: those after it have their turn.
    monkeypatch.setattr(care, "_AT_ONCE", 1)
    async with Gateway(broker) as home, Gateway(broker, "gw-2") as second:
        with cut_off(desk, "gw-1") as tried:
            for gateway in (home, second):
                await gateway.ask(event(12, wearable.handle))
            tried.clear()
            await desk.post("/api/care", said)
            assert (await second.next("care"))["rows"] == [said]
            assert home.received.empty()
        # What it is yet to be sent stays due.
        desk.desk._care.wake()
        assert (await home.next("care"))["rows"] == [said]
        assert tried[0] == "gw-1"


async def test_what_is_not_lived_by_is_sent_again_when_its_gateway_connects(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        said = await given(gateway, desk, wearable)
        # It keeps the plan; the wearable has not been there for its settings yet.
        await says(gateway, wearable, plan_version=7)
        await until_said(desk, wearable, "gw-1", plan_version=7)
        await gateway.say("status", {**CONNECTED, "gateway": "gw-1"})
        assert (await gateway.next("care"))["rows"] == [said]
        await says(gateway, wearable, plan_version=7, settings_version=3)
        await until_said(desk, wearable, "gw-1", settings_version=3)
        await gateway.say("status", {**CONNECTED, "gateway": "gw-1"})
        assert (await gateway.next("care"))["rows"] == [said]
        # What it says behind its connection is stored behind it.
        await says(gateway, wearable, plan_version=7, settings_version=3, result="refused", reason="too_old")
        await until_said(desk, wearable, "gw-1", reason="too_old")
        due = select(func.count()).select_from(schema.care_at).where(schema.care_at.c.due)
        assert await desk.desk._store.read(lambda connection: connection.execute(due).scalar_one()) == 0
        assert (await desk.counters())["care_sent"] == 3
        newer = row(wearable, plan=plan(wearable, 8))
        await desk.post("/api/care", newer)
        assert (await gateway.next("care"))["rows"] == [{**said, "plan": newer["plan"]}]


@ON_SQLITE
async def test_a_gateway_that_hears_the_wearable_later_is_sent_it_when_it_connects(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    status, answer = await desk.post("/api/care", row(wearable, plan=plan(wearable, 7)))
    assert (status, answer["gateways"]) == (200, [])
    async with Gateway(broker, "gw-late") as gateway:
        await gateway.ask(event(12, wearable.handle))
        await gateway.say("status", {**CONNECTED, "gateway": "gw-late"})
        (sent,) = (await gateway.next("care"))["rows"]
        assert (sent["plan"]["version"], sent["settings"]) == (7, None)
    async with Gateway(broker, "gw-later") as gateway:
        # Also without a connection of its own, once it has heard it.
        await gateway.ask(event(13, wearable.handle))
        desk.desk._care.wake()
        assert (await gateway.next("care"))["rows"] == [sent]
        # One of a house where it is not enrolled is not asked again to call through it.
        await says(gateway, wearable, result="refused", reason="unknown_wearable")
        await until_said(desk, wearable, "gw-later", reason="unknown_wearable")
        await desk.post(f"/api/wearables/{wearable.handle}/look", {"operator": "王芳"})
        assert gateway.received.empty()


async def test_a_gateway_that_only_passes_it_on_as_a_strangers_gets_no_plan(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    await desk.post("/api/care", row(wearable, plan=plan(wearable, 7)))
    async with Gateway(broker) as away, Gateway(broker, "gw-home") as home:
        await ask(away, wearable.event(12))
        await away.next("stranger")
        await away.say("status", {**CONNECTED, "gateway": "gw-1"})
        # Just now: at home it was heard last, however fast this goes.
        await home.ask(event(13, wearable.handle, heard_age_ms=0))
        # Who it has heard is known when the event is stored; the desk looks for whom it may have a plan as it beats.
        await home.say("heartbeat", {**BEAT, "gateway": "gw-home"})
        await home.life_signs.get()
        desk.desk._care.wake()
        await home.next("care")
        known = await desk.get(f"/api/care/{wearable.handle}")
        assert [each["gateway"] for each in known["gateways"]] == ["gw-home"]
        assert away.received.empty()
        await desk.sql("DELETE FROM care_at")
        await desk.sql("DELETE FROM reports WHERE gateway = 'gw-home'")
        await desk.sql("DELETE FROM wearables")
        status, answer = await desk.post(f"/api/wearables/{wearable.handle}/look", {"operator": "王芳"})
        assert (status, answer) == (409, {"error": "no_gateway"})


@ON_SQLITE
async def test_a_gateway_that_does_not_answer_is_sent_it_again_while_it_beats(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    """Its word may have been lost. Not sooner than after ten minutes."""
    async with Gateway(broker) as gateway:
        await gateway.ask(event(12, wearable.handle))
        await desk.post("/api/care", row(wearable, plan=plan(wearable, 7)))
        await gateway.next("care")
        await until_sent(desk, wearable)
        await desk.sql("UPDATE care_at SET sent_ms = sent_ms - 500000")
        await gateway.say("heartbeat", BEAT)
        await gateway.life_signs.get()
        desk.desk._care.wake()
        await desk.sql("UPDATE care_at SET sent_ms = sent_ms - 200000")
        assert gateway.received.empty()
        await gateway.say("heartbeat", BEAT)
        await gateway.life_signs.get()
        desk.desk._care.wake()
        assert (await gateway.next("care"))["rows"][0]["plan"]["version"] == 7


@ON_SQLITE
async def test_what_was_kept_is_sent_after_a_restart(
    broker: Broker, settings: DeskSettings, wearable: Wearable
) -> None:
    """Due in the store, not in the memory of a desk that died before it had sent it."""
    async with Gateway(broker) as gateway:
        async with running(settings) as desk:
            await gateway.ask(event(12, wearable.handle))
            await desk.post("/api/care", row(wearable, plan=plan(wearable, 7)))
            await gateway.next("care")
            await until_sent(desk, wearable)
            await desk.sql("UPDATE care_at SET due = true")
        async with running(settings):
            assert (await gateway.next("care"))["rows"][0]["plan"]["version"] == 7


@pytest.mark.parametrize(("beneficiary", "asked", "days"), [("child", 90, 7), ("child", 3, 3), ("older", 60, 60)])
async def test_positions_are_kept_as_long_as_the_plan_says_and_a_childs_a_week_at_most(
    broker: Broker, desk: Opened, wearable: Wearable, beneficiary: str, asked: int, days: int
) -> None:
    said = plan(wearable, 7, beneficiary=beneficiary, retention_days=asked)
    _, kept = await desk.post("/api/care", row(wearable, plan=said))
    assert kept["retention_days"] == days
    async with Gateway(broker) as gateway:
        await hand_over(gateway, wearable, wearable.trail(1, place(0)))
        await hand_over(gateway, STRANGER, STRANGER.trail(1, place(0)))
    for age_days, left in ((days - 0.1, 1), (days + 0.1, 0)):
        now_ms = desk.desk._clock.wall_ms()
        await desk.sql(f"UPDATE trails SET heard_ms = {int(now_ms - age_days * 86_400_000)}")
        await desk.desk._housekeeping.tidy()
        kept_of = [handle for handle, _ in await stored(desk)]
        assert kept_of.count(wearable.handle) == left
        assert kept_of.count(STRANGER.handle) == (age_days < 30)
