"""The API of care: what is kept, what is refused, and who may be missed. What goes to gateways: test_care.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.cared import STRANGER, own_settings, plan, row
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import Gateway, event
from tests.tools.desk.test_trails import hand_over, place
from tests.tools.desk.wearable import Wearable, key_file


@pytest.fixture
def wearable() -> Wearable:
    return Wearable()


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path, wearable: Wearable) -> AsyncIterator[Opened]:
    keys = key_file(tmp_path / "keys.json", wearable)
    async with running(settings_for(broker, tmp_path, keys_file=keys)) as opened:
        yield opened


async def test_an_older_version_and_another_of_the_same_number_are_refused(desk: Opened, wearable: Wearable) -> None:
    first = row(wearable, plan=plan(wearable, 7), settings=own_settings(wearable, 3))
    assert (await desk.post("/api/care", first))[0] == 200
    assert (await desk.post("/api/care", first))[0] == 200, "the very same changes nothing"
    too_old = {"error": "too_old", "plan_version": 7, "settings_version": 3}
    for parts in (
        {"plan": plan(wearable, 6)},
        {"plan": plan(wearable, 7, centre="other")},
        {"settings": own_settings(wearable, 2)},
        {"plan": plan(wearable, 8), "settings": own_settings(wearable, 2)},
    ):
        assert await desk.post("/api/care", row(wearable, **parts)) == (409, too_old)
    assert (await desk.post("/api/care", row(wearable, settings=own_settings(wearable, 4))))[0] == 200
    kept = await desk.get(f"/api/care/{wearable.handle}")
    assert (kept["plan_version"], kept["settings_version"], kept["beneficiary"]) == (7, 4, "older")
    assert [each["wearable"] for each in (await desk.get("/api/care"))["care"]] == [wearable.handle]


async def test_what_is_not_genuine_or_not_understood_is_refused(desk: Opened, wearable: Wearable) -> None:
    good = plan(wearable, 7)
    cases = {
        "not_genuine": [
            row(wearable, plan=plan(wearable, 7, key=bytes(16))),
            row(wearable, settings=own_settings(STRANGER, 1)),
        ],
        "not_understood": [
            row(wearable),
            row(wearable, plan={**good, "version": 8}),
            row(wearable, settings=good),
            row(wearable, plan={"version": 7, "box": "03"}),
            row(wearable, plan={"version": 7}),
            row(wearable, plan=plan(wearable, 7, v=2)),
            row(wearable, plan=plan(wearable, 7, beneficiary="cat")),
            row(wearable, plan=plan(wearable, 7, retention_days=-1)),
            {**row(wearable, plan=good), "wearable": "x"},
        ],
    }
    for error, rows in cases.items():
        for said in rows:
            status, answer = await desk.post("/api/care", said)
            assert (status, answer["error"]) == (400, error), said
    async with desk.session.get(f"{desk.desk.url}/api/care/{wearable.handle}") as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "no_care"})
    # Where the desk has no key it keeps what it cannot read; and a plan may have 16 KiB.
    large = plan(STRANGER, 7, more="x" * 16_000)
    status, kept = await desk.post("/api/care", row(STRANGER, plan=large))
    assert (status, kept["plan_version"], kept["retention_days"]) == (200, 7, None)


async def test_the_positions_of_a_wearable_are_read_by_whoever_asks(
    broker: Broker, desk: Opened, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        await hand_over(gateway, wearable, wearable.trail(1, place(0), place(10)), wearable.trail(2, place(20)))
        await hand_over(gateway, STRANGER, STRANGER.trail(1, place(0)))
    newest, oldest = (await desk.get(f"/api/trails/{wearable.handle}"))["trails"]
    assert (newest["sequence"], len(newest["positions"]), len(oldest["positions"])) == (2, 1, 2)
    assert oldest["positions"][1]["latitude"] == 22.5783
    (unread,) = (await desk.get(f"/api/trails/{STRANGER.handle}"))["trails"]
    assert unread["positions"] is None


async def test_only_a_plan_may_be_that_long(desk: Opened, wearable: Wearable) -> None:
    """Sixteen KiB anywhere else, and a limit for plans, too."""
    long = {"operator": "x" * 20_000}
    for path, said, status in (
        (f"/api/wearables/{wearable.handle}/look", long, 413),
        ("/api/care", row(wearable, plan={"version": 7, "box": "03" + "00" * 35_000}), 413),
        ("/api/care", row(wearable, plan={"version": 7, "box": "03" + "00" * 17_000}), 400),
    ):
        async with desk.session.post(desk.desk.url + path, json=said) as answer:
            assert answer.status == status


async def test_a_workers_badge_is_missed_by_nobody(broker: Broker, desk: Opened, wearable: Wearable) -> None:
    """It is out of every house most of the time; anybody else's wearable is missed after a day."""
    async with Gateway(broker) as gateway:
        for each in (wearable, STRANGER):
            await gateway.ask(event(12, each.handle))
    await desk.sql("UPDATE wearables SET heard_ms = heard_ms - 90000000")
    assert (await desk.get("/api/gateways"))["wearables_counted"] == {"all": 2, "silent": 2}
    await desk.post("/api/care", row(wearable, plan=plan(wearable, 7, beneficiary="worker")))
    said = await desk.get("/api/gateways")
    assert {each["wearable"]: each["state"] for each in said["wearables"]} == {
        wearable.handle: "heard",
        STRANGER.handle: "missing",
    }
    assert said["wearables_counted"] == {"all": 2, "silent": 1}


async def test_a_plan_that_came_before_its_keys_is_read_when_they_are_here(broker: Broker, tmp_path: Path) -> None:
    """A child's positions are not kept for a month because its record was imported late."""
    child = Wearable(bytes([9]) * 16)
    settings = settings_for(broker, tmp_path)
    async with running(settings) as desk, Gateway(broker) as gateway:
        _, kept = await desk.post("/api/care", row(child, plan=plan(child, 7, beneficiary="child")))
        assert kept["retention_days"] is None
        await hand_over(gateway, child, child.trail(1, place(0)))
    keys = key_file(tmp_path / "keys.json", child)
    async with running(settings_for(broker, tmp_path, keys_file=keys)) as desk:
        path = f"/api/care/{child.handle}"
        await desk.until(path, lambda said: (said["beneficiary"], said["retention_days"]) == ("child", 7))
        await desk.sql(f"UPDATE trails SET heard_ms = heard_ms - {8 * 86_400_000}")
        assert await desk.desk._housekeeping.tidy() == 1
