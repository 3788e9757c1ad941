"""A world for stories: wearables, gateways, a broker and the desk by one virtual time, and the hand that moves it.

Owns how time goes on: every wearable that is awake is taken along in lock step; where all sleep, only idle time is
left, and it is skipped in steps in which every gateway has looked at its clock. Must not know what is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from edge_daemon import config
from hil_tests.broker.mosquitto import Broker
from hil_tests.child import Child
from hil_tests.desk.process import DeskProcess
from hil_tests.gateway.process import GatewayProcess
from hil_tests.stories import clock
from hil_tests.stories.air import Air
from hil_tests.stories.wearable import StoryWearable
from protocol import keys

AREA = "story"
# Presence and inactivity count no more of a step than this as listening.
_STEP_MS = 300_000
# No wearable sleeps for less (firmware/sos/power.py): none is woken late.
_CHUNK_MS = 3_000
_SECOND_MS = 1_000
_ACCEPTED_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.02
# What the desk says when it has an event, or will not have it.
_OVER = ("accepted", "answered", "closed", "refused")


class StoryGateway(GatewayProcess):
    """The daemon on the story's air and clock; `arguments`: those of gateway.py, asked for at each start."""

    arguments: Callable[[], list[str]]

    async def _launch(self, *, ready: bool) -> None:
        command = [sys.executable, "-m", "hil_tests.stories.gateway", "--config", str(self._config), *self.arguments()]
        self.child = await Child.start(self.name, command, self._directory)
        self.child.on_line = self._line
        if ready:
            await self.logged("gateway_ready", 60.0, after=len(self.logs))


class StoryDesk(DeskProcess):
    """The desk by the story's clock."""

    def __init__(self, directory: Path, broker: str, arguments: list[str], port: int | None) -> None:
        super().__init__(directory, broker, arguments[1:], port)
        self._command[2] = "hil_tests.stories.desk"
        self._command.insert(3, arguments[0])


class World:
    """`at_ms`: the story's time. `begins`: the wall's time at 0. Use `async with World(place, begins) as world:`."""

    def __init__(self, place: Path, begins: datetime) -> None:
        self.place = place
        self.at_ms = 0
        self.wall_of_0_ms = int(begins.timestamp() * 1000)
        self.air = Air(place)
        self.broker = Broker(place / "broker")
        self.wearables: dict[str, StoryWearable] = {}
        self.gateways: dict[str, StoryGateway] = {}
        self.desk: StoryDesk
        # Called each virtual second that somebody is awake, and at each idle step: what the world does to wearables.
        self.each_second: list[Callable[[], None]] = []
        self._boot = 1
        self._clock = place / "clock.json"

    async def __aenter__(self) -> Self:
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._set(0)
        self.broker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for wearable in self.wearables.values():
            await wearable.stop()
        for gateway in self.gateways.values():
            with contextlib.suppress(AssertionError):
                await gateway.stop()
        if hasattr(self, "desk"):
            await self.desk.stop()
        self.air.close()
        self.broker.close()

    # ---- who is there ----

    async def open_desk(self, *arguments: str) -> None:
        """The desk, by this clock."""
        self.desk = await StoryDesk.start(self.place / "desk", self.broker.address, str(self._clock), *arguments)

    async def add_wearable(self, name: str, root: bytes, *parts: str) -> StoryWearable:
        """A wearable without power. `root`: its key's."""
        wearable = StoryWearable(name, keys.derive(root), parts)
        await wearable.start(self.place / f"{name}.log")
        self.wearables[name] = wearable
        self.air.add(wearable)
        return wearable

    async def open_gateway(self, name: str, serves: list[dict[str, str]], **settings: dict[str, Any]) -> StoryGateway:
        """A gateway that serves these rows of a key file; it is near nobody yet."""
        place = self.place / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        key_file = place / "wearables.json"
        key_file.touch(mode=0o600)
        key_file.write_text(json.dumps({"v": 1, "wearables": serves}))
        base = config.Config(
            gateway=config.Gateway(id=name, area=AREA, state_dir=str(place / "state")),
            wearables=config.Wearables(key_file=str(key_file)),
            ble=config.Ble(recovery=[], linger_s=0.1),
            serial=config.Serial(ports=[]),
            platform=config.Platform(host=self.broker.host, port=self.broker.port, tls=False, reconnect_most_s=1.0),
            ways=config.Ways(no_platform_s=600.0, no_answer_s=600.0),
            forwarder=config.Forwarder(answer_within_s=2.0, fast_s=1.0, slow_s=1.0, last_s=1.0, heartbeat_s=0.1),
        )
        changed = {key: dataclasses.replace(getattr(base, key), **values) for key, values in settings.items()}
        file = place / "gateway.toml"
        file.write_text(config.as_toml(dataclasses.replace(base, **changed), lambda key: key), encoding="utf-8")
        handles = {row["wearable"] for row in serves}
        await self.air.open(name, {one.name for one in self.wearables.values() if one.handle in handles})
        gateway = self.gateways[name] = StoryGateway(name, place, file, None)
        gateway.arguments = lambda: ["--air", str(self.air.socket(name)), "--clock", *map(str, self._now())]
        await gateway.restart()
        await gateway.logged("uplink_connected")
        return gateway

    # ---- time ----

    def wall(self) -> datetime:
        """What the wall clock shows, in UTC."""
        return datetime.fromtimestamp((self.wall_of_0_ms + self.at_ms) / 1000).astimezone()

    def _now(self) -> tuple[int, int, int]:
        return self.at_ms, self.wall_of_0_ms, self._boot

    def _set(self, at_ms: int) -> None:
        self.at_ms = max(self.at_ms, at_ms)
        clock.write(self._clock, self.at_ms, self.wall_of_0_ms)
        self.air.clock(*self._now())

    async def power(self, name: str) -> None:
        """A cell is put in."""
        await self.wearables[name].power(self.at_ms)

    async def until(self, to_ms: int) -> None:
        """Live up to this time."""
        while self.at_ms < to_ms:
            ours = self.wearables.values()
            awake = [one for one in ours if not one.asleep and not one.dark]
            due_ms = min([one.wakes_ms for one in ours if one.asleep], default=to_ms)
            horizon_ms = min(to_ms, due_ms, self.at_ms + (_CHUNK_MS if awake else _STEP_MS))
            for wearable in awake:
                await self._live(wearable, horizon_ms)
            self._set(horizon_ms)
            for each in self.each_second:
                each()
            for wearable in ours:
                if wearable.asleep and wearable.wakes_ms <= horizon_ms:
                    await wearable.wake("timer", horizon_ms)
            if not awake:
                await self.air.look()

    async def _live(self, wearable: StoryWearable, horizon_ms: int) -> None:
        while wearable.at_ms < horizon_ms and not wearable.asleep and not wearable.dark:
            second_ms = min(horizon_ms, (wearable.at_ms // _SECOND_MS + 1) * _SECOND_MS)
            await wearable.go(second_ms)
            self._set(wearable.at_ms)
            await self.air.settle(wearable)
            for each in self.each_second:
                each()

    async def pass_s(self, seconds: float) -> None:
        """Live on for so long."""
        await self.until(self.at_ms + int(seconds * 1000))

    # ---- the hand ----

    async def press(self, name: str, held_s: float = 0.12) -> None:
        """Press and let go; who sleeps wakes by it."""
        wearable = self.wearables[name]
        wearable.tell("button 1")
        if wearable.asleep:
            await wearable.wake("button", self.at_ms)
        await self.pass_s(held_s)
        wearable.tell("button 0")

    async def hold(self, name: str) -> None:
        """Hold for longer than a second."""
        await self.press(name, 1.3)

    async def accepted(self) -> None:
        """Time stands until every event of every gateway is the desk's. Raises TimeoutError."""
        async with asyncio.timeout(_ACCEPTED_WITHIN_S):
            while any(map(_waiting, self.gateways.values())):
                await asyncio.sleep(_LOOK_EVERY_S)


def _waiting(gateway: StoryGateway) -> bool:
    """Whether it has heard of an event, or found a fault, that is not the desk's yet."""
    known: dict[str, set[str]] = {}
    for entry in gateway.logs:
        known.setdefault(str(entry.get("log")), set()).add(str(entry.get("event")))
    over = set[str]().union(*(known.get(f"event_{stage}", set()) for stage in _OVER))
    return bool(known.get("event_heard", set()) - over)
