"""The scan that never stops: begun, held, begun again whenever it has died or is told to.

Owns bleak's scanner. Must not know what is heard nor whether the adapter is deaf. A start or a stop that bluetoothd
does not answer is given up after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import bleak
from bleak.backends.scanner import AdvertisementDataCallback

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.links.ble_bluez import Bluez, BluezFailed
from edge_daemon.links.ble_visit import FAILURES
from edge_daemon.log import Log

log = Log("link.ble")


@dataclass(frozen=True)
class ScanTimes:
    """All in seconds. A start that works takes under one; a Realtek that loads its firmware takes some more."""

    start_within_s: float = 15.0
    stop_within_s: float = 5.0
    retry_first_s: float = 1.0
    retry_most_s: float = 30.0
    # A scan that lasted so long was a good one: it is begun again at once.
    steady_s: float = 10.0
    # How often a missing adapter is looked for while a retry is waited for.
    look_s: float = 1.0


class Scan:
    """`adapter`: its name, "" for the system's default. `may_power`: whether an adapter that is off is switched on."""

    def __init__(
        self,
        adapter: str,
        may_power: bool,
        bluez: Bluez,
        on_advert: AdvertisementDataCallback,
        clock: Clock,
        counters: Counters,
        times: ScanTimes,
    ) -> None:
        self._adapter = adapter
        self._may_power = may_power
        self._bluez = bluez
        self._on_advert = on_advert
        self._clock = clock
        self._counters = counters
        self._times = times
        self._news = asyncio.Event()
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._idle = asyncio.Event()
        self._hurry = asyncio.Event()
        self._up_ms: int | None = None
        self._troubled_ms: int | None = None
        self._why = ""
        self._begun = False
        self.on_scanning: Callable[[], None] = lambda: None
        bluez.on_news = self._news.set

    @property
    def up(self) -> bool:
        """Whether bleak says that it scans."""
        return self._up_ms is not None

    @property
    def down(self) -> bool:
        """Whether there is no scan, and not because it is just begun anew on purpose."""
        return self._up_ms is None and (self._troubled_ms is not None or not self._begun)

    @property
    def why(self) -> str:
        """What has kept it from scanning last."""
        return self._why

    def troubled_s(self) -> float:
        """How long it has not scanned steadily, though it should have; 0 when all is well."""
        now_ms = self._clock.now_ms()
        if self._up_ms is not None and now_ms - self._up_ms >= self._times.steady_s * 1000:
            self._troubled_ms = None
        return 0.0 if self._troubled_ms is None else (now_ms - self._troubled_ms) / 1000

    async def run(self) -> None:
        """Scan for ever."""
        wait_s = self._times.retry_first_s
        while True:
            self._idle.set()
            await self._allowed.wait()
            self._idle.clear()
            try:
                why, lasted_s = await self._once()
            except FAILURES as error:
                self._troubled(str(error) or type(error).__name__)
                self._counters.add("scan_failed")
                log.error("scan_failed", why=self._why, again_in_s=wait_s)
            else:
                log.info("scan_ended", why=why, lasted_s=round(lasted_s, 1))
                if not self._allowed.is_set() or lasted_s >= self._times.steady_s:
                    wait_s = self._times.retry_first_s
                    continue
            self._idle.set()
            hurried = await self._pause(wait_s)
            wait_s = self._times.retry_first_s if hurried else min(wait_s * 2, self._times.retry_most_s)

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """Keep it from scanning meanwhile; it is begun anew at the end."""
        self._allowed.clear()
        self._news.set()
        try:
            # A start that hangs is not waited for: what is done now may be what ends it.
            await _within(self._idle, self._times.stop_within_s)
            yield
        finally:
            self._allowed.set()
            self._hurry.set()

    async def _once(self) -> tuple[str, float]:
        """One scan from start to end: why it ended, and how long it lasted. Raises FAILURES when it does not begin."""
        scanner = self._scanner(await self._prepare())
        self._news.clear()
        async with asyncio.timeout(self._times.start_within_s):
            await scanner.start()
        began_ms = self._up_ms = self._clock.now_ms()
        self._begun = True
        try:
            log.info("scan_started", adapter=self._adapter or "default")
            self.on_scanning()
            why = await self._hold()
            return why, (self._clock.now_ms() - began_ms) / 1000
        finally:
            self._up_ms = None
            await self._stop(scanner)

    async def _hold(self) -> str:
        """Until it must be begun anew."""
        while True:
            await self._news.wait()
            self._news.clear()
            if not self._allowed.is_set():
                return "asked"
            # What bluetoothd signalled may be old; what it says now was after our start.
            said = await self._bluez.look()
            if not self._allowed.is_set():
                return "asked"
            if said is None or not said.scanning:
                self._troubled("no answer from bluetoothd" if said is None else said.trouble)
                self._counters.add("scan_lost")
                return self._why

    def _troubled(self, why: str) -> None:
        self._why = why
        self.troubled_s()
        if self._troubled_ms is None:
            self._troubled_ms = self._clock.now_ms()

    async def _prepare(self) -> str:
        """Which adapter it is, switched on."""
        await _within(self._bluez.tried, self._times.stop_within_s)
        said = await self._bluez.look()
        if said is None or not said.name:
            return self._adapter
        if not said.powered and self._may_power:
            log.warning("adapter_was_off", adapter=said.name)
            try:
                await self._bluez.set_powered(True)
            except BluezFailed as error:
                log.error("adapter_stays_off", adapter=said.name, why=str(error))
        return said.name

    def _scanner(self, adapter: str) -> bleak.BleakScanner:
        # Active scanning: BlueZ passes repeated advertisements on only with it, or with an advertisement monitor.
        if adapter:
            return bleak.BleakScanner(self._on_advert, bluez={"adapter": adapter})
        return bleak.BleakScanner(self._on_advert)

    async def _stop(self, scanner: bleak.BleakScanner) -> None:
        try:
            async with asyncio.timeout(self._times.stop_within_s):
                await scanner.stop()
        except FAILURES as error:
            log.info("scan_not_stopped", why=str(error) or type(error).__name__)

    async def _pause(self, wait_s: float) -> bool:
        """Wait. True, and sooner, when a remedy was tried or an adapter is there that was not there before."""
        self._hurry.clear()
        before = await self._bluez.look()
        until_ms = self._clock.now_ms() + wait_s * 1000
        while self._clock.now_ms() < until_ms:
            if await _within(self._hurry, min(self._times.look_s, wait_s)):
                return True
            said = await self._bluez.look()
            if said is not None and said.name and (before is None or not before.name):
                return True
        return False


async def _within(event: asyncio.Event, within_s: float) -> bool:
    """Wait for it, but not for ever."""
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
