"""An operator's call to look at the watch: to its gateways, its result, and the wearer's answer, on the incident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.conftest import ON_SQLITE
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import JOURNAL, WEARABLE, WITHIN_S, Gateway, event, own
from tools.desk.store import schema


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path, database: str) -> AsyncIterator[Opened]:
    async with running(settings_for(broker, tmp_path, database=database)) as opened:
        yield opened


NAME = f"{WEARABLE}-00000c"
LOOK = f"/api/wearables/{WEARABLE}/look"


def _answer(number: int, age_ms: int) -> dict[str, Any]:
    made = event(number, kind="checkin_answered", class_="service", detail="look", contact_id=None)
    return {**made, "age_ms": age_ms, "heard_age_ms": 0, "late": age_ms > 0}


async def _result(gateway: Gateway, command: str, result: str, reason: str | None = None) -> None:
    said = {"v": 1, "gateway": gateway.name, "command": command, "result": result, "reason": reason}
    await gateway.say("result", said)


async def _until(desk: Opened, result: str | None) -> dict[str, Any]:
    """The incident, once its look has this result."""
    found: dict[str, Any] = await desk.until(f"/api/incidents/{NAME}", lambda row: row["look"]["result"] == result)
    return found


async def _stored(desk: Opened, *results: str) -> None:
    """Wait until these are the results that the desk has stored."""
    query = select(schema.commands.c.result).order_by(schema.commands.c.result)
    async with asyncio.timeout(WITHIN_S):
        while await desk.desk._store.read(lambda connection: list(connection.execute(query).scalars())) != [*results]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("shows", [0, 1])
async def test_a_call_goes_to_the_wearables_gateways_and_its_result_stands_on_the_incident(
    desk: Opened, broker: Broker, shows: int
) -> None:
    async with Gateway(broker, "gw-1") as one, Gateway(broker, "gw-2") as two:
        for each in (one, two):
            await each.ask(event(12))
        gateway, second = (one, two) if shows == 0 else (two, one)
        before = (await desk.incidents())[NAME]
        assert before["look"] is None
        status, answer = await desk.post(LOOK, {"operator": "王芳", "seconds": 300})
        assert status == 200
        for each in (gateway, second):
            sent = await each.next("command")
            assert sent["command"] == answer["command"]
            assert (sent["name"], sent["wearable"], sent["args"]) == ("look", WEARABLE, {"seconds": 300})
            assert sent["expires_s"] == 300
        asked = (await desk.incidents())[NAME]
        assert (asked["look"]["operator"], asked["look"]["result"]) == ("王芳", None)
        assert asked["revision"] > before["revision"], "the page would not hear of it"
        await _result(gateway, answer["command"], "queued")
        await _until(desk, "queued")
        await _result(gateway, answer["command"], "done")
        await _until(desk, "done")
        # The other one had it too, and gave up: it was shown all the same.
        await _result(second, "c-of-somebody-else", "done")
        await _result(second, answer["command"], "expired")
        await _stored(desk, "done", "expired")
        done = await _until(desk, "done")
        assert done["look"]["answered_at"] is None
        assert done["revision"] > asked["revision"], "the page would not hear of it"
        # An answer to a call of an hour ago comes late.
        await gateway.ask(_answer(13, 3_600_000))
        assert (await desk.incidents())[NAME]["look"]["answered_at"] is None
        assert await gateway.ask(_answer(16, 0)) == [(f"{WEARABLE}-000010", "closed")]
        answered = (await desk.incidents())[NAME]
        assert answered["look"]["answered_at"] is not None
        assert answered["revision"] > done["revision"]
        assert answered["stage"] == "accepted", "a look is no answer to an alarm"
        await gateway.ask(event(14))
        assert (await desk.incidents())[f"{WEARABLE}-00000e"]["look"] is None, "that was before it"


@ON_SQLITE
async def test_a_call_is_asked_for_on_what_a_gateway_says_about_the_wearable(desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event(12))
        await gateway.ask(own("checkin_silent", 1, WEARABLE))
        _, answer = await desk.post(LOOK, {"operator": "A"})
        assert (await gateway.next("command"))["args"] == {"seconds": 600}
        await _result(gateway, answer["command"], "refused", "failed")
        await _until(desk, "refused")
        assert (await desk.incidents())[f"{JOURNAL}-000001"]["look"]["reason"] == "failed"


@ON_SQLITE
async def test_what_cannot_be_asked_is_said(desk: Opened) -> None:
    """Nobody there, no operator, no handle, too long."""
    assert await desk.post(LOOK, {"operator": "A"}) == (409, {"error": "no_gateway"})
    for path, body in (
        (LOOK, {}),
        (LOOK, {"operator": "A", "seconds": 3601}),
        ("/api/wearables/x/look", {"operator": "A"}),
    ):
        status, answer = await desk.post(path, body)
        assert (status, answer["error"]) == (400, "not_understood")
