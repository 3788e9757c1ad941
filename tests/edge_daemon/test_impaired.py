"""A part of a wearable, or its flash, that is out of use: told when that changes, over restarts, of who is served."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from protocol import codes, messages, serial_link

from .core import Core, core
from .home import WiredWearable, home
from .platform_end import WITHIN_S, platform
from .test_expected import faults
from .test_following import revoke, row
from .wearer import Wearer

SCREEN, MOTION = codes.HEARTBEAT_SCREEN_OUT, codes.HEARTBEAT_MOTION_OUT
FLASH = codes.HEARTBEAT_FLASH_FAILED
IMPAIRED, WHOLE = "wearable_impaired", "wearable_whole"


def beat(wearer: Wearer, flags: int = 0) -> bytes:
    return wearer.seal(codes.HEARTBEAT, messages.pack_heartbeat(60, 3900, 80, 20_000, (1, 0, 0), 1, 0, flags))


def beats(here: Core, wearer: Wearer, *flags: int) -> None:
    for each in flags:
        here.hear(wearer, beat(wearer, each))


async def test_it_is_told_once_when_it_begins_and_once_when_it_ends(tmp_path: Path) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    async with core(tmp_path, wearer, other) as here:
        beats(here, wearer, 0, MOTION, MOTION, MOTION)
        beats(here, other, 0, 0xE2)
        assert await faults(here) == [(IMPAIRED, wearer.handle, "motion")]
        beats(here, wearer, 0, 0)
        assert (await faults(here))[1:] == [(WHOLE, wearer.handle, "")]
        assert not here.journal.conditions


async def test_another_set_of_them_is_told_anew_in_one_order(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here:
        beats(
            here, wearer, FLASH, FLASH | MOTION | SCREEN, FLASH | MOTION | SCREEN, MOTION, codes.HEARTBEAT_POSITIONS_OUT
        )
        assert [note for _, _, note in await faults(here)] == ["flash", "screen motion flash", "motion", "positions"]
        assert {kind for kind, _, _ in await faults(here)} == {IMPAIRED}
        beats(here, wearer, 0)
        assert (await faults(here))[4:] == [(WHOLE, wearer.handle, "")]


async def test_what_was_told_last_is_what_the_last_heartbeat_said_whatever_they_say(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    wearers = [Wearer(name) for name in "abc"]
    names = [*(flag for _, flag in messages.PARTS), FLASH]
    async with core(tmp_path, *wearers) as here:
        said = {wearer.handle: [0] for wearer in wearers}
        for _ in range(150):
            wearer, flags = chance.choice(wearers), sum(flag for flag in names if chance.random() < 0.4)
            beats(here, wearer, flags)
            said[wearer.handle].append(flags)
        told = await faults(here)
        for handle, flags in said.items():
            changes = sum(one != two for one, two in itertools.pairwise(flags))
            mine = [(kind, note) for kind, about, note in told if about == handle]
            assert len(mine) == changes
            last = messages.Heartbeat(messages.pack_heartbeat(0, 0, 0, 0, (0, 0, 0), 0, 0, flags[-1]))
            out = [*last.parts_out, *(["flash"] if last.flash_failed else [])]
            assert mine[-1] == (IMPAIRED if out else WHOLE, " ".join(out))


async def test_a_restart_tells_nothing_again_and_forgets_no_end(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here:
        beats(here, wearer, SCREEN)
        await faults(here)
    async with core(tmp_path, wearer) as here:
        here.impaired.release()
        beats(here, wearer, SCREEN)
        assert await faults(here) == [(IMPAIRED, wearer.handle, "screen")]
        beats(here, wearer, 0)
        assert (await faults(here))[1:] == [(WHOLE, wearer.handle, "")]


@pytest.mark.parametrize("drops", [False, True])
async def test_of_one_that_is_revoked_or_dropped_it_ends(tmp_path: Path, drops: bool) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    async with core(tmp_path, wearer, other) as here:
        beats(here, wearer, SCREEN | MOTION)
        beats(here, other, MOTION)
        if drops:
            here.enrolled.drop(wearer.handle)
        else:
            revoke(here, wearer)
        assert (await faults(here))[2:] == [(WHOLE, wearer.handle, "not expected here any more")]
        assert {about for _, about in here.journal.conditions} == {f"{other.handle} motion"}
        beats(here, wearer, SCREEN)
        assert [about for kind, about, _ in await faults(here) if kind == IMPAIRED] == [wearer.handle, other.handle]
        # Taken up again it is told anew.
        here.enrolled.put(row(wearer))
        beats(here, wearer, SCREEN)
        assert (await faults(here))[-1] == (IMPAIRED, wearer.handle, "screen")


async def test_one_that_roams_is_told_of_too(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path) as here:
        here.enrolled.put(row(wearer, "roaming"))
        beats(here, wearer, MOTION)
        here.enrolled.put(row(wearer, "home"))
        assert await faults(here) == [(IMPAIRED, wearer.handle, "motion")]


async def test_the_running_gateway_tells_it_and_ends_it_at_a_start_without_the_wearable(tmp_path: Path) -> None:
    wearer = Wearer()
    with Broker() as broker:
        async with platform(broker.port) as there, home(tmp_path, broker.port, wearer) as gateway:
            end = WiredWearable(tmp_path, wearer)

            async def told(name: str, flags: int) -> dict[str, object]:
                """Beat until it is."""
                async with asyncio.timeout(WITHIN_S):
                    while True:
                        rows = [row for message in there.of("event") for row in message["events"]]
                        if found := [row for row in rows if row["kind"] == name]:
                            return dict(found[0])
                        os.write(end.near, serial_link.encode(beat(wearer, flags)))
                        await asyncio.sleep(0.1)

            try:
                await gateway.start()
                found = await told(IMPAIRED, MOTION | FLASH)
                assert (found["about"], found["note"], found["class"]) == (wearer.handle, "motion flash", "fault")
                telemetry = (await there.until("telemetry"))[0]["wearables"][0]
                assert (telemetry["parts_out"], telemetry["flash_failed"]) == (["motion"], True)
                await gateway.kill()
                keys = {"v": 1, "wearables": [{**wearer.registry_row(), "revoked": True}]}
                (tmp_path / "wearables.json").write_text(json.dumps(keys))
                await gateway.start()
                assert (await told(WHOLE, 0))["about"] == wearer.handle
            finally:
                end.close()
