"""The Bluetooth link: the scan is always on, an advertisement is the alarm, a visit carries the answer.

Owns one adapter: what is heard of it, and the visits; ble_scan.py keeps the scan alive, ble_recovery.py the adapter.
Must not know what a frame says. Nothing here waits for disk or network: the scan goes on whatever they do.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from edge_daemon.clock import Clock
from edge_daemon.config import Ble
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.links.ble_bluez import Bluez
from edge_daemon.links.ble_ear import Ear, EarLimits
from edge_daemon.links.ble_history import History
from edge_daemon.links.ble_noise import Noise, NoiseLimits
from edge_daemon.links.ble_recovery import Patience, Recovery
from edge_daemon.links.ble_scan import Scan, ScanTimes
from edge_daemon.links.ble_steps import Steps
from edge_daemon.links.ble_usb import SYSFS, UsbPlug
from edge_daemon.links.ble_visit import Visit
from edge_daemon.log import Log
from protocol import codes

log = Log("link.ble")

# A burst repeats one frame some thirty times: repeats are dropped here before they cost anything.
_SEEN_MOST = 4096
# bleak's word for "no signal strength": such news comes from bluetoothd's memory, not from the air.
_NO_RSSI_DBM = -127
_SAVE_WITHIN_S = 1.0


@dataclass(frozen=True)
class Care:
    """How the adapter is watched: the reasons stand beside each default; a test shortens them."""

    ear: EarLimits = field(default_factory=EarLimits)
    noise: NoiseLimits = field(default_factory=NoiseLimits)
    patience: Patience = field(default_factory=Patience)
    scan: ScanTimes = field(default_factory=ScanTimes)
    sysfs: Path = SYSFS
    bluez_answers_within_s: float = 5.0


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
    """One adapter. `expects`: whether any wearable is enrolled; `history`: how this place usually sounds."""

    def __init__(
        self,
        settings: Ble,
        on_heard: Callable[[Heard], None],
        clock: Clock,
        counters: Counters,
        *,
        expects: bool = True,
        history: Path | None = None,
        care: Care | None = None,
    ) -> None:
        care = care or Care()
        self._settings = settings
        self._on_heard = on_heard
        self._clock = clock
        self._counters = counters
        self._look_s = care.patience.look_s
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._visits: dict[str, Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(settings.max_connections)
        self.on_scanning: Callable[[], None] = lambda: None
        self._history = History(history)
        self._saving: asyncio.Future[None] | None = None
        self._ear = Ear(settings.silent_s, expects, self._history, care.ear, clock.now_ms())
        self._noise = Noise(care.noise, clock.now_ms())
        self._bluez = Bluez(settings.adapter, care.bluez_answers_within_s)
        self._usb = UsbPlug(care.sysfs)
        self._scan = Scan(
            settings.adapter, "power" in settings.recovery, self._bluez, self._advertised, clock, counters, care.scan
        )
        self._scan.on_scanning = self._scanning
        self._recovery = Recovery(
            self._ear,
            self._scan,
            self._bluez,
            Steps(self._scan, self._bluez, self._usb, settings.restart_command),
            settings.recovery,
            lambda: bool(self._visits),
            clock,
            counters,
            care.patience,
        )

    @property
    def name(self) -> str:
        """What the adapter is called in heartbeats and faults; the same whichever the system's default is."""
        return self._settings.adapter or "default"

    def on_deaf(self, tell: Callable[[bool, str], None]) -> None:
        """`tell(True, note)` when every remedy has failed, `(False, "")` when it hears, also after a start."""
        self._recovery.on_deaf = tell

    def on_jammed(self, tell: Callable[[bool, str], None]) -> None:
        """`tell(True, note)` when a flood has begun, `(False, note)` when it has ended."""
        self._noise.on_jammed = tell

    def expect(self, expects: bool) -> None:
        """Whether any wearable is to be heard here now."""
        self._ear.expect(expects)

    def states(self) -> list[dict[str, str]]:
        """The adapter for the heartbeat: up, quiet (nothing heard, and nothing wrong), deaf, down (no scan)."""
        return [{"link": "ble", "name": self.name, "state": self._state()}]

    def _state(self) -> str:
        if self._scan.down:
            return "down"
        if self._recovery.deaf:
            return "deaf"
        return "quiet" if self._ear.quiet(self._clock.now_ms()) else "up"

    def visiting(self, address: str) -> bool:
        """Whether a visit to this address is under way or waits for its turn."""
        return address in self._visits

    async def run(self) -> None:
        """Scan for ever, and see that it hears. An adapter that fails is tried again, more slowly each time."""
        async with asyncio.TaskGroup() as outer:
            # Outlives the rest: who is stopped in the middle of a power cycle still has to switch the adapter on.
            bluez = outer.create_task(self._bluez.run(), name="bluez")
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._scan.run(), name="scan")
                    tasks.create_task(self._recovery.run(), name="recovery")
                    tasks.create_task(self._watch(), name="watch")
            finally:
                bluez.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            now_ms = self._clock.now_ms()
            self._noise.tick(now_ms)
            if self._noise.jammed:
                # A flood's thousand addresses are no crowd that could leave.
                self._ear.forget_crowd()
            if self._ear.tick(now_ms, self._scan.troubled_s() == 0):
                self._save()

    def _save(self) -> asyncio.Future[None]:
        """In a thread, and not waited for: a disk that hangs must not stop the watch."""
        if self._saving is None or self._saving.done():
            self._saving = asyncio.get_running_loop().run_in_executor(None, self._history.save)
        return self._saving

    async def close(self) -> None:
        """End all visits."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.wait({self._save()}, timeout=_SAVE_WITHIN_S)

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

    def _scanning(self) -> None:
        # While it lives: a dead adapter's plug cannot be found.
        self._usb.find(self._bluez.name)
        self.on_scanning()

    def _advertised(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        frame = advertisement.manufacturer_data.get(codes.COMPANY_ID)
        if advertisement.rssi != _NO_RSSI_DBM:
            self._noise.advert()
            # Wearables change their addresses: two of them are soon a crowd.
            self._ear.heard(self._clock.now_ms(), device.address if frame is None else None)
        if frame is None or frame in self._seen:
            return
        self._noise.frame()
        self._seen[frame] = None
        if len(self._seen) > _SEEN_MOST:
            self._seen.popitem(last=False)
        path = BlePath(self, device)
        self._on_heard(Heard(frame, "ble", advertisement.rssi, self._clock.now_ms(), path))

    def _notified(self, device: BLEDevice, frame: bytes) -> None:
        self._on_heard(Heard(frame, "ble", None, self._clock.now_ms(), BlePath(self, device)))
