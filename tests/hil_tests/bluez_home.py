"""A gateway's BleLink on bleak's own BlueZ back end, over a private bus with a bluetoothd that can be hurt."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bleak.backends.bluezdbus import manager
from bleak.backends.bluezdbus.version import BlueZFeatures

from edge_daemon.config import Ble
from edge_daemon.links.ble_ear import EarLimits
from edge_daemon.links.ble_link import Care
from edge_daemon.links.ble_recovery import Patience
from edge_daemon.links.ble_scan import ScanTimes
from hil_tests.bluez.bluetoothd import Bluetoothd
from hil_tests.bluez.bus import PrivateBus, find_daemon
from hil_tests.bluez.systemd import Systemd

from .link_at_work import Link

# Everything the link waits for, shortened; the reasons for the true lengths stand in edge_daemon/links.
_WAITS_S = {"scan": 1.0, "power": 1.5, "usb": 1.5, "bluetoothd": 2.0}
_PATIENCE = Patience(
    look_s=0.05, down_s=1.0, waits_s=_WAITS_S, visits_s=20.0, again_first_s=1.0, again_most_s=2.0, quiet_most_s=1.0
)
_SCAN = ScanTimes(start_within_s=1.0, stop_within_s=1.0, retry_first_s=0.2, retry_most_s=0.5, steady_s=0.5, look_s=0.05)
SILENT_S = 1.0
FAST = Care(ear=EarLimits(unknown_s=3600.0, crowd_stays_s=0.2), patience=_PATIENCE, scan=_SCAN)


class BluezHome:
    """A bus, a bluetoothd, a systemd, a USB tree, and one link."""

    def __init__(self, directory: Path, bus: PrivateBus, bluetoothd: Bluetoothd, systemd: Systemd) -> None:
        self.directory = directory
        self.bus = bus
        self.bluetoothd = bluetoothd
        self.systemd = systemd
        self.sysfs = directory / "sys/class/bluetooth"
        self._link: Link | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def known_place(self) -> Path:
        """The memory of a place that was never silent for more than a tenth of a second, in a day."""
        file = self.directory / "ble_history.json"
        file.write_text(json.dumps({"v": 1, "into_hour_s": 0.0, "longest_s": [0.1] * 26}))
        return file

    async def link(self, care: Care = FAST, history: Path | None = None, **settings: Any) -> Link:
        """Begin to scan."""
        care = dataclasses.replace(care, sysfs=self.sysfs)
        self._link = Link(Ble(**{"silent_s": SILENT_S, "linger_s": 1.0, **settings}), care, history)
        await self._link.until(self._link.scanning.is_set)
        return self._link

    def beacon(self, address: str = "AA:00:00:00:00:01", every_s: float = 0.05) -> asyncio.Task[None]:
        """A neighbour's device."""
        return self.later(self.bluetoothd.advertise_for_ever(address, 76, b"neighbour", every_s))

    def later(self, work: Any) -> asyncio.Task[None]:
        """Ended with the test."""
        task = asyncio.ensure_future(work)
        self._tasks.append(task)
        return task

    def usb(self) -> None:
        """The adapter is in a USB port, whose plug the kernel takes out and in."""
        plug = self.directory / "sys/devices/usb1/1-1"
        (plug / "1-1:1.0/bluetooth/hci0").mkdir(parents=True)
        (plug / "idVendor").write_text("0bda")
        (plug / "authorized").write_text("1")
        (plug / "1-1:1.0/authorized").write_text("1")
        self.sysfs.mkdir(parents=True)
        (self.sysfs / "hci0").symlink_to(plug / "1-1:1.0/bluetooth/hci0")
        self.later(self._kernel(plug / "authorized"))

    async def _kernel(self, switch: Path) -> None:
        while True:
            await asyncio.sleep(0.02)
            self._obey(switch)

    def _obey(self, switch: Path) -> None:
        wanted = switch.read_text() != "0"
        if wanted != self.bluetoothd.there:
            self.bluetoothd.plug() if wanted else self.bluetoothd.unplug()

    async def leave(self) -> None:
        if self._link is not None:
            await self._link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        bleaks = manager._global_instances.pop(asyncio.get_running_loop(), None)
        if bleaks is not None and bleaks._bus is not None:
            bleaks._bus.disconnect()
            # None: it was ended in the middle of its first words with the bus.
            if bleaks._bus_watcher_task is not None:
                await bleaks._bus_watcher_task
        await self.systemd.stop()
        await self.bluetoothd.down()
        await self.bus.stop()


@pytest.fixture
async def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BluezHome]:
    if find_daemon() is None:
        pytest.skip("no dbus-daemon here (Debian package dbus): bleak's BlueZ back end is not tested")
    # bleak asks `bluetoothctl --version` once per process; here is none.
    monkeypatch.setattr(BlueZFeatures, "checked_bluez_version", True)
    bus = await PrivateBus.start(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bluetoothd = await Bluetoothd.start(bus.address)
    systemd = await Systemd.start(bus.address, bluetoothd.restart)
    home = BluezHome(tmp_path, bus, bluetoothd, systemd)
    try:
        yield home
    finally:
        await home.leave()
