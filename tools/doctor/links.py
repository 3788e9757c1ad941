"""The ears: the adapter as bluetoothd and the kernel see it, and the serial ports. Must not know the daemon."""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import Iterator
from pathlib import Path

from edge_daemon.config import Config
from edge_daemon.links.ble_bluez import Bluez, Said
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding

_ANSWER_WITHIN_S = 5.0
RFKILL = Path("/sys/class/rfkill")


async def bluetooth(config: Config, rfkill: Path = RFKILL) -> list[Finding]:
    """Whether there is an adapter that can hear. A gateway with lines only loses nothing by having none."""
    if not config.ble.enabled:
        return []
    blocked = _blocked(rfkill)
    if blocked:
        return [Finding("bluetooth", f"radio_blocked_{blocked}", DEADLY)]
    said = await _ask_bluetoothd(config.ble.adapter)
    if said is None:
        return [Finding("bluetooth", "bus_absent", DEADLY)]
    names = {"adapter": said.name or config.ble.adapter or "hci*"}
    return [Finding("bluetooth", *_judge(said), names)]


async def _ask_bluetoothd(adapter: str) -> Said | None:
    """None: there is no system bus, or nobody answers on it."""
    bluez = Bluez(adapter, _ANSWER_WITHIN_S)
    connection = asyncio.create_task(bluez.run())
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            await bluez.tried.wait()
        return await bluez.look()
    except TimeoutError:
        return None
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


def _judge(said: Said) -> tuple[str, int]:
    if not said.name:
        return "adapter_absent", DEADLY
    if not said.powered:
        return "adapter_off", DEADLY
    # Nobody scans while the daemon is stopped; where it runs, its own faults tell more (service.py).
    return ("adapter_good", GOOD) if said.discovering else ("adapter_idle", WEAK)


def _blocked(rfkill: Path) -> str:
    """What holds it off: "hard", a switch on the machine; "soft", a program; "", nothing."""
    found = ""
    for switch in sorted(rfkill.glob("rfkill*")):
        try:
            kind, hard, soft = ((switch / name).read_text().strip() for name in ("type", "hard", "soft"))
        except OSError:
            continue
        if kind == "bluetooth" and hard == "1":
            return "hard"
        if kind == "bluetooth" and soft == "1":
            found = "soft"
    return found


def serial(config: Config) -> Iterator[Finding]:
    """Whether the ports that are there may be opened. None there is no fault: a cradle may be unplugged."""
    patterns = config.serial.ports
    ports = sorted({port for pattern in patterns for port in glob.glob(pattern)})
    forbidden = [port for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    if forbidden:
        yield Finding("serial", "port_forbidden", HARMFUL, {"ports": " ".join(forbidden)})
    elif ports:
        yield Finding("serial", "ports_good", GOOD, {"ports": " ".join(ports)})
    elif patterns and not any(set(pattern) & set("*?[") for pattern in patterns):
        yield Finding("serial", "port_missing", HARMFUL, {"ports": " ".join(patterns)})
    elif not config.ble.enabled:
        yield Finding("serial", "no_link", DEADLY)
