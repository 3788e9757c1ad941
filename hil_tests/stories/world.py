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
from hil_tests.stories.body_moves import Fall
from hil_tests.stories.wearable import StoryWearable
from protocol import keys

AREA = "story"
# Presence and inactivity count no more of a step than this as listening.
_STEP_MS = 300_000
# No wearable sleeps for less (firmware/sos/power.py): none is woken late.
_CHUNK_MS = 3_000
_SECOND_MS = 1_000
# Somebody who is awake for long does not keep gateways from their clocks.
_LOOK_MOST_MS = 60_000
# What the accelerometer keeps: so soon after motion has begun it wakes.
_ROW_MS = 3_400
_ACCEPTED_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.02
_BATTERY = {"type": "Battery", "capacity": "90", "status": "Discharging", "present": "1"}
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
    """`at_ms`: the story's time, `begin_ms` at first; `begins`: the wall's time at 0.

    Use `async with World(place, begins) as world:`.
    """

    def __init__(self, place: Path, begins: datetime, begin_ms: int = 0) -> None:
        self.place = place
        self.at_ms = begin_ms
        self.wall_of_0_ms = int(begins.timestamp() * 1000)
        self.air = Air(place)
        self.broker = Broker(place / "broker")
        self.wearables: dict[str, StoryWearable] = {}
        self.gateways: dict[str, StoryGateway] = {}
        self.desk: StoryDesk
        # Called each virtual second that somebody is awake, and at each idle step: what the world does to wearables.
        self.each_second: list[Callable[[], None]] = []
        # Who walks now; when the blow of a fall comes to whom.
        self._moving: set[str] = set()
        self._shaken: dict[str, list[int]] = {}
        self._falls_until_ms = 0
        self._looked_ms = begin_ms
        self._boot = 1
        self._clock = place / "clock.json"

    async def __aenter__(self) -> Self:
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._set(self.at_ms)
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
        self.mains(name, on=True)
        base = config.Config(
            gateway=config.Gateway(id=name, area=AREA, state_dir=str(place / "state")),
            wearables=config.Wearables(key_file=str(key_file)),
            ble=config.Ble(recovery=[], linger_s=0.1),
            serial=config.Serial(ports=[]),
            platform=config.Platform(host=self.broker.host, port=self.broker.port, tls=False, reconnect_most_s=1.0),
            supervision=config.Supervision(power_supply=str(place / "power")),
            ways=config.Ways(no_platform_s=600.0, no_answer_s=600.0),
            forwarder=config.Forwarder(answer_within_s=2.0, fast_s=1.0, slow_s=1.0, last_s=1.0, heartbeat_s=180.0),
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

    def mains(self, gateway: str, *, on: bool) -> None:
        """Mains power at this gateway, which has a battery: as its kernel says it."""
        for name, fields in (("AC", {"type": "Mains", "online": str(int(on))}), ("BAT", _BATTERY)):
            supply = self.place / gateway / "power" / name
            supply.mkdir(parents=True, exist_ok=True)
            for field, value in fields.items():
                (supply / field).write_text(f"{value}\n")

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

    async def cut(self, name: str) -> None:
        """Its cell is flat."""
        await self.wearables[name].cut(self.at_ms)
        await self.air.settle(self.wearables[name])

    async def until(self, to_ms: int, unless: Callable[[], bool] = lambda: False) -> None:
        """Live up to this time, or until something is so, looked at after each step."""
        while self.at_ms < to_ms and not unless():
            ours = self.wearables.values()
            awake = [one for one in ours if not one.asleep and not one.dark]
            due_ms = min([self._wakes_ms(one) for one in ours if one.asleep], default=to_ms)
            even_ms = (self.at_ms // _STEP_MS + 1) * _STEP_MS
            horizon_ms = min(to_ms, max(due_ms, self.at_ms), self.at_ms + _CHUNK_MS if awake else even_ms)
            for wearable in awake:
                await self._live(wearable, horizon_ms)
            if not awake:
                # Nothing is under way any more when the hands move.
                await self.air.look()
            self._set(horizon_ms)
            for each in self.each_second:
                each()
            await self._wake()
            if not awake or self.at_ms - self._looked_ms >= _LOOK_MOST_MS:
                await self.air.look()
                self._looked_ms = self.at_ms

    def _wakes_ms(self, wearable: StoryWearable) -> int:
        """When this one wakes, by itself or by what is done to it."""
        stirs = wearable.name in self._moving or self.at_ms < self._falls_until_ms
        if wearable.motion_wakes == "any" and stirs:
            return min(wearable.wakes_ms, wearable.at_ms + _ROW_MS)
        shaken_ms = min(
            [at_ms for at_ms in self._shaken.get(wearable.name, []) if at_ms > wearable.at_ms], default=None
        )
        return wearable.wakes_ms if shaken_ms is None else min(wearable.wakes_ms, shaken_ms)

    async def _wake(self) -> None:
        for wearable in self.wearables.values():
            if wearable.asleep and self._wakes_ms(wearable) <= self.at_ms:
                await wearable.wake("timer" if wearable.wakes_ms <= self.at_ms else "motion", self.at_ms)

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

    def walks(self, name: str, gait: str | None, still: str) -> None:
        """From now on this wearer walks, or (None) does not."""
        (self._moving.discard if gait is None else self._moving.add)(name)
        self.wearables[name].tell(f"gait {self.at_ms} {gait or still}")

    def falls(self, name: str, fall: Fall, after: str) -> None:
        """This wearer falls, and then goes on as `after` says: lies still, or walks."""
        self.wearables[name].tell(f"gait {self.at_ms} {after}")
        self.wearables[name].tell(f"moves {self.at_ms} {fall.trace}")
        self._falls_until_ms = self.at_ms + fall.lasts_ms
        self._shaken.setdefault(name, []).append(self.at_ms + fall.blow_ms + _ROW_MS // 2)

    async def tap(self, name: str, *places: tuple[int, int]) -> None:
        """Tap the glass here, and there; who sleeps wakes by the first, which only lights it."""
        wearable = self.wearables[name]
        for place in places:
            wearable.tell(f"touch {place[0]} {place[1]}")
            if wearable.asleep:
                await wearable.wake("touch", self.at_ms)
            await self.pass_s(1.5)

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
