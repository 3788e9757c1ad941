"""The flood at bleak's call, in this process: the daemon's own part of the delay, without the bench's radio and host.

On the bench, Bumble takes ten times as long for an advertisement as the daemon does, in the daemon's own loop; with
BlueZ it is D-Bus. Here the real link, admission, wide search and journal are fed by the clock, and timed in us.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from pathlib import Path

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from edge_daemon.config import Ble
from edge_daemon.links.ble_link import BleLink
from hil_tests.faults.campaign import Outcome
from protocol import VERSION, codes
from tests.edge_daemon.core import Core, core
from tests.edge_daemon.wearer import Wearer

WEARERS = 6
# The product's own limit. Above it a run is slow, which shared processors are; what is wrong, flood.py says.
RATIO_LIMIT = 2.0
_PRESS_EVERY_S = 0.05
_STORED_WITHIN_S = 20.0
_FRAME_SIZE = 24
_TICK_S = 0.005


class _Antenna:
    """Calls the link as bleak would."""

    def __init__(self, home: Core) -> None:
        self._link = BleLink(Ble(), home.intake.heard, home.clock, home.counters)
        # An answer begins a visit here, and there is nobody to be visited: it goes to the wearer's recorder instead.
        self._link.deliver = self._answered  # type: ignore[method-assign]
        self._recorders: dict[str, Wearer] = {}

    def _answered(self, device: BLEDevice, frame: bytes) -> None:
        if device.address in self._recorders:
            self._recorders[device.address].path.send(frame)

    def advertise(self, address: str, frame: bytes, wearer: Wearer | None = None) -> None:
        if wearer is not None:
            self._recorders[address] = wearer
        told = AdvertisementData(None, {codes.COMPANY_ID: frame}, {}, [], None, -60, ())
        self._link._advertised(BLEDevice(address, None, None), told)


async def _flood(antenna: _Antenna, rng: random.Random, per_s: int) -> None:
    begun_s, sent = time.monotonic(), 0
    while True:
        await asyncio.sleep(_TICK_S)
        while sent < (time.monotonic() - begun_s) * per_s:
            sent += 1
            frame = bytes([VERSION << 4 | rng.choice((codes.EVENT, codes.HELLO))]) + rng.randbytes(_FRAME_SIZE - 1)
            antenna.advertise(f"flood {sent}", frame)


async def _presses(antenna: _Antenna, wearers: list[Wearer], lasts_s: float, outcome: Outcome) -> list[float]:
    """Presses one after another; how long each took to its STORED, in us."""
    took_us: list[float] = []
    until_s = time.monotonic() + lasts_s
    while time.monotonic() < until_s:
        wearer = wearers[len(took_us) % len(wearers)]
        wearer.path.sent.clear()
        frame = wearer.event()
        begun_s = time.perf_counter()
        antenna.advertise(wearer.handle, frame, wearer)
        try:
            async with asyncio.timeout(_STORED_WITHIN_S):
                while not wearer.path.sent:
                    wearer.path.news.clear()
                    await wearer.path.news.wait()
        except TimeoutError:
            outcome.lost.append(f"in process: press {wearer.number} of {wearer.handle} is not stored")
        took_us.append((time.perf_counter() - begun_s) * 1e6)
        await asyncio.sleep(_PRESS_EVERY_S)
    return took_us


async def measure(per_s: int, lasts_s: float, rng: random.Random, place: Path, outcome: Outcome) -> tuple[float, float]:
    """Idle, then flooded, each for so long; the ratio of the medians and the flooded one in ms."""
    wearers = [Wearer(f"bed{number}") for number in range(WEARERS)]
    async with core(place, *wearers) as home:
        antenna = _Antenna(home)
        await _presses(antenna, wearers, 0.5, outcome)
        idle_us = await _presses(antenna, wearers, lasts_s, outcome)
        flood = asyncio.create_task(_flood(antenna, rng, per_s))
        try:
            flooded_us = await _presses(antenna, wearers, lasts_s, outcome)
        finally:
            flood.cancel()
            await asyncio.wait({flood})
    idle, flooded = statistics.median(idle_us), statistics.median(flooded_us)
    outcome.figures["from bleak's call to STORED, in process"] = (
        f"idle {idle / 1000:.2f} ms, flood {flooded / 1000:.2f} ms, worst {max(flooded_us) / 1000:.0f} ms, "
        f"ratio {flooded / idle:.2f} (limit {RATIO_LIMIT:g})"
    )
    return flooded / idle, flooded / 1000
