"""Mains and battery of the gateway: lost after a minute, back after five stable ones, battery low at once.

Owns when that is told. Must not know where it is read: sources are in power_sources.py. Lost within a minute, so that
it is told while the battery lasts (the field: 180 s at most); back after five minutes, for mains that come and go are
one fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from edge_daemon.clock import Clock
from edge_daemon.faults import Faults
from edge_daemon.log import Log
from edge_daemon.supervision.power_sources import Power, Source, SourceFailed
from protocol import kinds

log = Log("power")

_EVERY_S = 5.0
_LOST_AFTER_MS = 60_000
_BACK_AFTER_MS = 300_000
_SOURCE_LOST_AFTER_MS = 300_000


class PowerWatch:
    """Sources are asked every few seconds; one that does not answer for five minutes is a fault of its own."""

    def __init__(self, sources: Sequence[Source], faults: Faults, clock: Clock) -> None:
        self._supplies = [_Supply(source, faults, clock) for source in sources]

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Ask all sources once."""
        await asyncio.gather(*(supply.look() for supply in self._supplies))

    def described(self) -> list[dict[str, Any]]:
        """What each source said when it was last asked; one that says nothing of mains and battery is left out."""
        return [found for supply in self._supplies if (found := supply.described()) is not None]


class _Supply:
    """One source, and since when it has said what it says."""

    def __init__(self, source: Source, faults: Faults, clock: Clock) -> None:
        self._source = source
        self._faults = faults
        self._clock = clock
        self._answered_ms = clock.now_ms()
        self._mains: bool | None = None
        self._since_ms = 0
        self._last: Power | None = Power()

    async def look(self) -> None:
        name, now_ms = self._source.name, self._clock.now_ms()
        try:
            power = await self._source.read()
        except SourceFailed as failed:
            self._last = None
            if now_ms - self._answered_ms >= _SOURCE_LOST_AFTER_MS:
                self._faults.condition(kinds.LINK_LOST, name, active=True, note=str(failed))
            return
        self._answered_ms, self._last = now_ms, power
        self._faults.condition(kinds.LINK_LOST, name, active=False)
        if power.mains is not self._mains:
            self._mains, self._since_ms = power.mains, now_ms
            log.info("mains", source=name, on=power.mains, percent=power.percent)
        self._judge(name, power, now_ms - self._since_ms)

    def described(self) -> dict[str, Any] | None:
        if self._last == Power():
            return None
        last = self._last or Power()
        answers = self._last is not None
        return {"name": self._source.name, "answers": answers, "mains": last.mains, "percent": last.percent}

    def _judge(self, name: str, power: Power, for_ms: int) -> None:
        note = "" if power.percent is None else f"battery {power.percent} %"
        if power.mains is False and for_ms >= _LOST_AFTER_MS:
            self._faults.condition(kinds.MAINS_LOST, name, active=True, note=note)
        elif power.mains is True and for_ms >= _BACK_AFTER_MS:
            self._faults.condition(kinds.MAINS_LOST, name, active=False, note=note)
        if power.low is not None:
            self._faults.condition(kinds.GATEWAY_BATTERY_LOW, name, active=power.low, note=note)
