"""A resident goes out and comes back, a worker visits: from `pingan care plan` to the desk, over a gateway's restart.

Real firmware, gateway, broker, desk and commands. The gateway's clocks are steered, so that minutes pass when a test
wants them to; the wearables' are real.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.clock import Clock
from hil_tests.conftest import Build
from hil_tests.gateway.steered_clock import Machine
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from tools import cli
from tools.label import code

pytestmark = pytest.mark.virtual_air

WITHIN_S = 40.0
# Looked at twice a second: after so long the gateway has seen a hand that was moved.
_SEEN_S = 0.7
# A jump of more than five minutes is a sleep to it.
_STEP_S = 150
ROOTS = {"pendant": b"test_only_presen", "badge": b"test_only_badge_"}
# What a county may write: those who beat every minute are told of after ten.
NEAR = '\nheartbeat_s = 60\ncentre = "bench"\n[presence]\naway_after_min = 10\n'


class Home:
    """A home with the two of `ROOTS` in it, a desk that has their keys, and the county's profiles."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.wearables: dict[str, WearableProcess] = {}
        self._machine = Machine(Clock().boot_id)
        self.clock = house.directory / "clock.json"
        self._machine.write(self.clock)
        self.keys = house.directory / "platform_keys.json"
        self.keys.touch(mode=0o600)
        self.keys.write_text(json.dumps({"v": 1, "wearables": [{"root": root.hex()} for root in ROOTS.values()]}))
        self.profiles = house.directory / "profiles"
        self.profiles.mkdir()
        for base in ("older", "worker"):
            (self.profiles / f"near-{base}.toml").write_text(f'base = "{base}"{NEAR}')

    async def minutes(self, minutes: float) -> None:
        """Move the gateway's hands on, as time passes."""
        for _ in range(round(minutes * 60 / _STEP_S)):
            self._machine.boot_ms += _STEP_S * 1000
            self._machine.wall_ms += _STEP_S * 1000
            self._machine.write(self.clock)
            await asyncio.sleep(_SEEN_S)

    async def pingan(self, *arguments: object) -> None:
        assert await asyncio.to_thread(cli.main, [str(each) for each in arguments]) == 0

    async def plan(self, name: str, profile: str) -> None:
        """A wearer's plan and settings, by the operator's command; until gateway and wearable live by them."""
        wearable = self.wearables[name]
        file = self.house.directory / f"{name}.toml"
        file.write_text(f'wearable = "{code.of_handle(wearable.handle)}"\nprofile = "{profile}"\n')
        store, url = self.house.directory / "care", self.house.desk.url
        options = ["--keys", self.keys, "--profiles", self.profiles, "--store", store, "--desk", url]
        await self.pingan("care", "plan", file, *options)

        def lived_by(said: dict[str, Any]) -> bool:
            version = said["plan_version"]
            plans = [gateway["plan_version"] for gateway in said["gateways"]]
            return plans == [version] and said["lives_by"]["settings_version"] == version

        await self.until(f"/api/care/{wearable.handle}", lived_by)

    async def until(self, path: str, reached: Callable[[Any], bool]) -> Any:
        """What the desk says once it says so."""
        said = None
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    said = await self.house.desk.get(path)
                    if reached(said):
                        return said
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{path}: {said}") from None

    async def told(self, name: str) -> list[str]:
        """The kinds of what the gateway has said of a wearable, in its order."""
        found = await self.house.desk.incidents("gateway")
        mine = [one for one in found if one["about"] == self.wearables[name].handle]
        return [one["kind"] for one in sorted(mine, key=lambda one: one["event"])]

    async def until_told(self, name: str, *kinds: str) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                while await self.told(name) != list(kinds):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{kinds}: {await self.told(name)}") from None


async def home(build: Build, *names: str) -> Home:
    house = await build()
    here = Home(house)
    await house.open_desk("--keys", str(here.keys))
    for name in names:
        here.wearables[name] = await house.add_wearable(name, root=ROOTS[name])
    await house.open_gateway(clock=here.clock, forwarder={"heartbeat_s": 2.0})
    return here


async def spoken(wearable: WearableProcess) -> None:
    """It is started anew: it beats at once, and whoever hears it can hand over what waits for it."""
    await wearable.power_cut()
    await wearable.power_on()


async def test_a_resident_who_goes_out_is_told_of_and_their_return_too_over_a_restart(build: Build) -> None:
    here = await home(build, "pendant")
    pendant = here.wearables["pendant"]
    await spoken(pendant)
    await here.plan("pendant", "near-older")
    await here.minutes(5)
    assert await here.told("pendant") == []
    # Out of range, as far as the gateway can tell.
    await pendant.power_cut()
    await here.minutes(12.5)
    await here.until_told("pendant", "presence_left")
    await here.house.gateways["gw-1"].kill()
    await here.house.gateways["gw-1"].restart()
    await here.minutes(12.5)
    assert await here.told("pendant") == ["presence_left"]
    await pendant.power_on()
    await here.until_told("pendant", "presence_left", "presence_returned")


async def test_a_worker_comes_is_there_for_something_and_goes(build: Build) -> None:
    here = await home(build, "badge")
    badge = here.wearables["badge"]
    config = here.house.directory / "gw-1" / "gateway.toml"
    rows: Path = here.house.directory / "rows.json"
    rows.touch(mode=0o600)
    rows.write_text(json.dumps({"v": 1, "wearables": [badge.registry_row()]}))
    shown = code.of_handle(badge.handle)
    await here.pingan("enrol", shown, "--role", "worker", "--config", config, "--from", rows)
    await spoken(badge)
    await here.until_told("badge", "badge_arrived")
    await here.plan("badge", "near-worker")
    await here.minutes(5)
    # What a short press of a worker's badge says is what they are there for.
    since = len(badge.body.shown)
    await badge.press()
    await badge.shown("ACCEPTED", since=since, within_s=WITHIN_S)
    asked = [one["kind"] for one in await here.house.desk.incidents() if one["wearable"] == badge.handle]
    assert asked == ["service_care"]
    await badge.power_cut()
    await here.minutes(12.5)
    said = await here.until("/api/visits", lambda said: said["visits"][0]["left_at"] is not None)
    (visit,) = said["visits"]
    assert (visit["badge"], visit["gateway"], visit["purposes"]) == (badge.handle, "gw-1", ["care"])
    assert 5 <= visit["minutes"] <= 7
