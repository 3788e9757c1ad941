"""Wearables enrolled, revoked and replaced in the running process: on disk first, then served, right after a kill."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_daemon import key_file, registry
from edge_daemon.clock import Clock
from edge_daemon.control.enrolment import Enrolment
from edge_daemon.control.watching import Watching
from edge_daemon.enrolled import Enrolled
from edge_daemon.errors import Refusal
from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.edge_daemon.home import Home, WiredWearable, home
from tests.edge_daemon.platform_end import platform
from tests.edge_daemon.test_config import key_file as written
from tests.edge_daemon.wearer import Wearer

from .asked import ask, socket_of, status, watching
from .schemas import check


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


async def change(gateway: Home, **wanted: Any) -> dict[str, Any]:
    request = check("wearables_request", {"v": 1, "ask": "wearables", **wanted})
    reply: dict[str, Any] = check("wearables", await ask(gateway, request))
    return reply


async def served(gateway: Home) -> dict[str, bool]:
    return {row["wearable"]: not row["revoked"] for row in (await status(gateway))["wearables"]}


async def test_enrolled_it_is_stored_revoked_it_is_refused_and_its_replacement_is_served(
    tmp_path: Path, broker: Broker
) -> None:
    staying, lost, new = Wearer("a"), Wearer("b"), Wearer("c")
    async with platform(broker.port) as there, home(tmp_path, broker.port, staying) as gateway:
        ends = [WiredWearable(tmp_path, wearer) for wearer in (staying, lost, new)]
        try:
            await gateway.start()
            await gateway.logged("gateway_ready")
            async with watching(socket_of(gateway)) as seen:
                assert (await change(gateway, enrol=[lost.registry_row()]))["enrolled"] == [lost.handle]
                told = await seen.until(lambda line: line["saw"] == "wearables")
                assert told["enrolled"] == [lost.handle]
            for end in ends[:2]:
                await end.until(end.press(), codes.ACCEPTED)
            done = await change(gateway, revoke=[lost.handle], enrol=[new.registry_row()])
            assert (done["revoked"], done["enrolled"]) == ([lost.handle], [new.handle])
            await ends[1].until(ends[1].press(), codes.REFUSED)
            await ends[2].until(ends[2].press(), codes.ACCEPTED)
            assert await served(gateway) == {staying.handle: True, lost.handle: False, new.handle: True}
            await gateway.kill()
            await gateway.start()
            await gateway.logged("gateway_ready", 2)
            assert await served(gateway) == {staying.handle: True, lost.handle: False, new.handle: True}
            await ends[1].until(ends[1].press(), codes.REFUSED)
            for end in (ends[0], ends[2]):
                await end.until(end.press(), codes.ACCEPTED)
        finally:
            for end in ends:
                end.close()
    rows = {row["event"]: row for data in there.of("event") for row in data["events"]}
    told_of = [(row["kind"], row["wearable"]) for row in rows.values() if row["kind"] in ("sos", "revoked_heard")]
    assert told_of.count(("sos", lost.handle)) == 1
    assert told_of.count(("sos", staying.handle)) == told_of.count(("sos", new.handle)) == 2
    assert ("revoked_heard", None) in told_of


async def test_killed_at_any_moment_it_serves_by_what_it_had_answered(tmp_path: Path, broker: Broker) -> None:
    seed = random.randrange(1 << 31)
    print("seed", seed)
    dice = random.Random(seed)
    wearers = [Wearer(f"w{n}") for n in range(60)]
    by_handle = {wearer.handle: wearer for wearer in wearers}
    answered: dict[str, bool] = {}
    asked: dict[str, bool | None] = {}
    async with home(tmp_path, broker.port) as gateway:
        for life in range(1, 5):
            await gateway.start()
            await gateway.logged("gateway_ready", life)
            now = await served(gateway)
            # What was answered is so; what was asked and not answered may be so.
            assert {handle: on for handle, on in now.items() if handle in answered and asked.get(handle) is None} == {
                handle: on for handle, on in answered.items() if asked.get(handle) is None
            }
            for handle, wanted in asked.items():
                assert now.get(handle) in {answered.get(handle), wanted}
            answered, asked = dict(now), {}
            left, killer = dice.randrange(1, 12), None
            with pytest.raises(Refusal) as refused:
                while True:
                    # In the middle of one of the next: not by the machine's speed, but after so many answers.
                    if left == 0:
                        killer = asyncio.create_task(_kill_after(gateway, dice.uniform(0, 0.04)))
                    left -= 1
                    fresh = [handle for handle in by_handle if handle not in answered]
                    living = [handle for handle, on in answered.items() if on]
                    if fresh and (not living or dice.random() < 0.7):
                        handle, on = dice.choice(fresh), True
                        wanted = {"enrol": [by_handle[handle].registry_row()]}
                    else:
                        handle, on = dice.choice(living), False
                        wanted = {"revoke": [handle]}
                    asked[handle] = on
                    await change(gateway, **wanted)
                    answered[handle] = on
                    del asked[handle]
            assert refused.value.key in ("control.no_answer", "control.not_running")
            assert killer is not None
            await killer
            registry.load(tmp_path / "wearables.json")
    assert len(answered) >= 4


async def _kill_after(gateway: Home, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await gateway.kill()


async def test_killed_between_the_file_and_the_tables_the_next_start_is_right(tmp_path: Path) -> None:
    old, new = Wearer("a"), Wearer("b")
    path = written(tmp_path / "keys.json", [old.registry_row()])
    enrolled = Enrolled(registry.load(path).values())

    class Killed(BaseException):
        pass

    def killed(_wearable: object) -> None:
        raise Killed

    enrolled.on_put = killed
    with pytest.raises(Killed):
        await Enrolment(path, enrolled, Watching(Clock())).answer(
            {"revoke": [old.handle], "enrol": [new.registry_row()]}
        )
    after = Enrolled(registry.load(path).values())
    assert old.handle not in after
    assert new.handle in after


async def test_what_is_wrong_with_a_change_is_refused_and_nothing_is_written_or_served(
    tmp_path: Path, broker: Broker
) -> None:
    old, new = Wearer("a"), Wearer("b")
    async with home(tmp_path, broker.port, old) as gateway:
        await gateway.start()
        await gateway.logged("gateway_ready")
        before = (tmp_path / "wearables.json").read_bytes()
        for wanted, key in (
            ({"enrol": "x"}, "control.bad_request"),
            ({"enrol": ["x"]}, "control.bad_request"),
            ({"revoke": [old.handle.upper()]}, "control.bad_request"),
            ({"revoke": {"a": 1}}, "control.bad_request"),
            ({"forget": [5]}, "control.bad_request"),
            ({"revoke": [new.handle]}, "registry.unknown"),
            ({"revoke": [old.handle], "enrol": [{**new.registry_row(), "up": "00"}]}, "registry.bad_row"),
            ({"enrol": [{**old.registry_row(), "id": "00" * 16}]}, "registry.other_keys"),
        ):
            with pytest.raises(Refusal) as refused:
                await ask(gateway, {"ask": "wearables", **wanted})
            assert refused.value.key == key
            assert old.keys.up.hex() not in str(refused.value)
        assert (tmp_path / "wearables.json").read_bytes() == before
        assert await served(gateway) == {old.handle: True}
        text = gateway.log.read_text(encoding="utf-8")
    assert new.keys.up.hex() not in text


async def test_a_directory_it_may_not_write_to_is_said_and_the_gateway_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "keys.json", [])

    def refuses(*_: object, **__: object) -> None:
        raise PermissionError(13, "Read-only file system")

    monkeypatch.setattr(key_file.os, "fchmod", refuses)
    enrolled = Enrolled([])
    with pytest.raises(Refusal) as refused:
        await Enrolment(path, enrolled, Watching(Clock())).answer({"enrol": [Wearer().registry_row()]})
    assert refused.value.key == "registry.unwritable"
    assert len(enrolled) == 0


async def test_what_another_hand_wrote_counts_for_who_is_named_and_drops_nobody(tmp_path: Path) -> None:
    here, named, other = Wearer("a"), Wearer("b"), Wearer("c")
    path = written(tmp_path / "keys.json", [here.registry_row()])
    enrolled = Enrolled(registry.load(path).values())
    # While the gateway runs, somebody takes one row out and puts two in.
    path.write_text(json.dumps({"v": 1, "wearables": [named.registry_row(), other.registry_row()]}))
    answer = await Enrolment(path, enrolled, Watching(Clock())).answer({"enrol": [named.registry_row()]})
    assert answer["unchanged"] == [named.handle]
    assert {wearable.handle for wearable in enrolled.all()} == {here.handle, named.handle}


async def test_two_hundred_at_once_are_one_write_and_hold_nobody_up_for_long(tmp_path: Path, broker: Broker) -> None:
    wearer, many = Wearer("a"), [Wearer(f"n{n}") for n in range(200)]
    async with platform(broker.port), home(tmp_path, broker.port, wearer) as gateway:
        end = WiredWearable(tmp_path, wearer)
        try:
            await gateway.start()
            await gateway.logged("gateway_ready")
            enrolling = asyncio.create_task(change(gateway, enrol=[one.registry_row() for one in many]))
            await end.until(end.press(), codes.ACCEPTED)
            assert len((await enrolling)["enrolled"]) == 200
        finally:
            end.close()
        assert len(await served(gateway)) == 201
