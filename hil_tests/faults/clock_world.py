"""One home in a world whose time a test makes: what its machine's clocks show, and what is true.

Owns the two, and the presses. Must not know which scenario it is in (clock_steps.py).
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from pathlib import Path

from hil_tests.faults.fickle_platform import Row
from hil_tests.faults.lane import Lane
from hil_tests.gateway.journal_file import asked
from hil_tests.gateway.steered_clock import Machine

_HOUR_MS = 3_600_000
_WITHIN_S = 60.0
# The daemon looks at its clocks every half second here, and writes down what has changed by so much (ages.py).
_NOTED_S = 2.0
_MOVED_MS = 500
_LASTED_MS = 600_000


class World:
    """One home: its machine with its clocks, and how much longer everything has taken than this test has.

    `lane` comes when the machine has been switched on.
    """

    lane: Lane

    def __init__(self, file: Path, chance: random.Random) -> None:
        self.chance = chance
        self._file = file
        self._machine = Machine("")
        self._skipped_ms = 0
        self._leapt_ms = 0
        self._pressed_ms = 0.0
        self.booted_ms = 0.0
        self.name = ""

    def true_ms(self) -> float:
        """Time that really passes, from anywhere."""
        return time.monotonic() * 1000 + self._skipped_ms

    def true_wall_ms(self) -> float:
        """The truth, as a wall clock would show it."""
        return time.time() * 1000 + self._skipped_ms + self._leapt_ms

    def wall(self, error_ms: int, *, synced: bool) -> None:
        """The wall clock is this wrong from now on."""
        self._machine.wall_ms = self._skipped_ms + self._leapt_ms + error_ms
        self._machine.synced = synced
        self._machine.write(self._file)

    def ntp(self) -> None:
        """NTP steps it right, and vouches for it."""
        self.wall(0, synced=True)

    def leap(self) -> None:
        """A second that UTC has twice. Every clock does that, and does it rightly."""
        self._leapt_ms -= 1000
        self.ntp()

    def suspend(self, ms: int) -> None:
        """Everything stands still for a while, but the two clocks that count that."""
        self._skipped_ms += ms
        self._machine.boot_ms += ms
        self._machine.wall_ms += ms
        self._machine.write(self._file)

    async def noted(self) -> None:
        """Long enough for the daemon's journal to have what time it is; the daemon is dead then. Raises TimeoutError.

        A machine that stands still for a while may have looked at nothing meanwhile: it gets as long again.
        """
        async with asyncio.timeout(_WITHIN_S):
            while True:
                await asyncio.sleep(_NOTED_S)
                await self.lane.gateway.kill()
                if self._is_noted():
                    return
                await self.lane.again()

    def _is_noted(self) -> bool:
        machine = self._machine
        boot_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000 + machine.boot_ms
        offset_ms = time.time_ns() // 1_000_000 + machine.wall_ms - boot_ms
        question = "SELECT lasted_ms, offset_ms FROM boots WHERE boot_id = ?"
        ((lasted_ms, noted_ms),) = asked(self.lane.place / "state", question, machine.boot_id) or [(0, None)]
        right = noted_ms is not None and abs(noted_ms - offset_ms) <= _MOVED_MS
        return right and boot_ms - lasted_ms < _LASTED_MS

    def press(self) -> None:
        """The alarm of this scenario."""
        self._pressed_ms = self.true_ms()
        self.name = self.lane.press()

    async def heard(self, times: int = 1) -> None:
        """Until the platform has been told of it so many times more."""
        platform, before = self.lane.platform, self.lane.platform.came.get(self.name, 0)
        await platform.until(lambda: platform.came.get(self.name, 0) >= before + times, _WITHIN_S)

    async def restart(self, asleep_ms: int = 0) -> None:
        """The daemon is killed and started; the machine may have been asleep in between."""
        await self.lane.gateway.kill()
        self.suspend(asleep_ms)
        await self.lane.again()

    async def reboot(self, off_ms: int, error_ms: int = 0, *, synced: bool = True) -> None:
        """Power off, and on after a while."""
        await self.lane.gateway.kill()
        self._skipped_ms += off_ms
        self.switch_on(error_ms, synced=synced)
        await self.lane.again()

    def switch_on(self, error_ms: int, *, synced: bool) -> None:
        """A new run of the machine begins; its wall clock is this wrong."""
        self._machine.boot_id = str(uuid.UUID(int=self.chance.getrandbits(128)))
        self._machine.boot_ms = -time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        self.wall(error_ms, synced=synced)
        self.booted_ms = self.true_ms()

    def no_rtc_ms(self) -> int:
        """The error of a machine that believes in 1970."""
        return -int(self.true_wall_ms())

    def hours_ms(self) -> int:
        """Some hours, one way or the other."""
        return self.chance.choice((-1, 1)) * self.chance.randrange(1, 12) * _HOUR_MS

    def told(self) -> list[tuple[Row, float]]:
        """What the platform was told last, each with the age that was true then."""
        now_s, now_ms = time.monotonic(), self.true_ms()
        rows = list(self.lane.platform.rows[self.name])[-2:]
        return [(row, now_ms - (now_s - row.came_s) * 1000 - self._pressed_ms) for row in rows]
