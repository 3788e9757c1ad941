"""A whole installation on one machine: wearables, radio, lines, gateways, broker and desk, put together and taken down.

Owns how the parts are joined: who hears whom, whose keys are where. Must not know what a test or the demo does with it.
Rooms: wearable/ radio/ gateway/ broker/ desk/.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Self

from edge_daemon import config
from hil_tests.broker.mosquitto import Broker
from hil_tests.desk.process import DeskProcess
from hil_tests.gateway.process import GatewayProcess
from hil_tests.radio.process import RadioProcess
from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from tools import image

AREA = "bench"


class House:
    """Make it with `await House.build(directory)`, end it with `await house.leave()`.

    Wearables are enrolled in every gateway that is opened after them, unless they are made as strangers.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.broker = Broker(directory / "broker")
        self.wearables: dict[str, WearableProcess] = {}
        self.lines: dict[str, SerialLine] = {}
        self.gateways: dict[str, GatewayProcess] = {}
        self.radio: RadioProcess
        self._desk: DeskProcess | None = None
        self._strangers: set[str] = set()

    @classmethod
    async def build(
        cls, directory: Path, gateways: tuple[str, ...] = ("gw-1",), *, interval_ms: float = 15, seed: int | None = None
    ) -> Self:
        """Lay the air between the named gateways and the wearables to come. Nothing else runs yet."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        house = cls(directory)
        house.radio = await RadioProcess.start(
            directory / "radio", gateways=list(gateways), interval_ms=interval_ms, seed=seed
        )
        return house

    @property
    def desk(self) -> DeskProcess:
        """The desk; open_desk() comes first."""
        assert self._desk is not None
        return self._desk

    async def open_desk(self, *arguments: str, port: int | None = None) -> DeskProcess:
        """Start the broker, where it does not run, and the desk."""
        self.broker.start()
        self._desk = await DeskProcess.start(
            self.directory / "desk", self.broker.address, "--allow-drill", *arguments, port=port
        )
        return self._desk

    async def add_wearable(
        self, name: str, *, ble: bool = True, serial: bool = False, stranger: bool = False, **more: Any
    ) -> WearableProcess:
        """Provision a wearable and power it on. `more`: see hil_tests.wearable.life.Settings."""
        place = self.directory / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if serial:
            self.lines[name] = SerialLine.lay(place)
        if stranger:
            self._strangers.add(name)
        wearable = await WearableProcess.start(
            place,
            image.stage("simulator", self.directory / "image").directory,
            name,
            radio_socket=self.radio.wearables_socket if ble else None,
            serial=self.lines[name].wearable if serial else None,
            **more,
        )
        self.wearables[name] = wearable
        return wearable

    async def open_gateway(self, name: str = "gw-1", **settings: dict[str, Any]) -> GatewayProcess:
        """Write a gateway's key file and configuration and start it. `settings`: section -> key -> value."""
        place = self.directory / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = place / "gateway.toml"
        file.write_text(config.as_toml(self._config(name, place, settings), lambda key: key), encoding="utf-8")
        self._write_keys(place / "wearables.json")
        gateway = await GatewayProcess.start(place, file, self.radio.hci(name))
        self.gateways[name] = gateway
        return gateway

    def _config(self, name: str, place: Path, settings: dict[str, dict[str, Any]]) -> config.Config:
        base = config.Config(
            gateway=config.Gateway(id=name, area=AREA, state_dir=str(place / "state"), log_level="DEBUG"),
            wearables=config.Wearables(key_file=str(place / "wearables.json")),
            serial=config.Serial(ports=[line.gateway for line in self.lines.values()], rescan_s=0.2),
            platform=config.Platform(host=self.broker.host, port=self.broker.port, tls=False, reconnect_most_s=2.0),
        )
        changed = {key: dataclasses.replace(getattr(base, key), **values) for key, values in settings.items()}
        return dataclasses.replace(base, **changed)

    def _write_keys(self, file: Path) -> None:
        rows = [w.registry_row() for name, w in self.wearables.items() if name not in self._strangers]
        file.touch(mode=0o600)
        os.chmod(file, 0o600)
        file.write_text(json.dumps({"v": 1, "wearables": rows}))

    def write_platform_keys(self) -> Path:
        """The key file of a platform that holds every wearable's keys, strangers' too."""
        file = self.directory / "platform_keys.json"
        file.touch(mode=0o600)
        os.chmod(file, 0o600)
        file.write_text(json.dumps({"v": 1, "wearables": [w.registry_row() for w in self.wearables.values()]}))
        return file

    async def leave(self) -> None:
        """Stop everything, in the order in which it does not complain."""
        await asyncio.gather(*(wearable.stop() for wearable in self.wearables.values()))
        await asyncio.gather(*(gateway.stop() for gateway in self.gateways.values()))
        if self._desk is not None:
            await self._desk.stop()
        await self.radio.stop()
        for line in self.lines.values():
            line.close()
        self.broker.close()
