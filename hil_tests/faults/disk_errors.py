"""The gateway's disk is full, read-only, fails or hangs while a wearer presses: nobody is told what is not true.

Each hurt has a gateway of its own, the real process on a disk of hil_tests/disk, and a platform that takes and says
nothing. While the disk is hurt every press must reach the platform, marked `stored: false` unless it is on disk; the
gateway must say what is wrong; after healing STORED must follow, and kill -9 may lose nothing. At every moment at which
a wearer was told STORED, the power is then cut: of a disk whose sync failed, what the cache shows need not be there.
The first hurts are done to a running gateway, the next to one that starts; those beyond hurt one single operation.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.child import ChildFailed
from hil_tests.disk import build
from hil_tests.disk.cuts import Cuts
from hil_tests.disk.gateway import JOURNAL, DiskHome, disk_home
from hil_tests.disk.hostile import HostileDisk
from hil_tests.disk.promises import Promises
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.gateway.journal_file import asked
from hil_tests.independent.wearable import Alarm
from hil_tests.wearable.serial_line import Faults

# To a platform that answers nothing everything is said again, and what is new for the first time, after 60 s at last.
_WITHIN_S = 90.0
# The end of a fault is told when the disk has been right for a minute.
_END_WITHIN_S = 150.0
_AGAIN_S = 0.5
_PRESSES_MOST = 60
_HANG_S = 3600.0
_CUTS_EACH = 3
# A press is some ten writes and a sync; of the rarer classes one in a while.
_OPERATIONS_OF_A_PRESS = 12
_SINGLE = ("write",) * 4 + ("sync",) * 4 + ("truncate",)
_ON_DISK = {"STORED", "NO_PATH", "CLOSED"}


@dataclass(frozen=True)
class Hurt:
    """`begins`, `ends`: what the gateway must tell. `refuses`: whether nothing can be stored while it lasts.

    `readable`: whether what was stored before can be read while it lasts.
    """

    name: str
    arm: Callable[[HostileDisk], None]
    begins: str
    ends: str
    refuses: bool = True
    readable: bool = True


def _full(disk: HostileDisk) -> None:
    disk.full(4096)


def _no_more_files(disk: HostileDisk) -> None:
    """A journal that is open stays so: it fails once, and cannot be opened anew."""
    disk.hurt("open_write", errno.EMFILE)
    disk.hurt("open_read", errno.EMFILE)
    disk.hurt("write", errno.EIO, times=1)


HURTS = (
    Hurt("full, with a reserve", _full, "store_full", "store_has_room", refuses=False),
    Hurt("full to the brim", lambda d: d.hurt("write", errno.ENOSPC), "store_full", "store_has_room"),
    Hurt("read-only", HostileDisk.read_only, "store_degraded", "store_restored"),
    Hurt("EIO on sync", lambda d: d.hurt("sync", errno.EIO), "store_degraded", "store_restored"),
    Hurt("EIO on write", lambda d: d.hurt("write", errno.EIO), "store_degraded", "store_restored"),
    Hurt("EMFILE", _no_more_files, "store_degraded", "store_restored", readable=False),
    Hurt("hangs", lambda d: d.hurt("sync", hang_s=_HANG_S), "store_degraded", "store_restored"),
)
# One that hangs lets nobody start; that is the service manager's.
AT_START = tuple(hurt for hurt in HURTS if hurt.refuses and hurt.name != "hangs")


class Ordeal:
    """One gateway and what is to be said of it."""

    def __init__(self, name: str, made: DiskHome, outcome: Outcome) -> None:
        self._name = name
        self._made = made
        self._outcome = outcome
        self._wearable = made.wearables[0]
        self.pressed: list[Alarm] = []

    def _wrong(self, what: str) -> None:
        self._outcome.wrong.append(f"{self._name}: {what}")

    async def until(self, true: Callable[[], bool], what: str, within_s: float = _WITHIN_S) -> bool:
        """Wait for it, and press again meanwhile; what does not come is wrong."""
        deadline_s = time.monotonic() + within_s
        while not true():
            if time.monotonic() > deadline_s:
                self._wrong(f"{what}: not within {within_s:g} s")
                return False
            with contextlib.suppress(TimeoutError):
                await self._wearable.until(true, _AGAIN_S)
                continue
            for alarm in self.pressed:
                if not alarm.shown:
                    self._wearable.press_again(alarm)
        return True

    async def press(self) -> str | None:
        """Press, and wait until the platform has it; returns its identity, or None when it has not come."""
        alarm = self._wearable.press()
        self.pressed.append(alarm)
        identity = self._wearable.identity(alarm.number)
        there = await self.until(lambda: identity in self._made.platform.stored, f"{identity} at the platform")
        return identity if there else None

    async def start_hurt(self, hurt: Hurt) -> None:
        """Killed with an alarm that the platform has not answered, started on a hurt disk: it goes out, in doubt.

        The wearer is out of reach meanwhile: asking, it would bring the alarm anew.
        """
        platform, waiting = self._made.platform, await self.press()
        await self.until(lambda: "STORED" in self.pressed[-1].shown, "a press before the start stored")
        await self._made.kill()
        hurt.arm(self._made.disk)
        self._made.home.disturb(Faults(drop=1.0))
        await self._made.start()
        if hurt.readable and waiting is not None:
            await self.until(lambda: False in platform.stored[waiting], "what was stored before, marked in doubt")
        self._made.home.disturb(Faults())

    async def suffer(self, hurt: Hurt) -> None:
        """Press while the disk is hurt, until it has been felt, and once more."""
        platform, hits = self._made.platform, self._made.disk.hits()
        hurt.arm(self._made.disk)
        unstored = 0
        for _ in range(_PRESSES_MOST):
            identity = await self.press()
            if identity is None:
                break
            unstored += not any(platform.stored[identity])
            if unstored > 1 or (not hurt.refuses and self._made.disk.hits() > hits + 3):
                break
        if self._made.disk.hits() == hits:
            self._wrong("was not hurt at all")
        if hurt.refuses and not unstored:
            self._wrong("no press was marked stored: false")
        await self.until(lambda: hurt.begins in platform.told, hurt.begins)

    async def heal(self, hurt: Hurt, *, to_the_end: bool) -> None:
        """STORED follows for every press; with `to_the_end` the fault's end, too."""
        self._made.disk.heal()
        await self.until(lambda: all(_ON_DISK & set(alarm.shown) for alarm in self.pressed), "STORED after healing")
        if to_the_end:
            platform = self._made.platform
            await self.until(lambda: hurt.ends in platform.told, hurt.ends, _END_WITHIN_S)

    async def die(self) -> None:
        """SIGKILL: all that wearer or platform was told to be stored is in the file, as another process reads it."""
        await self._made.kill()
        there = {row[0] for row in asked(self._made.disk.directory, "SELECT number FROM events WHERE kind < 128")}
        stored = self._made.platform.stored
        told = [
            alarm.number
            for alarm in self.pressed
            if {"STORED", "NO_PATH"} & set(alarm.shown) or True in stored.get(self._wearable.identity(alarm.number), ())
        ]
        missing = [number for number in told if number not in there]
        self._outcome.lost += [f"{self._name}: {number} not in the file" for number in missing]

    async def live_again(self) -> None:
        """After the start the platform answers: every press is closed, and nothing else has been there."""
        self._made.platform.mute = False
        await self._made.start()
        await self.until(lambda: all("CLOSED" in alarm.shown for alarm in self.pressed), "CLOSED after the start")
        pressed = {self._wearable.identity(alarm.number) for alarm in self.pressed}
        ours = {event for event in self._made.platform.stored if event.startswith(self._wearable.handle)}
        self._outcome.lost += [f"{self._name}: {event} never at the platform" for event in sorted(pressed - ours)]
        self._outcome.twice += [f"{self._name}: {event} was never pressed" for event in sorted(ours - pressed)]
        self._outcome.wrong += [f"{self._name}: {violation}" for violation in self._made.platform.violations]
        await self._made.kill()

    async def cut(self, place: Path, rng: random.Random) -> None:
        """Cut the power where something has just been promised, and at the end."""
        records, promises = self._made.disk.records(), Promises(self._made.told())
        moments = [at for at, record in enumerate(records, 1) if promises.take(record)] + [len(records)]
        cuts = Cuts(JOURNAL, place, rng, self._outcome)
        await cuts.make(records, sorted(moments * _CUTS_EACH), Promises(self._made.told()), self._name)
        if not promises.stored:
            self._wrong("nobody was told STORED at all")

    async def one_operation(self, rng: random.Random) -> None:
        """Hurt a single operation of some class, at some point of what one press makes the journal do."""
        disk, what, error = self._made.disk, rng.choice(_SINGLE), rng.choice((errno.EIO, errno.ENOSPC))
        hits = disk.hits()
        disk.hurt(what, error, skip=rng.randrange(_OPERATIONS_OF_A_PRESS), times=1)
        for _ in range(_PRESSES_MOST):
            if await self.press() is None or disk.hits() > hits:
                break
        disk.heal()
        await self.until(lambda: all(alarm.shown for alarm in self.pressed), "an answer")


async def _ordeal(hurt: Hurt, place: Path, seed: int, outcome: Outcome, *, at_start: bool, to_the_end: bool) -> None:
    """One hurt, done to one gateway, from a sound press to the cuts."""
    async with disk_home(place, wearables=1) as made:
        name = f"{hurt.name}, at the start" if at_start else hurt.name
        ordeal = Ordeal(name, made, outcome)
        try:
            await made.start()
            await ordeal.press()
            await ordeal.until(lambda: "CLOSED" in ordeal.pressed[0].shown, "a sound press closed")
            made.platform.mute = True
            if at_start:
                await ordeal.start_hurt(hurt)
            await ordeal.suffer(hurt)
            await ordeal.heal(hurt, to_the_end=to_the_end)
            await ordeal.die()
            await ordeal.live_again()
        except ChildFailed as failed:
            outcome.wrong.append(f"{name}: {failed}"[:2000])
            return
        await ordeal.cut(place / "cuts", random.Random(seed))


async def _singles(count: int, place: Path, seed: int, outcome: Outcome) -> None:
    """So many single operations hurt, one after another, in one life."""
    rng = random.Random(seed)
    async with disk_home(place, wearables=1) as made:
        ordeal = Ordeal("one operation", made, outcome)
        await made.start()
        for _ in range(count):
            await ordeal.one_operation(rng)
        await ordeal.until(lambda: all("CLOSED" in alarm.shown for alarm in ordeal.pressed), "CLOSED")
        outcome.count += made.disk.hits()
        outcome.figures["single operations hurt"] = f"{made.disk.hits()}, {len(ordeal.pressed)} presses"
        await ordeal.die()
        await ordeal.live_again()
        await ordeal.cut(place / "cuts", rng)


async def run(count: int, seed: int, place: Path) -> Outcome:
    """The first hurts together, for they mostly wait; then those at the start; then single operations."""
    outcome = Outcome(count=min(count, len(HURTS) + len(AT_START)))
    to_the_end = count > len(HURTS)
    running, starting = HURTS[:count], AT_START[: max(count - len(HURTS), 0)]
    await asyncio.gather(
        *(
            _ordeal(hurt, place / f"{at_start}-{number}", seed, outcome, at_start=at_start, to_the_end=to_the_end)
            for at_start, hurts in ((False, running), (True, starting))
            for number, hurt in enumerate(hurts)
        )
    )
    if count > len(HURTS) + len(AT_START):
        await _singles(count - len(HURTS) - len(AT_START), place / "singles", seed, outcome)
    return outcome


CAMPAIGN = Campaign(
    "disk_errors",
    "the disk is full, read-only, fails, hangs",
    len(HURTS),
    len(HURTS) + len(AT_START) + 60,
    run,
    build.missing,
)
