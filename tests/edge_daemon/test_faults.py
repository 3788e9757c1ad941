"""The gateway's own events: told once when something begins and once when it ends, kept and sent like an alarm."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.journal.maker import AHEAD
from edge_daemon.uplinks import payload
from protocol import codes, kinds

from .core import WITHIN_S, Core, core, told
from .schemas import check
from .wearer import Wearer


async def rows_of(gateway: Core, count: int) -> list[dict[str, Any]]:
    """The first `count` different events that were sent, each of the contract."""
    sent = 0
    while True:
        messages = await gateway.uplink.until(sent + 1)
        sent = len(messages)
        for message in messages:
            check("event", message)
        rows = {row["event"]: row for message in messages for row in message["events"]}
        if len(rows) >= count:
            return list(rows.values())


async def test_a_condition_is_told_when_it_begins_and_when_it_ends_however_often_it_is_said(tmp_path: Path) -> None:
    async with core(tmp_path) as gateway:
        for _ in range(3):
            gateway.faults.condition(kinds.RADIO_DEAF, "hci0", active=True, note="60 s of silence")
            gateway.faults.condition(kinds.RADIO_DEAF, "hci1", active=False)
        for _ in range(3):
            gateway.faults.condition(kinds.RADIO_DEAF, "hci0", active=False)
        rows = await rows_of(gateway, 2)
    said = [(row["kind"], row["about"], row["note"], row["restore"]) for row in rows]
    assert said == [("radio_deaf", "hci0", "60 s of silence", False), ("radio_restored", "hci0", None, True)]
    assert {row["source"] for row in rows} == {"gateway"}


async def test_over_a_restart_what_is_wrong_is_not_told_again_and_its_end_is(tmp_path: Path) -> None:
    async with core(tmp_path) as gateway:
        gateway.faults.condition(kinds.MAINS_LOST, "AC", active=True)
        await gateway.uplink.until(1)
        (first,) = gateway.journal.open_alarms()
        assert gateway.platform_says(first.event, "closed") == [True]
    async with core(tmp_path) as gateway:
        assert gateway.faults.holds(kinds.MAINS_LOST, "AC")
        gateway.faults.condition(kinds.MAINS_LOST, "AC", active=True)
        gateway.faults.condition(kinds.MAINS_LOST, "AC", active=False)
        (message,) = await gateway.uplink.until(1)
    (row,) = message["events"]
    assert (row["kind"], row["event"][:16]) == ("mains_restored", first.event[:16])
    assert row["number"] > first.number, "the later is the higher, over a restart too"


async def _unstored(gateway: Core, count: int) -> list[str]:
    """Say so much on a disk that fails, until it was sent."""
    said = [gateway.faults.report(kinds.LINK_LOST, f"{number}").event for number in range(count)]
    async with asyncio.timeout(WITHIN_S):
        while not set(said) <= {event for message in gateway.uplink.events() for event in message}:
            await asyncio.sleep(0.02)
    return said


@pytest.mark.parametrize("count", [1, 10, AHEAD + 20], ids=lambda count: f"{count} unstored")
async def test_what_was_sent_unstored_gives_its_identity_to_nothing_after_a_kill(tmp_path: Path, count: int) -> None:
    async with core(tmp_path / "life") as gateway:
        said = [gateway.faults.report(kinds.RESTARTED).event]
        await gateway.uplink.until(1)
        async with gateway.failing_disk():
            said += await _unstored(gateway, count)
            # What kill -9 leaves.
            shutil.copytree(tmp_path / "life", tmp_path / "next")
    async with core(tmp_path / "next") as gateway:
        said += [gateway.faults.report(kinds.RESTARTED).event for _ in range(AHEAD)]
    assert len(set(said)) == len(said) == count + 1 + AHEAD
    of_file = [event for event in said if event[:16] == gateway.journal.handle]
    assert of_file == sorted(of_file), "the later is the higher"
    assert len(of_file) == min(count, AHEAD) + 1 + AHEAD, "a disk that fails for a moment makes no new maker"


async def test_events_are_under_the_files_name_again_when_the_disk_is_well(tmp_path: Path) -> None:
    async with core(tmp_path) as gateway:
        async with gateway.failing_disk():
            assert (await _unstored(gateway, AHEAD + 1))[-1][:16] != gateway.journal.handle
        async with asyncio.timeout(WITHIN_S):
            while gateway.journal.trouble is not None:
                await asyncio.sleep(0.02)
        for number in range(AHEAD + 20):
            alarm = gateway.faults.report(kinds.LINK_LOST + 1, f"{number}")
            assert alarm.wearable == gateway.journal.handle
            async with asyncio.timeout(WITHIN_S):
                while alarm.stage == codes.HEARD:
                    await asyncio.sleep(0)


async def test_a_number_is_on_disk_before_it_is_given(tmp_path: Path) -> None:
    """Nothing is written from the start on, and the power goes: what is given then is given for good."""
    gateway = Core(tmp_path / "life", [])
    await gateway.start(write=False)
    said = [gateway.faults.report(kinds.RESTARTED, f"{number}").event for number in range(AHEAD + 20)]
    shutil.copytree(tmp_path / "life", tmp_path / "next")
    await gateway.stop()
    async with core(tmp_path / "next") as gateway:
        again = [gateway.faults.report(kinds.RESTARTED, f"{number}").event for number in range(AHEAD + 20)]
    assert not set(said) & set(again)
    assert said[0][:16] == again[0][:16]
    assert len({event[:16] for event in said + again}) == 3, "each life has a name of its own beside"


async def test_when_all_numbers_of_a_file_are_given_events_still_have_identities(tmp_path: Path) -> None:
    async with core(tmp_path) as gateway:
        gateway.journal.move_window(gateway.journal.handle, 0xFFFFFF - 10)
    async with core(tmp_path) as gateway:
        said = [gateway.faults.report(kinds.RESTARTED, f"{number}").event for number in range(AHEAD + 20)]
        await rows_of(gateway, AHEAD + 20)
    assert said[9].endswith("-ffffff")
    assert len({event for event in said if len(event) == 23}) == AHEAD + 20


async def test_a_fault_is_repeated_until_accepted_and_never_goes_before_an_sos(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as gateway:
        gateway.uplink.connected = False
        for number in range(3):
            gateway.faults.report(kinds.RESTARTED, note=f"{number}")
        gateway.hear(wearer, wearer.event())
        await told(wearer)
        gateway.uplink.connected = True
        gateway.forwarder.connected()
        rows = await rows_of(gateway, 4)
        assert rows[0]["kind"] == "sos"
        assert [row["kind"] for row in rows[1:4]] == ["restarted"] * 3
        assert gateway.forwarder.waiting == 4


async def test_a_new_file_makes_new_identities(tmp_path: Path) -> None:
    made = []
    for place in ("a", "b"):
        async with core(tmp_path / place) as gateway:
            made.append(gateway.faults.report(kinds.RESTARTED).event)
    assert made[0][:16] != made[1][:16]
    with sqlite3.connect(tmp_path / "a" / "journal.sqlite3") as db:
        assert db.execute("SELECT wearable, number, about, stage FROM events").fetchall() == [
            (made[0][:16], 1, "", codes.STORED)
        ]
    db.close()


async def test_words_of_foreign_things_are_made_harmless(tmp_path: Path) -> None:
    async with core(tmp_path) as gateway:
        alarm = gateway.faults.report(kinds.LINK_LOST, about="/dev/tty\n\x00" + "x" * 100, note="喂\ud800" + "y" * 400)
        row = payload.event(alarm, gateway.ages)
    check("event", json.loads(payload.events("gw-1", [alarm], gateway.ages)))
    assert row["about"] == "/dev/tty??" + "x" * 54
    assert row["note"] == "??" + "y" * 198


async def test_no_wearable_can_say_what_only_the_gateway_may(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as gateway:
        gateway.hear(wearer, wearer.event(kind=kinds.MAINS_LOST + 1))
        (message,) = await gateway.uplink.until(1)
    (row,) = message["events"]
    assert (row["source"], row["kind"], row["class"]) == ("wearable", "not_understood", "emergency")
