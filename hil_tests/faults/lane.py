"""One gateway with its own broker, hostile proxy, fickle platform and wired wearables, and what must hold of them.

    wearables ==serial lines== [the daemon's process] --TCP-- HostileProxy --TCP-- [mosquitto] -- FicklePlatform

Owns putting together, and the accounts: what was pressed, shown, said and stored. Must not know which hurt is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_daemon import config
from hil_tests.broker.hostile import HostileProxy, hostile
from hil_tests.broker.mosquitto import Broker
from hil_tests.faults.campaign import Outcome
from hil_tests.faults.fickle_platform import FicklePlatform
from hil_tests.gateway.process import GatewayProcess
from hil_tests.independent.wearable import Alarm, Wearable
from hil_tests.wearable.serial_line import SerialLine

AREA, NAME = "bench", "gw-1"
DOWN = f"pingan/v1/{AREA}/{NAME}/down"
# What the wearer may be shown only when the platform has said a word that brings it.
_WORDS = {
    "ACCEPTED": ("accepted",),
    "ANSWERED": ("answered",),
    "CLOSED": ("closed",),
    "BUSY": ("busy",),
    "REFUSED": ("refused",),
}
_LOUD = ("error", "critical")


class Watched(Wearable):
    """A wearable whose every stage is held against what the platform has said by then."""

    def __init__(self, root: bytes, tty: str, said: dict[str, list[str]]) -> None:
        super().__init__(root, tty)
        self.untrue: list[str] = []
        self._said = said

    def _believe(self, question: int, body: bytes) -> None:
        alarm = self.alarms.get(int.from_bytes(body[1:4], "big"))
        # HEARD with an event's number says that the gateway does not have it.
        if alarm is not None and body[0] == 0 and alarm.shown:
            self.untrue.append(f"{self.identity(alarm.number)} was {alarm.stage} and is denied")
        super()._believe(question, body)

    def _show(self, alarm: Alarm, stage: str, reason: int) -> None:
        identity = self.identity(alarm.number)
        allowed = _WORDS.get(stage)
        if allowed is not None and not set(allowed) & set(self._said.get(identity, ())):
            self.untrue.append(f"{identity} told {stage}, the platform said {self._said.get(identity)}")
        super()._show(alarm, stage, reason)


class Lane:
    """Make it with `async with lane(place, chance) as made:`; the daemon runs and is connected then."""

    def __init__(self, place: Path, chance: random.Random, clock: Path | None = None) -> None:
        place.mkdir(parents=True)
        self.place = place
        self.chance = chance
        self.clock = clock
        self.broker = Broker(place / "broker", persistence=False)
        self.platform = FicklePlatform(self.broker.port, chance)
        self.proxy: HostileProxy
        self.gateway: GatewayProcess
        self.wearables: list[Watched] = []
        self.pressed: dict[str, tuple[Watched, Alarm]] = {}
        # Left out of the accounts.
        self.hidden: set[str] = set()
        self.lines: list[SerialLine] = []
        self._strangers = 0

    def lay(self, wearables: int, *, strangers: int = 0) -> None:
        """So many wearables, each on a line of its own; the last ones are not enrolled."""
        self._strangers = strangers
        for number in range(wearables + strangers):
            place = self.place / f"line-{number}"
            place.mkdir()
            line = SerialLine.lay(place)
            self.lines.append(line)
            root = f"test_only_{number:>06}".encode()
            self.wearables.append(Watched(root, line.wearable, self.platform.said))

    def write(self, port: int) -> Path:
        """The daemon's configuration, with the proxy at `port` for its broker; times short enough to be waited for."""
        keys = self.place / "wearables.json"
        keys.touch(mode=0o600)
        enrolled = self.wearables[: len(self.wearables) - self._strangers]
        keys.write_text(json.dumps({"v": 1, "wearables": [one.registry_row() for one in enrolled]}))
        settings = config.Config(
            gateway=config.Gateway(id=NAME, area=AREA, state_dir=str(self.place / "state")),
            wearables=config.Wearables(key_file=str(keys)),
            ble=config.Ble(enabled=False),
            serial=config.Serial(ports=[line.gateway for line in self.lines], rescan_s=0.2),
            platform=config.Platform(host="127.0.0.1", port=port, tls=False, reconnect_most_s=1.0),
            forwarder=config.Forwarder(answer_within_s=1.0, fast_s=1.0, heartbeat_s=5.0),
        )
        file = self.place / "gateway.toml"
        file.write_text(config.as_toml(settings, lambda key: key), encoding="utf-8")
        return file

    async def start(self, file: Path, within_s: float = 60.0) -> None:
        """The daemon's process, until it is connected and has every line."""
        self.gateway = await GatewayProcess.start(self.place, file, name="daemon", clock=self.clock)
        await self._ready(0, within_s)

    async def again(self, within_s: float = 60.0) -> None:
        """The daemon once more, after it was killed."""
        after = len(self.gateway.logs)
        await self.gateway.restart()
        await self._ready(after, within_s)

    async def _ready(self, after: int, within_s: float) -> None:
        await self.gateway.logged("uplink_connected", within_s, after)
        for line in self.lines:
            await self.gateway.logged("serial_opened", within_s, after, port=line.gateway)

    def press(self, wearable: Watched | None = None) -> str:
        """Somebody presses, this one or any; returns the event's identity."""
        wearable = wearable or self.chance.choice(self.wearables)
        alarm = wearable.press()
        identity = wearable.identity(alarm.number)
        self.pressed[identity] = (wearable, alarm)
        return identity

    def open(self) -> list[str]:
        """Presses that have not come to their end for their wearer."""
        return [name for name, (_, alarm) in self.pressed.items() if alarm.stage not in ("CLOSED", "REFUSED")]

    async def settled(self, within_s: float) -> float:
        """Wait until every press is closed; returns how long that took. Raises TimeoutError."""
        begun_s = time.monotonic()
        async with asyncio.timeout(within_s):
            while self.open():
                await asyncio.sleep(0.02)
        return time.monotonic() - begun_s

    def account(self, outcome: Outcome, logs: list[dict[str, Any]]) -> None:
        """Every press against the platform's store and the wearer's lamp; every word of the daemon's log."""
        platform = self.platform
        ours = {wearable.handle for wearable in self.wearables}
        stored = {name for name in platform.events if name[:16] in ours}
        outcome.lost += [f"{name} is not at the platform" for name in self.pressed.keys() - stored]
        outcome.lost += [f"{name} ended as {self.pressed[name][1].shown}" for name in self.open()]
        outcome.twice += [f"{name} was never pressed" for name in stored - self.pressed.keys() - self.hidden]
        outcome.wrong += platform.violations
        for wearable in self.wearables:
            outcome.wrong += wearable.untrue
        outcome.wrong += [f"{name} was REFUSED" for name, (_, a) in self.pressed.items() if a.stage == "REFUSED"]
        outcome.wrong += [str(entry)[:2000] for entry in logs if _is_loud(entry)]

    async def leave(self) -> None:
        """Take everything away but broker, proxy and platform."""
        for wearable in self.wearables:
            await wearable.close()
        for line in self.lines:
            line.close()


def _is_loud(entry: dict[str, Any]) -> bool:
    """An entry of the daemon that says a fault of its own."""
    return entry.get("level") in _LOUD or "trace" in entry or entry.get("log") == "unstructured"


@contextlib.asynccontextmanager
async def lane(
    place: Path, chance: random.Random, wearables: int = 2, clock: Path | None = None
) -> AsyncIterator[Lane]:
    """A lane with its daemon connected, by the real clock or one that a file steers; taken down at the end."""
    made = Lane(place, chance, clock)
    await asyncio.to_thread(made.broker.start)
    serving = asyncio.create_task(made.platform.run())
    try:
        async with hostile(made.broker.port, chance) as made.proxy:
            made.lay(wearables)
            try:
                await made.start(made.write(made.proxy.port))
                try:
                    yield made
                finally:
                    await made.gateway.stop()
            finally:
                await made.leave()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        made.broker.close()
