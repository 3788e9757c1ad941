"""A gateway process with serial lines to strangers' wearables. Owns its configuration and its life; knows no test."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from hil_tests.broker.mosquitto import Broker
from hil_tests.child import Child
from hil_tests.independent.platform import Platform
from hil_tests.independent.wearable import Wearable
from hil_tests.wearable.serial_line import Faults, SerialLine

ROOT_A, ROOT_B = b"test_only_root_x", b"test_only_root_y"
WITHIN_S = 30.0
Worn = TypeVar("Worn", bound=Wearable)

_CONFIG = """\
[gateway]
id = "{name}"
area = "bench"
state_dir = "{place}/state"
log_level = "DEBUG"
[wearables]
key_file = "{place}/wearables.json"
[ble]
enabled = false
[serial]
ports = ["{place}/line*/ttyGateway"]
rescan_s = 0.1
[platform]
host = "127.0.0.1"
port = {port}
tls = false
reconnect_most_s = 1.0
[forwarder]
answer_within_s = 2.0
fast_s = 2.0
"""


class Home:
    """A gateway with lines to wearables; `started` before any line is used."""

    def __init__(self, directory: Path, name: str, port: int) -> None:
        self.place = directory / name
        self.place.mkdir(mode=0o700)
        self.topic = f"pingan/v1/bench/{name}"
        self._lines: list[SerialLine] = []
        self._wearables: list[Wearable] = []
        self._child: Child | None = None
        (self.place / "gateway.toml").write_text(_CONFIG.format(name=name, place=self.place, port=port))
        self.enrol()

    def disturb(self, faults: Faults) -> None:
        """Let every line do this to its bytes."""
        for line in self._lines:
            line.faults = faults

    def wearable(self, root: bytes, counter: int = 0, seed: int = 0) -> Wearable:
        """A wearable on a line of its own."""
        return self.wear(Wearable, root, counter, seed)

    def wear(self, made: type[Worn], root: bytes, counter: int = 0, seed: int = 0) -> Worn:
        """A wearable of this class on a line of its own."""
        place = self.place / f"line{len(self._lines)}"
        place.mkdir()
        line = SerialLine.lay(place, seed)
        self._lines.append(line)
        wearable = made(root, line.wearable, counter)
        self._wearables.append(wearable)
        return wearable

    def enrol(self, *wearables: Wearable) -> None:
        """Write the key file."""
        file = self.place / "wearables.json"
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(json.dumps({"v": 1, "wearables": [wearable.registry_row() for wearable in wearables]}))

    async def start(self, environment: dict[str, str] | None = None) -> None:
        """Start the daemon and wait until every line is open."""
        command = [sys.executable, "-m", "edge_daemon", "--config", str(self.place / "gateway.toml")]
        child = self._child = await Child.start("gateway", command, self.place, environment)
        for line in self._lines:
            await child.said(lambda said, path=line.gateway: "serial_opened" in said and path in said, WITHIN_S)  # type: ignore[misc]

    async def connected(self) -> None:
        """Wait for its broker."""
        assert self._child is not None
        await self._child.said(lambda said: "uplink_connected" in said, WITHIN_S)

    def counted(self, platform: Platform, name: str) -> int:
        """A counter of its newest heartbeat."""
        beats = [message for topic, message in platform.received if topic == f"{self.topic}/up/heartbeat"]
        return int(beats[-1]["counters"].get(name, 0)) if beats else 0

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._child is not None
        await self._child.kill()

    async def close(self) -> None:
        """Take everything away."""
        for wearable in self._wearables:
            await wearable.close()
        if self._child is not None:
            await self._child.stop()
        for line in self._lines:
            line.close()


@asynccontextmanager
async def a_home(directory: Path, broker: Broker, name: str = "gw-ind-1") -> AsyncIterator[Home]:
    home = Home(directory, name, broker.port)
    try:
        yield home
    finally:
        await home.close()
