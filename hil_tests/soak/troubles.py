"""What goes wrong in a house: deaths, outages, noise, bad disks, clocks that step. Owns the list, and its pace.

Each trouble is over, and everything in order again, when its coroutine returns. Must not know who presses when.
"""

from __future__ import annotations

import asyncio
import errno
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from hil_tests.soak.home import Home
from hil_tests.wearable.serial_line import Faults

Trouble = Callable[[Home, random.Random], Awaitable[None]]

_LASTS_S = (1.0, 8.0)
_HOUR_MS = 3_600_000


async def kill_gateway(home: Home, _: random.Random) -> None:
    """Kill -9, and started again."""
    await home.gateway.kill()
    await home.gateway.restart()


async def kill_desk(home: Home, _: random.Random) -> None:
    """Kill -9, and started again on the same database."""
    await home.house.desk.kill()
    await home.house.desk.restart(connected=home.house.broker.running)


async def kill_broker(home: Home, _: random.Random) -> None:
    """Kill -9: what it had not saved is forgotten."""
    home.house.broker.kill()
    await asyncio.to_thread(home.house.broker.start)


async def cut_power(home: Home, chance: random.Random) -> None:
    """A wearable's battery falls out, and is put in again."""
    name = chance.choice(sorted(home.hands))
    async with home.hands[name]:
        wearable = home.house.wearables[name]
        await wearable.power_cut()
        await asyncio.sleep(chance.uniform(0, 1))
        await wearable.power_on()


async def broker_away(home: Home, chance: random.Random) -> None:
    """It ends in order, and comes again after a while."""
    await asyncio.to_thread(home.house.broker.stop)
    await _lasts(chance)
    await asyncio.to_thread(home.house.broker.start)


async def out_of_range(home: Home, chance: random.Random) -> None:
    """A wearer goes out, and comes home."""
    name = chance.choice([name for name in sorted(home.hands) if name not in home.house.lines])
    await home.house.radio.control("vanish", name=name)
    await _lasts(chance)
    await home.house.radio.control("return", name=name)


async def bad_air(home: Home, chance: random.Random) -> None:
    """A part of all packets is lost."""
    await home.house.radio.control("loss", value=chance.uniform(0.1, 0.5))
    await _lasts(chance)
    await home.house.radio.control("loss", value=0.0)


async def noise(home: Home, chance: random.Random) -> None:
    """A line turns bits and swallows bytes."""
    line = home.house.lines[chance.choice(sorted(home.house.lines))]
    line.faults = Faults(flip=chance.uniform(0, 0.003), drop=chance.uniform(0, 0.003))
    await _lasts(chance)
    line.faults = Faults()


async def unplugged(home: Home, chance: random.Random) -> None:
    """A cradle's plug is pulled, and put back."""
    line = home.house.lines[chance.choice(sorted(home.house.lines))]
    line.unplug()
    await _lasts(chance)
    line.plug_in()


async def disk_fails(home: Home, chance: random.Random) -> None:
    """Writes or syncs fail."""
    home.disk.hurt(chance.choice(("write", "sync")), errno.EIO)
    await _lasts(chance)
    home.disk.heal()


async def disk_full(home: Home, chance: random.Random) -> None:
    """No file can grow by more than a little."""
    home.disk.full(chance.randrange(20_000))
    await _lasts(chance)
    home.disk.heal()


async def clock_steps(home: Home, chance: random.Random) -> None:
    """The wall clock is wrong for a while; NTP steps it back."""
    home.machine.wall_ms, home.machine.synced = chance.randrange(-5 * _HOUR_MS, 5 * _HOUR_MS), False
    home.machine.write(home.clock)
    await _lasts(chance)
    home.machine.wall_ms, home.machine.synced = 0, True
    home.machine.write(home.clock)


DEATHS: tuple[Trouble, ...] = (kill_gateway, kill_desk, kill_broker, cut_power)
WEATHER: tuple[Trouble, ...] = (
    broker_away, out_of_range, bad_air, noise, unplugged, disk_fails, disk_full, clock_steps, cut_power,
)  # fmt: skip


async def _lasts(chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(*_LASTS_S))


async def go_wrong(
    home: Home,
    kinds: tuple[Trouble, ...],
    rest_s: tuple[float, float],
    chance: random.Random,
    seen: Counter[str],
    enough: asyncio.Event,
) -> None:
    """One trouble after another, every kind as often as any other, until it is enough; the last one is over then."""
    bag: list[Trouble] = []
    while not enough.is_set():
        try:
            async with asyncio.timeout(chance.uniform(*rest_s)):
                await enough.wait()
        except TimeoutError:
            bag = bag or chance.sample(kinds, len(kinds))
            trouble = bag.pop()
            await trouble(home, chance)
            seen[trouble.__name__] += 1
