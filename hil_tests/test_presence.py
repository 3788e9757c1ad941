"""A resident goes out and comes back, a worker visits: from `pingan care plan` to the desk, over a gateway's restart.

Real firmware, gateway, broker, desk and commands. The gateway's clocks are steered, so that minutes pass when a test
wants them to; the wearables' are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
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
_SPEAKS_AGAIN_S = 5.0
_SPOKEN_MOST = 8
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

        def taken(said: dict[str, Any]) -> bool:
            return [gateway["plan_version"] for gateway in said["gateways"]] == [said["plan_version"]]

        def lived_by(said: dict[str, Any]) -> bool:
            return bool(said["lives_by"]["settings_version"] == said["settings_version"])

        path = f"/api/care/{wearable.handle}"
        await self.until(path, taken)
        # Its settings are handed to it when it speaks next; by which it lives, the heartbeat after that says.
        for _ in range(_SPOKEN_MOST):
            await spoken(wearable)
            with contextlib.suppress(AssertionError):
                await self.until(path, lived_by, _SPEAKS_AGAIN_S)
                return
        raise AssertionError(f"{path}: {await self.house.desk.get(path)}")

    async def enrol_as_worker(self, name: str) -> None:
        """By the technician's command, while the gateway runs."""
        wearable, rows = self.wearables[name], self.house.directory / "rows.json"
        rows.touch(mode=0o600)
        rows.write_text(json.dumps({"v": 1, "wearables": [wearable.registry_row()]}))
        config = self.house.directory / "gw-1" / "gateway.toml"
        shown = code.of_handle(wearable.handle)
        await self.pingan("enrol", shown, "--role", "worker", "--config", config, "--from", rows)

    async def until(self, path: str, reached: Callable[[Any], bool], within_s: float = WITHIN_S) -> Any:
        """What the desk says once it says so."""
        said = None
        try:
            async with asyncio.timeout(within_s):
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
    added = await asyncio.gather(*(house.add_wearable(name, root=ROOTS[name]) for name in names))
    here.wearables = dict(zip(names, added, strict=True))
    await house.open_gateway(clock=here.clock, forwarder={"heartbeat_s": 2.0})
    return here


async def spoken(wearable: WearableProcess) -> None:
    """It is started anew: it beats at once, and whoever hears it can hand over what waits for it."""
    await wearable.power_cut()
    await wearable.power_on()


async def test_a_resident_goes_out_and_comes_back_and_a_worker_is_there_for_something(build: Build) -> None:
    here = await home(build, "pendant", "badge")
    pendant, badge = here.wearables["pendant"], here.wearables["badge"]
    await here.enrol_as_worker("badge")
    await asyncio.gather(spoken(pendant), spoken(badge))
    await here.until_told("badge", "badge_arrived")
    await asyncio.gather(here.plan("pendant", "near-older"), here.plan("badge", "near-worker"))
    await here.minutes(5)
    # What a short press of a worker's badge says is what they are there for; two say that it is done.
    for presses in (1, 2):
        since = len(badge.body.shown)
        await badge.press(presses)
        await badge.shown("ACCEPTED", since=since, within_s=WITHIN_S)
    said = await here.until("/api/visits", lambda said: said["visits"][0]["left_at"] is not None)
    (visit,) = said["visits"]
    assert (visit["badge"], visit["gateway"], visit["purposes"]) == (badge.handle, "gw-1", ["care"])
    assert 5 <= visit["minutes"] <= 7
    asked = [one for one in await here.house.desk.incidents() if one["wearable"] == badge.handle]
    assert {one["kind"]: one["class"] for one in asked} == {"service_care": "service", "visit_done": "service"}
    assert await here.told("pendant") == []

    # Out of range, as far as the gateway can tell; the badge is heard on its way out, and that is no other visit.
    await asyncio.gather(pendant.power_cut(), spoken(badge))
    await here.minutes(12.5)
    await here.until_told("pendant", "presence_left")
    await here.house.gateways["gw-1"].kill()
    await here.house.gateways["gw-1"].restart()
    await here.minutes(12.5)
    assert await here.told("pendant") == ["presence_left"]
    await pendant.power_on()
    await here.until_told("pendant", "presence_left", "presence_returned")
    said = await here.house.desk.get("/api/visits")
    assert len(said["visits"]) == 1
