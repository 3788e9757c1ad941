"""One long outage: a crowd at its lines, a gateway that dies now and then, and a platform that comes at last.

Owns the order of what happens, and all chance in it. Must not know what is right: books.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from hil_tests.desk.process import DeskProcess
from hil_tests.outage.home import Home
from hil_tests.outage.presser import Press, Presser
from hil_tests.outage.spy import Spy, spying
from protocol import codes, kinds

OUTAGE_MS = 72 * 3_600_000
PRESSERS = 10
_STEP_MS = (60_000, 3_600_000)
# A million rows for ten thousand alarms.
_ROWS_EACH = 100
_ROW_BYTES = 200
# So often something happens again that is known already, or takes back what came before it.
_REPEATED = 0.2
_CANCELLED = 0.1
# What asks for nobody the desk closes as soon as it has it.
_HAS_IT = ("event_accepted", "event_closed")
_KINDS = [code for code in kinds.ON_AIR if code != codes.SOS_CANCELLED] + [codes.SOS] * 10
# Of so many deaths in the outage the last is an orderly one.
_ORDERLY = 3
_ALARMS_A_LIFE = 250
_LIVES_LEAST = 3
_DIES_WITHIN_S = 0.3
_PRESS_EVERY_S = (0.02, 0.12)
_ACCEPTED_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.1


class Story:
    """`start`, `outage`, `kept`, `platform`, in this order. `count`: alarms."""

    def __init__(self, count: int, chance: random.Random, place: Path) -> None:
        self.count = count
        self.rows = count * _ROWS_EACH
        self.home = Home(place, OUTAGE_MS, chance.getrandbits(128))
        self.pressers: list[Presser] = []
        self.kills = 0
        self._deaths = 0
        self._chance = chance
        self.place = place

    async def start(self, ends: contextlib.ExitStack) -> None:
        """The wearables at their lines, and the gateway with nobody at its broker's port."""
        for number in range(PRESSERS):
            root = f"test_only_{number:>06}".encode()
            self.pressers.append(ends.enter_context(Presser(root, self.place, self.home.wall_ms)))
        ends.callback(self.home.broker.close)
        ports = [one.tty for one in self.pressers]
        megabytes = (self.rows * _ROW_BYTES >> 20) + 16
        file = self.home.write(ports, [one.registry_row() for one in self.pressers], megabytes)
        await self.home.start(file, ports)

    @property
    def presses(self) -> dict[str, Press]:
        """All that was pressed so far."""
        return {press.identity: press for one in self.pressers for press in one.presses.values()}

    async def outage(self) -> None:
        """Three days; whoever is to die does so in the middle of a step."""
        steps = list(_steps(self._chance))
        lives = min(max(_LIVES_LEAST, self.count // _ALARMS_A_LIFE), len(steps))
        deaths = set(self._chance.sample(range(len(steps)), lives))
        gone_ms, alarms, rows = 0, 0, 0
        for number, step_ms in enumerate(steps):
            gone_ms += step_ms
            alarms_then, rows_then = self.count * gone_ms // OUTAGE_MS, self.rows * gone_ms // OUTAGE_MS
            async with asyncio.TaskGroup() as tasks:
                for part, presser in enumerate(self.pressers):
                    said = [True] * _share(alarms, alarms_then, part) + [False] * _share(rows, rows_then, part)
                    tasks.create_task(_step(presser, said, random.Random(self._chance.getrandbits(64))))
                if number in deaths:
                    tasks.create_task(self._die())
            alarms, rows = alarms_then, rows_then
            self.home.skip(step_ms)

    async def _die(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, _DIES_WITHIN_S))
        self._deaths += 1
        if self._deaths % _ORDERLY:
            await self.home.gateway.kill()
            self.kills += 1
        else:
            await self.home.gateway.stop()
        await self.home.again()

    async def kept(self) -> tuple[Counter[tuple[str, int]], int]:
        """Each row of telemetry on the disk, and how many bytes that is; then the gateway's last life begins."""
        await self.home.gateway.stop()
        rows = Counter[tuple[str, int]]()
        size = self.home.rows_on_disk(lambda handle, row: rows.update([(handle, row)]))
        await self.home.again()
        return rows, size

    @contextlib.asynccontextmanager
    async def platform(self) -> AsyncIterator[Spy]:
        """Broker, desk and spy come while the gateway looks away; then it may find them. The gateway ends first."""
        self.home.freeze()
        await asyncio.to_thread(self.home.broker.start)
        desk = await DeskProcess.start(self.place / "desk", self.home.broker.address)
        try:
            async with spying(self.home.broker.port, self.home.wall_ms) as spy:
                self.home.thaw()
                yield spy
                await self.home.gateway.stop()
        finally:
            await desk.stop()

    async def press_on(self, enough: asyncio.Event, most: int) -> list[tuple[float, float]]:
        """Fresh SOS at random moments, one after another; (when, how long to ACCEPTED) of each, s."""
        took: list[tuple[float, float]] = []

        async def one(presser: Presser) -> None:
            press = presser.press_now(codes.SOS, codes.HOLD)
            took.append((press.written_s, await presser.accepted(press, _ACCEPTED_WITHIN_S)))

        async with asyncio.TaskGroup() as tasks:
            while not enough.is_set() and most > 0:
                tasks.create_task(one(self._chance.choice(self.pressers)))
                most -= 1
                await asyncio.sleep(self._chance.uniform(*_PRESS_EVERY_S))
        return took

    async def accepted(self, events: set[str], within_s: float) -> set[str]:
        """Wait until the gateway has had each of these accepted; those that were not in time."""
        missing, seen = set(events), 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    logs = self.home.gateway.logs
                    missing -= {entry["event"] for entry in logs[seen:] if entry.get("log") in _HAS_IT}
                    seen = len(logs)
                    if not missing:
                        break
                    await asyncio.sleep(_LOOK_EVERY_S)
        return missing


async def _step(presser: Presser, said: list[bool], chance: random.Random) -> None:
    """What one wearable has to say within one step; True is an alarm."""
    chance.shuffle(said)
    for alarm in said:
        if not alarm:
            await presser.beat()
            continue
        if presser.presses and chance.random() < _CANCELLED:
            await presser.press(codes.SOS_CANCELLED, 1, cancels=True)
        else:
            await presser.press(chance.choice(_KINDS))
        if chance.random() < _REPEATED:
            presser.repeat(chance.randrange(1, len(presser.presses) + 1))
    await presser.settled()


def _steps(chance: random.Random) -> Iterator[int]:
    """Random steps that make up the outage."""
    left_ms = OUTAGE_MS
    while left_ms:
        step_ms = min(chance.randrange(*_STEP_MS), left_ms)
        yield step_ms
        left_ms -= step_ms


def _share(done: int, until: int, part: int) -> int:
    """How many of the numbers from `done` to `until` are this part's."""
    return len(range(done + (part - done) % PRESSERS, until, PRESSERS))
