"""What is done about an adapter that does not hear: remedies in steps, mildest first, until something is heard.

Owns when each step is taken, and telling that all of them failed. Must not know how they are done, nor what makes an
adapter deaf (ble_ear.py). In a house that is only quiet the scan is begun anew now and then, which costs nothing;
what is harsher needs evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.links.ble_bluez import Bluez
from edge_daemon.links.ble_ear import Ear
from edge_daemon.links.ble_scan import Scan
from edge_daemon.links.ble_steps import Impossible, Steps
from edge_daemon.log import Log

log = Log("link.ble")

_NOTE_MOST = 120


def _waits_s() -> dict[str, float]:
    """How long each remedy is given: an adapter that loads its firmware needs ten seconds, bluetoothd some more."""
    return {"scan": 10.0, "power": 15.0, "usb": 20.0, "bluetoothd": 30.0}


@dataclass(frozen=True)
class Patience:
    """All in seconds."""

    look_s: float = 1.0
    # A scan that cannot be begun is known to be none: nobody need wait for silence.
    down_s: float = 10.0
    waits_s: dict[str, float] = field(default_factory=_waits_s)
    # A visit that delivers an answer shows a radio that works in part; it is let finish, but not for ever.
    visits_s: float = 30.0
    # After all have failed.
    again_first_s: float = 60.0
    again_most_s: float = 600.0
    # In a quiet house: at 60 s, then after twice as long each time.
    quiet_most_s: float = 600.0
    # Deaf again so soon after a cure: that remedy does not last, the next one is due.
    relapse_s: float = 600.0


class Recovery:
    """`steps`: names of those that are allowed. `busy`: whether a visit is under way."""

    def __init__(
        self,
        ear: Ear,
        scan: Scan,
        bluez: Bluez,
        remedies: Steps,
        steps: list[str],
        busy: Callable[[], bool],
        clock: Clock,
        counters: Counters,
        patience: Patience,
    ) -> None:
        self._ear = ear
        self._scan = scan
        self._bluez = bluez
        self._remedies = remedies
        self._steps = steps
        self._busy = busy
        self._clock = clock
        self._counters = counters
        self._patience = patience
        self._next_restart_s = 0.0
        self._cured: tuple[int, int] | None = None
        self._hold_until_ms = 0
        # Not known after a start: what was told before may still stand.
        self._told: bool | None = None
        self._told_count = 0
        self.deaf = False
        self.on_deaf: Callable[[bool, str], None] = lambda active, note: None

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await asyncio.sleep(self._patience.look_s)
            self._tell_if_over()
            down = self._scan.troubled_s() >= self._patience.down_s
            why = f"down: {self._scan.why}" if down else self._ear.deaf(self._clock.now_ms())
            if why:
                await self._recover(why, down)
            else:
                await self._restart_if_quiet()

    # ---- a quiet house ----

    async def _restart_if_quiet(self) -> None:
        now_ms = self._clock.now_ms()
        if not self._ear.quiet(now_ms):
            self._next_restart_s = 0.0
            return
        silence_s = self._ear.silence_s(now_ms)
        if silence_s < self._next_restart_s or not self._scan.up or self._busy() or "scan" not in self._steps:
            return
        self._next_restart_s = silence_s + min(max(silence_s, self._patience.look_s), self._patience.quiet_most_s)
        self._counters.add("scan_restarts_quiet")
        log.info("scan_restart_quiet", silent_s=round(silence_s), allowed_s=round(self._ear.allowed_s))
        await self._do("scan")

    # ---- a deaf adapter ----

    async def _recover(self, why: str, down: bool) -> None:
        """Step by step, again and again, until it hears."""
        self.deaf = True
        self._counters.add("radio_deaf")
        said = await self._bluez.look()
        silent_s = round(self._ear.silence_s(self._clock.now_ms()))
        log.error("radio_deaf", why=why, silent_s=silent_s, adapter=str(said))
        heard = self._ear.count
        wait_s = self._patience.again_first_s
        first = self._first_step()
        try:
            while not await self._climb(first, heard, down):
                self._tell(why, silent_s, heard)
                self._counters.add("recovery_failed")
                log.error("recovery_failed", why=why, again_in_s=wait_s)
                if await self._well(heard, down, wait_s):
                    break
                wait_s, first = min(wait_s * 2, self._patience.again_most_s), 0
        finally:
            self.deaf = False
        log.warning("radio_hears_again", why=why)

    def _first_step(self) -> int:
        """The mildest; after a cure that did not last, the one after that."""
        now_ms = self._clock.now_ms()
        if self._cured is None or now_ms - self._cured[1] > self._patience.relapse_s * 1000:
            return 0
        log.warning("radio_relapsed", after=self._steps[self._cured[0]])
        self._hold_until_ms = now_ms + int(self._patience.relapse_s * 1000)
        return self._cured[0] + 1

    async def _climb(self, first: int, heard: int, down: bool) -> bool:
        """Each step and its wait; whether one helped."""
        for number, name in enumerate(self._steps[first:], first):
            if down and name == "scan":
                continue  # it is begun anew all the time
            if not down:
                await self._visits_over()
            log.warning("recovery_step", step=name)
            if not await self._do(name):
                continue
            if await self._well(heard, down, self._patience.waits_s[name]):
                self._cured = number, self._clock.now_ms()
                self._counters.add(f"radio_cured_by_{name}")
                log.warning("radio_cured", step=name)
                return True
        # Where a sound comes every half an hour, that it came not at once says nothing.
        return await self._well(heard, down, 0.0 if down or self._ear.crowd_gone else self._ear.usual_s)

    async def _do(self, name: str) -> bool:
        try:
            await self._remedies.take(name)
        except Impossible as error:
            log.error("recovery_step_impossible", step=name, why=str(error))
            return False
        self._counters.add(f"recovery_by_{name}")
        self._ear.remedy(self._clock.now_ms())
        return True

    async def _visits_over(self) -> None:
        until_ms = self._clock.now_ms() + self._patience.visits_s * 1000
        while self._busy() and self._clock.now_ms() < until_ms:
            await asyncio.sleep(self._patience.look_s)

    async def _well(self, heard: int, down: bool, within_s: float) -> bool:
        """Whether it hears within this time; where the scan was down, whether it is steady again."""
        until_ms = self._clock.now_ms() + within_s * 1000
        while True:
            if (self._scan.up and self._scan.troubled_s() == 0) if down else self._ear.count > heard:
                return True
            left_s = (until_ms - self._clock.now_ms()) / 1000
            if left_s <= 0:
                return False
            await asyncio.sleep(min(left_s, self._patience.look_s))

    # ---- telling ----

    def _tell(self, why: str, silent_s: int, heard: int) -> None:
        self._told_count = heard
        if self._told is not True:
            self._told = True
            self.on_deaf(True, f"{why}, silent {silent_s} s"[:_NOTE_MOST])

    def _tell_if_over(self) -> None:
        """Over when anything is heard; where the cure does not last, when it has lasted a while."""
        heard = self._ear.count > self._told_count
        if self._told is not False and heard and self._clock.now_ms() >= self._hold_until_ms:
            self._told = False
            self.on_deaf(False, "")
