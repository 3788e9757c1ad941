"""Plans and settings are taken when they are newer, genuine and understood, and refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocol import box, codes
from tests.edge_daemon.wearer import Wearer

from .ward import BARE, ShanghaiClock, settings_row, waiting, ward


async def test_a_newer_plan_is_taken_an_equal_one_changes_nothing_and_an_older_one_is_too_old(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        handle = home.wearer.handle
        first = await home.send(home.plan_row(7, BARE))
        assert first == {
            "wearable": handle,
            "plan_version": 7,
            "settings_version": None,
            "result": "taken",
            "reason": None,
        }
        assert await home.send(home.plan_row(7, {**BARE, "retention_days": 1})) == first
        old = await home.send(home.plan_row(6, {**BARE, "retention_days": 1}))
        assert (old["plan_version"], old["result"], old["reason"]) == (7, "refused", "too_old")
        assert (await home.send(home.plan_row(8, {**BARE, "retention_days": 9})))["plan_version"] == 8
        plan = home.care.plan(handle)
        assert plan is not None and plan.retention_days == 9
        assert await home.stored() == []


async def test_what_cannot_be_taken_is_refused_and_told_once_for_each_cause(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.live_by(3)
        forged = {"version": 9, "box": box.seal(b"test_only_foreign"[:16], 3, 9, b"saltsalt", b"{}").hex()}
        for _ in range(3):
            answer = await home.send(forged)
            assert (answer["plan_version"], answer["result"], answer["reason"]) == (3, "refused", "not_genuine")
        for _ in range(2):
            answer = await home.send(home.plan_row(9, {**BARE, "beneficiary": "cat"}))
            assert (answer["plan_version"], answer["reason"]) == (3, "not_understood")
        assert await home.stored() == [
            ("care_plan_refused", "not_genuine plan"),
            ("care_plan_refused", "not_understood beneficiary: none of older, disabled, child, worker"),
        ]
        plan = home.care.plan(home.wearer.handle)
        assert plan is not None and plan.beneficiary == "older"
        await home.live_by(9)
        await home.send(home.plan_row(10, b"{"))
        assert len(await home.stored()) == 3


async def test_a_wearable_that_is_not_served_is_refused(tmp_path: Path) -> None:
    revoked = Wearer("b")
    revoked.revoked = True
    async with ward(tmp_path, others=(revoked,)) as home:
        for handle in (revoked.handle, "00" * 8):
            row = {"wearable": handle, "plan": home.plan_row(1, BARE), "settings": None}
            home.care.take(json.dumps({"v": 1, "rows": [row]}).encode())
            await home.turn()
            assert home.reports[-1]["reason"] == "unknown_wearable"
        assert await home.stored() == []


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"v":1}',
        b'{"v":true,"rows":[]}',
        b'{"v":1,"rows":{}}',
        b'{"v":1,"rows":[null,7,{"wearable":"x"},{"wearable":7}]}',
        b"[" * 200_000,
        b" " * 300_000,
    ],
)
async def test_hostile_messages_are_counted_and_left(tmp_path: Path, message: bytes) -> None:
    async with ward(tmp_path) as home:
        home.care.take(message)
        await home.turn()
        assert home.reports == []
        assert home.gateway.count("care_failed") == 0


@pytest.mark.parametrize(
    "plan",
    [
        7,
        {"version": 5},
        {"version": "5", "box": "03" + "00" * 20},
        {"version": 1, "box": "0300000002" + "00" * 20},
        {"version": 2, "box": "0200000002" + "00" * 20},
        {"version": 2, "box": "0300000002"},
        {"version": 2, "box": "0300000002" + "AA" * 20},
        {"version": 2, "box": "0300000002" + "00" * 17000},
        {"version": True, "box": "0300000001" + "00" * 20},
    ],
)
async def test_a_row_that_is_not_of_the_contract_is_not_understood(tmp_path: Path, plan: Any) -> None:
    async with ward(tmp_path) as home:
        message = {"v": 1, "rows": [{"wearable": home.wearer.handle, "plan": plan}]}
        home.care.take(json.dumps(message).encode())
        await home.turn()
        assert [(row["result"], row["reason"]) for row in home.reports] == [("refused", "not_understood")]


async def test_a_platform_gone_mad_does_not_fill_us(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        for _ in range(150):
            home.care.take(b"{")
        await home.turn()
        assert home.gateway.count("care_unheard") == 50
        assert home.gateway.count("platform_not_understood") == 100


async def test_settings_go_to_the_wearable_in_parts_until_it_says_that_it_lives_by_them(tmp_path: Path) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        sent = settings_row(4, 500)
        assert (await home.send(None, sent))["settings_version"] is None
        got = b""
        for index in range(3):
            home.hello()
            command = home.hears()[-1]
            assert command.code == codes.COMMAND_SETTINGS
            assert (int.from_bytes(command.args[:4], "big"), command.args[4], command.args[5]) == (4, index, 3)
            got += command.args[6:]
            if index < 2:
                await home.does(command, more=b"")
        assert got.hex() == sent["box"]
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        home.hello()
        for _ in range(3):
            await home.does(waiting(home)[0][0], more=b"")
        assert waiting(home)[0][1] == codes.COMMAND_HEARTBEAT
        await home.beats(settings=4)
        assert home.reports[-1]["settings_version"] == 4
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.beats(settings=4)
        assert home.hears() == []
        await home.beats(settings=3)
        assert home.hears()[-1].code == codes.COMMAND_SETTINGS


async def test_a_wearable_that_starts_anew_between_two_parts_is_handed_all_of_them_again(tmp_path: Path) -> None:
    """It has the parts in memory only: three such starts were three refusals, and the settings given up."""
    async with ward(tmp_path) as home:
        await home.send(None, settings_row(4, 500))
        for _ in range(4):
            await home.does(waiting(home)[0][0], more=b"")
            assert [command.args[4] for command, _ in waiting(home)] == [1]
            await home.beats()
            assert [command.args[4] for command, _ in waiting(home)] == [0]
            await home.beats()
            assert [command.args[4] for command, _ in waiting(home)] == [0], "the first part is on its way already"
        for _ in range(3):
            await home.does(waiting(home)[0][0], more=b"")
        await home.beats(settings=4)
        assert home.reports[-1]["settings_version"] == 4
        assert await home.stored() == []


async def test_settings_that_the_wearable_refuses_three_times_are_given_up(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        await home.send(None, settings_row(4))
        for _ in range(3):
            await home.does(waiting(home)[0][0], codes.RESULT_FAILED, b"")
            await home.beats()
        assert waiting(home) == []
        assert (home.reports[-1]["result"], home.reports[-1]["reason"]) == ("refused", "not_genuine")
        assert await home.stored() == [("care_plan_refused", "not_genuine settings")]
        assert (await home.send(None, settings_row(3)))["result"] == "taken"
        assert waiting(home)[0][1] == codes.COMMAND_SETTINGS


async def test_newer_settings_take_the_place_of_those_on_their_way(tmp_path: Path) -> None:
    async with ward(tmp_path, link="ble") as home:
        await home.send(None, settings_row(4))
        await home.send(None, settings_row(5))
        assert [command.args[3] for command, _ in waiting(home)] == [5]
        assert (await home.send(None, settings_row(4)))["reason"] == "too_old"


async def test_all_that_is_kept_is_told_anew_when_there_is_a_way_again(tmp_path: Path) -> None:
    async with ward(tmp_path) as home:
        home.care.tell()
        await home.turn()
        assert home.reports == []
        await home.live_by(3)
        home.reports.clear()
        home.care.tell()
        await home.turn()
        assert [(row["plan_version"], row["result"]) for row in home.reports] == [(3, "taken")]
