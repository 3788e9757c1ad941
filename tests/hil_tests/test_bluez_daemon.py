"""The whole daemon on bleak's own BlueZ back end: an adapter that goes is an event, and so is its return."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from hil_tests.bluez.device import Device
from hil_tests.child import Child

from .bluez_home import BluezHome

_WITHIN_S = 40.0
_CLOSED_PORT = 9


def _config(directory: Path) -> Path:
    keys = directory / "wearables.json"
    keys.touch(mode=0o600)
    keys.write_text('{"v": 1, "wearables": []}')
    file = directory / "gateway.toml"
    file.write_text(
        f"""
[gateway]
id = "gw-test"
area = "test"
state_dir = "{directory}/state"
[wearables]
key_file = "{keys}"
[ble]
recovery = ["scan"]
[serial]
ports = []
[platform]
host = "127.0.0.1"
port = {_CLOSED_PORT}
tls = false
"""
    )
    return file


def _logged(name: str, **fields: str) -> Callable[[str], bool]:
    wanted = {"log": name, **fields}

    def right(line: str) -> bool:
        return line.startswith("{") and wanted.items() <= json.loads(line).items()

    return right


async def test_an_adapter_that_stays_away_is_an_event_and_so_is_its_return(bluez: BluezHome) -> None:
    command = [sys.executable, "-m", "edge_daemon", "--config", _config(bluez.directory)]
    environment = {"DBUS_SYSTEM_BUS_ADDRESS": bluez.bus.address}
    daemon = await Child.start("gateway", command, bluez.directory, environment)
    try:
        await daemon.said(_logged("scan_started"), _WITHIN_S)
        bluez.bluetoothd.unplug()
        await daemon.said(_logged("fault", kind="radio_deaf", about="default"), _WITHIN_S)
        bluez.bluetoothd.plug()
        device = Device("AA:00:00:00:00:01")
        async with asyncio.timeout(_WITHIN_S):
            while not bluez.bluetoothd.advertise(device, 76, b"neighbour"):
                await asyncio.sleep(0.1)
        await daemon.said(_logged("fault", kind="radio_restored", about="default"), _WITHIN_S)
        assert await daemon.stop() == 0
        assert (bluez.directory / "state/ble_history.json").exists()
    finally:
        await daemon.kill()
