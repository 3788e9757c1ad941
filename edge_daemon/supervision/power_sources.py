"""Where mains and battery are read: the kernel's power_supply class, and Network UPS Tools. Owns their formats.

Kernel: Documentation/ABI/testing/sysfs-class-power. NUT: RFC 9271, section 4.2.4.2 (GET VAR) and 5.1 (ups.status).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_daemon.config import Supervision

# Where a battery only says how full it is: low below the first, right again above the second, and as it was between.
_LOW_PERCENT = 20
_OK_PERCENT = 30
_NUT_WITHIN_S = 5.0
_NUT_PORT = 3493
_VARIABLE = re.compile(r'VAR \S+ \S+ "((?:[^"\\]|\\.)*)"')


class SourceFailed(Exception):
    """The source cannot be read now."""


@dataclass(frozen=True)
class Power:
    """What a source says; None: it does not say. `low`: the battery is nearly empty."""

    mains: bool | None = None
    low: bool | None = None
    percent: int | None = None


class Source(Protocol):
    """A place where mains and battery can be read."""

    @property
    def name(self) -> str:
        """Named in events."""

    async def read(self) -> Power:
        """Ask once. Raises SourceFailed."""


class Kernel:
    """/sys/class/power_supply. Mains are there when one of the supplies is online; without any, nothing is said."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def name(self) -> str:
        """Named in events."""
        return "power_supply"

    async def read(self) -> Power:
        """Ask once. Raises SourceFailed."""
        try:
            supplies = [Supply.read(path) for path in sorted(self._directory.iterdir())]
        except FileNotFoundError:
            return Power()
        except OSError as error:
            raise SourceFailed(error.strerror or str(error)) from error
        # A mouse has a battery, too; it is a device's and not the system's.
        system = [supply for supply in supplies if supply.scope != "Device"]
        lines = [supply.online for supply in system if supply.kind in ("Mains", "USB") and supply.online is not None]
        cells = [supply for supply in system if supply.kind in ("Battery", "UPS")]
        mains = any(lines) if lines else None
        if mains is None and any(cell.status for cell in cells):
            mains = not any(cell.status == "Discharging" for cell in cells)
        percents = [cell.percent for cell in cells if cell.percent is not None]
        percent = min(percents) if percents else None
        return Power(mains, _low(percent), percent)


@dataclass(frozen=True)
class Supply:
    """One directory of the class."""

    kind: str
    scope: str
    status: str
    online: bool | None
    percent: int | None

    @classmethod
    def read(cls, path: Path) -> Supply:
        """Read it; an attribute that is missing, or that the driver cannot give now, is none."""
        percent, online = _attribute(path, "capacity"), _attribute(path, "online")
        return cls(
            _attribute(path, "type"),
            _attribute(path, "scope"),
            _attribute(path, "status"),
            online != "0" if online.isdigit() else None,
            min(int(percent), 100) if percent.isdigit() else None,
        )


class Nut:
    """One UPS of a upsd: `ups@host` or `ups@host:port`."""

    def __init__(self, address: str) -> None:
        self._ups, _, where = address.partition("@")
        host, _, port = where.partition(":")
        self._host, self._port = host or "localhost", int(port) if port else _NUT_PORT

    @property
    def name(self) -> str:
        """Named in events."""
        return f"nut:{self._ups}"

    async def read(self) -> Power:
        """Ask once. Raises SourceFailed."""
        try:
            async with asyncio.timeout(_NUT_WITHIN_S):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    status = await self._variable(reader, writer, "ups.status")
                    charge = await self._variable(reader, writer, "battery.charge")
                finally:
                    writer.close()
        except (OSError, EOFError, ValueError) as error:
            raise SourceFailed(str(error) or type(error).__name__) from error
        if status is None:
            raise SourceFailed("no ups.status")
        words = status.split()
        percent = round(float(charge)) if charge and re.fullmatch(r"\d{1,3}(\.\d+)?", charge) else None
        mains = True if "OL" in words else False if "OB" in words else None
        # LB is the UPS's own word; FSD says that it is about to cut the power.
        low = True if {"LB", "FSD"} & set(words) else False if percent is None else _low(percent)
        return Power(mains, low, percent)

    async def _variable(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> str | None:
        """The value of a variable; None when the UPS has none of that name. DATA-STALE and the like raise."""
        writer.write(f"GET VAR {self._ups} {name}\n".encode())
        await writer.drain()
        line = (await reader.readline()).decode("ascii", "replace").strip()
        if line.startswith("ERR VAR-NOT-SUPPORTED"):
            return None
        found = _VARIABLE.fullmatch(line)
        if found is None:
            raise SourceFailed(line[:60] or "hung up")
        return found[1]


def configured(settings: Supervision) -> list[Source]:
    """The sources that are to be asked."""
    kernel: list[Source] = [Kernel(Path(settings.power_supply))] if settings.power_supply else []
    return kernel + ([Nut(settings.ups)] if settings.ups else [])


def _attribute(path: Path, name: str) -> str:
    try:
        return (path / name).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _low(percent: int | None) -> bool | None:
    if percent is None or _LOW_PERCENT <= percent < _OK_PERCENT:
        return None
    return percent < _LOW_PERCENT
