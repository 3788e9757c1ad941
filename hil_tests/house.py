"""A whole installation on one machine: wearables, radio, lines, gateways, broker and desk, put together and taken down.

Owns how the parts are joined: who hears whom, whose keys are where. Must not know what a test or the demo does with it.
Rooms: wearable/ radio/ gateway/ broker/ desk/.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
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
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.broker = Broker(directory / "broker")
        self.second: Broker | None = None
        self.wearables: dict[str, WearableProcess] = {}
        # The gateway's ends: paths of ttys.
        self.serial_ports: dict[str, str] = {}
        self.lines: dict[str, SerialLine] = {}
        self.gateways: dict[str, GatewayProcess] = {}
        self._radio: RadioProcess | None = None
        self._desk: DeskProcess | None = None
        self._strangers: set[str] = set()

    @classmethod
    async def build(
        cls, directory: Path, gateways: tuple[str, ...] = ("gw-1",), *, interval_ms: float = 15, seed: int | None = None
    ) -> Self:
        """Lay the air between the named gateways and the wearables to come. Nothing else runs yet."""
        house = cls(directory)
        house._radio = await RadioProcess.start(directory, gateways, interval_ms=interval_ms, seed=seed)
        return house

    @property
    def radio(self) -> RadioProcess:
        """The simulated air; there is none where the boards are real."""
        assert self._radio is not None
        return self._radio

    @property
    def desk(self) -> DeskProcess:
        """The desk; open_desk() comes first."""
        assert self._desk is not None
        return self._desk

    def open_second_broker(self) -> Broker:
        """Start another broker: the second way out of every gateway, and the desk's other ear, opened from now on."""
        self.second = Broker(self.directory / "second")
        self.second.start()
        return self.second

    async def open_desk(self, *arguments: str, port: int | None = None) -> DeskProcess:
        """Start the broker, where it does not run, and the desk."""
        self.broker.start()
        more = ["--broker", self.second.address] if self.second is not None else []
        self._desk = await DeskProcess.start(
            self.directory / "desk", self.broker.address, "--allow-drill", *more, *arguments, port=port
        )
        return self._desk

    async def add_wearable(
        self,
        name: str,
        *,
        ble: bool = True,
        serial: bool = False,
        stranger: bool = False,
        line_seed: int = 0,
        **more: Any,
    ) -> WearableProcess:
        """Provision a wearable and power it on. `line_seed`: of its line's noise. `more`: wearable.life.Settings."""
        place = self.directory / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if serial:
            self.lines[name] = SerialLine.lay(place, line_seed)
            self.serial_ports[name] = self.lines[name].gateway
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

    async def open_gateway(
        self, name: str = "gw-1", *, clock: Path | None = None, **settings: dict[str, Any]
    ) -> GatewayProcess:
        """Write a gateway's key file and configuration and start it. `settings`: section -> key -> value.

        `clock`: see gateway/steered_clock.py.
        """
        file = self.write_gateway(name, settings)
        hci = self.radio.hci(name)
        self.gateways[name] = await GatewayProcess.start(file.parent, file, hci, name=name, clock=clock)
        return self.gateways[name]

    def write_gateway(self, name: str, settings: dict[str, dict[str, Any]]) -> Path:
        """Its configuration, and the keys of everybody who is enrolled now."""
        place = self.directory / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = place / "gateway.toml"
        file.write_text(config.as_toml(self._config(name, place, settings), lambda key: key), encoding="utf-8")
        rows = [w.registry_row() for name, w in self.wearables.items() if name not in self._strangers]
        _write_keys(place / "wearables.json", rows)
        return file

    def _config(self, name: str, place: Path, settings: dict[str, dict[str, Any]]) -> config.Config:
        base = config.Config(
            gateway=config.Gateway(id=name, area=AREA, state_dir=str(place / "state"), log_level="DEBUG"),
            wearables=config.Wearables(key_file=str(place / "wearables.json")),
            # The adapter is simulated: this machine's own must not be switched off for it.
            ble=config.Ble(recovery=["scan"]),
            serial=config.Serial(ports=list(self.serial_ports.values()), rescan_s=0.2),
            platform=config.Platform(host=self.broker.host, port=self.broker.port, tls=False, reconnect_most_s=2.0),
        )
        if self.second is not None:
            host, port = self.second.host, self.second.port
            backup = config.Backup(enabled=True, host=host, port=port, tls=False, reconnect_most_s=2.0)
            base = dataclasses.replace(base, backup=backup)
        changed = {key: dataclasses.replace(getattr(base, key), **values) for key, values in settings.items()}
        return dataclasses.replace(base, **changed)

    def write_platform_keys(self) -> Path:
        """The key file of a platform that holds every wearable's keys, strangers' too."""
        file = self.directory / "platform_keys.json"
        _write_keys(file, [wearable.registry_row() for wearable in self.wearables.values()])
        return file

    async def leave(self) -> None:
        """Stop everything, in the order in which it does not complain."""
        await asyncio.gather(*(wearable.stop() for wearable in self.wearables.values()))
        await asyncio.gather(*(gateway.stop() for gateway in self.gateways.values()))
        if self._desk is not None:
            await self._desk.stop()
        if self._radio is not None:
            await self._radio.stop()
        for line in self.lines.values():
            line.close()
        self.broker.close()
        if self.second is not None:
            self.second.close()


def _write_keys(file: Path, rows: list[dict[str, str]]) -> None:
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(json.dumps({"v": 1, "wearables": rows}))
