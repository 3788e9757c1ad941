"""One gateway with two ways out: a broker, a hostile proxy and a fickle platform each; one store behind both.

    wearable ==serial== [the daemon's process] --TCP-- HostileProxy --TCP-- [mosquitto] -- FicklePlatform --.
                                               `-TCP-- HostileProxy --TCP-- [mosquitto] -- FicklePlatform ---> events

Owns putting together. The platforms keep apart what came by which broker (`came`), and store together (`events`), as
one platform with two ears does. Must not know which hurt is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_daemon import config
from hil_tests.broker.hostile import HostileProxy, hostile
from hil_tests.broker.mosquitto import Broker
from hil_tests.faults.fickle_platform import FicklePlatform
from hil_tests.faults.lane import AREA, NAME, Watched
from hil_tests.gateway.process import GatewayProcess
from hil_tests.independent.wearable import Alarm
from hil_tests.wearable.serial_line import SerialLine

# Short enough to be waited for; each is some part of its default.
QUICK: dict[str, dict[str, Any]] = {
    "forwarder": {"answer_within_s": 1.0, "fast_s": 1.0, "heartbeat_s": 1.0},
    "ways": {"back_after_s": 4.0, "lost_after_s": 2.0, "no_platform_s": 3.0, "no_answer_s": 6.0},
}


@dataclass
class Exit:
    """One of the two ways."""

    broker: Broker
    platform: FicklePlatform
    proxy: HostileProxy

    def kinds(self) -> list[str]:
        """The kinds of the gateway's own events that came by it."""
        rows = [kept[0].event for kept in self.platform.rows.values()]
        return [row["kind"] for row in rows if row["source"] == "gateway"]


class TwoBrokers:
    """Make it with `async with two_brokers(place, chance) as made:`; the daemon runs and is connected to both then."""

    def __init__(self, place: Path, primary: Exit, backup: Exit) -> None:
        self.place = place
        self.primary = primary
        self.backup = backup
        self.gateway: GatewayProcess
        self._line = SerialLine.lay(place)
        self.wearable = Watched(b"test_only_000001", self._line.wearable, primary.platform.said)

    def write(self, settings: dict[str, dict[str, Any]]) -> Path:
        """The daemon's configuration. `settings`: section -> key -> value, over QUICK."""
        keys = self.place / "wearables.json"
        keys.touch(mode=0o600)
        keys.write_text(json.dumps({"v": 1, "wearables": [self.wearable.registry_row()]}))
        broker: dict[str, Any] = {"host": "127.0.0.1", "tls": False, "reconnect_most_s": 1.0}
        made = config.Config(
            gateway=config.Gateway(id=NAME, area=AREA, state_dir=str(self.place / "state"), log_level="DEBUG"),
            wearables=config.Wearables(key_file=str(keys)),
            ble=config.Ble(enabled=False),
            serial=config.Serial(ports=[self._line.gateway], rescan_s=0.2),
            platform=config.Platform(port=self.primary.proxy.port, **broker),
            backup=config.Backup(enabled=True, port=self.backup.proxy.port, **broker),
        )
        for section in (*QUICK, *settings):
            values = QUICK.get(section, {}) | settings.get(section, {})
            made = replace(made, **{section: replace(getattr(made, section), **values)})
        file = self.place / "gateway.toml"
        file.write_text(config.as_toml(made, lambda key: key), encoding="utf-8")
        file.chmod(0o600)
        return file

    async def start(self, settings: dict[str, dict[str, Any]], within_s: float = 60.0) -> None:
        """The daemon's process, until both brokers have it and its heartbeats have been answered."""
        self.gateway = await GatewayProcess.start(self.place, self.write(settings), name="daemon")
        await self.gateway.logged("serial_opened", within_s)
        for way in ("primary", "backup"):
            await self.gateway.logged("uplink_connected", within_s, way=way)
        await self.until(lambda: self.primary.platform.beats and self.backup.platform.beats)

    def press(self) -> Alarm:
        """Somebody presses."""
        return self.wearable.press()

    async def shown(self, alarm: Alarm, stage: str, within_s: float = 60.0) -> float:
        """Wait until the wearer has been shown a stage; returns how long that took, in seconds."""
        begun_s = time.monotonic()
        await self.until(lambda: stage in alarm.shown, within_s)
        return time.monotonic() - begun_s

    async def until(self, true: Any, within_s: float = 60.0) -> None:
        """Wait until something holds. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.01)

    def hops(self) -> list[str]:
        """Each way that was changed to, in order."""
        return [entry["to"] for entry in self.gateway.logs if entry.get("log") == "way_changed"]

    async def leave(self) -> None:
        """Take the wearable and its line away."""
        await self.wearable.close()
        self._line.close()


@contextlib.asynccontextmanager
async def two_brokers(place: Path, chance: random.Random, **settings: dict[str, Any]) -> AsyncIterator[TwoBrokers]:
    """A gateway connected to two brokers; taken down at the end, whatever happened."""
    place.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        exits: list[Exit] = []
        for name in ("primary", "backup"):
            broker = Broker(place / name)
            stack.callback(broker.close)
            await asyncio.to_thread(broker.start)
            platform = FicklePlatform(broker.port, chance)
            if exits:
                platform.events, platform.said = exits[0].platform.events, exits[0].platform.said
            serving = asyncio.create_task(platform.run())
            stack.push_async_callback(_end, serving)
            exits.append(Exit(broker, platform, await stack.enter_async_context(hostile(broker.port, chance))))
        made = TwoBrokers(place, *exits)
        stack.push_async_callback(made.leave)
        await made.start(settings)
        stack.push_async_callback(made.gateway.stop)
        yield made


async def _end(task: asyncio.Task[None]) -> None:
    while not task.done():
        # Again and again: in Python 3.11 aiomqtt's wait_for may swallow one.
        task.cancel()
        await asyncio.wait({task}, timeout=1)
