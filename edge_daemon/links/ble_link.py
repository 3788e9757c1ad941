"""The Bluetooth link: the scan is always on, an advertisement is the alarm, a visit carries the answer.

Owns the scanner and the visits. Must not know what a frame says. Nothing here waits for disk or network: the scan
goes on whatever they do.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import bleak
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from edge_daemon.clock import Clock
from edge_daemon.config import Ble
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.links.ble_visit import FAILURES, Visit
from edge_daemon.log import Log
from protocol import codes

log = Log("link.ble")

# A burst repeats one frame some thirty times: repeats are dropped here before they cost anything.
_SEEN_MOST = 4096
_RETRY_MOST_S = 30.0


class BlePath:
    """The way back to one Bluetooth address; live while somebody visits it."""

    def __init__(self, link: BleLink, device: BLEDevice) -> None:
        self._link = link
        self._device = device

    @property
    def live(self) -> bool:
        """Whether a visit is under way."""
        return self._link.visiting(self._device.address)

    def send(self, frame: bytes) -> None:
        """Queue a frame for the visit, beginning one if there is none."""
        self._link.deliver(self._device, frame)


class BleLink:
    """One adapter."""

    def __init__(self, settings: Ble, on_heard: Callable[[Heard], None], clock: Clock, counters: Counters) -> None:
        self._settings = settings
        self._on_heard = on_heard
        self._clock = clock
        self._counters = counters
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._visits: dict[str, Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(settings.max_connections)
        self._up = False
        self.on_scanning: Callable[[], None] = lambda: None

    def states(self) -> list[dict[str, str]]:
        """The adapter and whether it scans, for the heartbeat."""
        return [{"link": "ble", "name": self._settings.adapter or "default", "state": "up" if self._up else "down"}]

    def visiting(self, address: str) -> bool:
        """Whether a visit to this address is under way or waits for its turn."""
        return address in self._visits

    async def run(self) -> None:
        """Scan for ever. An adapter that fails is tried again, more slowly each time."""
        wait_s = 1.0
        while True:
            try:
                async with self._scanner():
                    self._up = True
                    wait_s = 1.0
                    log.info("scan_started", adapter=self._settings.adapter or "default")
                    self.on_scanning()
                    await asyncio.Event().wait()
            except FAILURES as error:
                self._counters.add("scan_failed")
                log.error("scan_failed", why=str(error) or type(error).__name__, again_in_s=wait_s)
            finally:
                self._up = False
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _RETRY_MOST_S)

    async def close(self) -> None:
        """End all visits."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def deliver(self, device: BLEDevice, frame: bytes) -> None:
        """Give a frame to the visit of a device; begin one when there is none."""
        visit = self._visits.get(device.address)
        if visit is None:
            visit = Visit(device, self._settings, self._room, self._notified, self._counters)
            self._visits[device.address] = visit
            task = asyncio.create_task(self._visit(visit))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        visit.give(frame)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A visit counts its failures itself; what it did not expect must not pass unseen."""
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._counters.add("visits_broken")
            log.error("visit_broken", exc=task.exception())

    async def _visit(self, visit: Visit) -> None:
        try:
            await visit.run()
        finally:
            self._visits.pop(visit.device.address, None)

    def _scanner(self) -> bleak.BleakScanner:
        # Active scanning: BlueZ passes repeated advertisements on only with it, or with an advertisement monitor.
        if self._settings.adapter:
            return bleak.BleakScanner(self._advertised, bluez={"adapter": self._settings.adapter})
        return bleak.BleakScanner(self._advertised)

    def _advertised(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        frame = advertisement.manufacturer_data.get(codes.COMPANY_ID)
        if frame is None or frame in self._seen:
            return
        self._seen[frame] = None
        if len(self._seen) > _SEEN_MOST:
            self._seen.popitem(last=False)
        path = BlePath(self, device)
        self._on_heard(Heard(frame, "ble", advertisement.rssi, self._clock.now_ms(), path))

    def _notified(self, device: BLEDevice, frame: bytes) -> None:
        self._on_heard(Heard(frame, "ble", None, self._clock.now_ms(), BlePath(self, device)))
