"""A pendant that nobody knew is enrolled, lost and replaced while the gateway runs, by the technician's commands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from hil_tests.conftest import Build
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from tools import cli
from tools.label import code

# More than firmware/sos/gestures.py's REST_MS.
_REST_S = 1.5


async def pingan(house: House, command: str, *arguments: str) -> None:
    config = house.directory / "gw-1" / "gateway.toml"
    assert await asyncio.to_thread(cli.main, [command, "--json", "--config", str(config), *arguments]) == 0


def rows(house: House, *wearables: WearableProcess) -> Path:
    """What provisioning leaves of each in the kit's store."""
    store = house.directory / "enrolments"
    store.mkdir(mode=0o700, exist_ok=True)
    for wearable in wearables:
        file = store / f"{wearable.handle}.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"v": 1, "wearables": [wearable.registry_row()]}))
    return store


async def pressed(wearable: WearableProcess, stage: str) -> str:
    """Hold the button, and wait for what its light shows then; the event's identity.

    Not before the press before it is over for the wearable: on a starved machine it may feel a hold as a short press,
    which so soon after another is the same alarm, and no new one.
    """
    await asyncio.sleep(_REST_S)
    since = len(wearable.body.shown)
    await wearable.hold()
    number = (await wearable.shown("PRESSED", since=since)).number
    await wearable.shown(stage, number, within_s=60, since=since)
    return f"{wearable.handle}-{number:06x}"


async def test_a_pendant_is_enrolled_lost_and_replaced_while_the_gateway_runs(build: Build) -> None:
    house = await build()
    await house.open_desk()
    pendant = await house.add_wearable("pendant", stranger=True)
    spare = await house.add_wearable("spare", stranger=True)
    neighbour = await house.add_wearable("neighbour", ble=False, serial=True)
    await house.open_gateway()
    keys = ["--from", str(rows(house, pendant, spare))]
    codes = [code.of_handle(wearable.handle) for wearable in (pendant, spare)]

    await pingan(house, "enrol", codes[0], *keys)
    events = [await pressed(pendant, "ACCEPTED")]
    await pingan(house, "replace", *codes, *keys)
    await pressed(pendant, "REFUSED")
    events.append(await pressed(spare, "ACCEPTED"))
    await pingan(house, "revoke", codes[1])
    await pressed(spare, "REFUSED")
    events.append(await pressed(neighbour, "ACCEPTED"))

    incidents = [row for row in await house.desk.incidents() if row["kind"] == "sos"]
    assert sorted(row["event"] for row in incidents) == sorted(events)
    told = {row["about"] for row in house.gateways["gw-1"].logs if row.get("kind") == "revoked_heard"}
    assert told == {pendant.handle, spare.handle}
