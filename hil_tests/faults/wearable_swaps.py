"""What is exchanged and what is restored in a home's life: batteries, gateways, backups, a wearable's lost memory.

After each, everything that was ever on the air is said again, on both links: nobody is alarmed by it. Then the wearers
press: each press is one incident, with its way to CLOSED. Owns the swaps. Must not know how frames are told apart.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests.desk.operator import Operator
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.promises import Promises
from hil_tests.house import House
from hil_tests.wearable.errors import WearableFailed
from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.provision import FLASH_SCRIPTS
from protocol import serial_link

_GATEWAY = "gw-1"
_HEAD_OF_ADVERTISEMENT = 7
_ADVERTISED_MOST = 24
_CLOSED_WITHIN_S = 120.0
# Presses closer together than a second are one series.
_REST_S = 1.3
# The hostile radio says a frame each 20 ms; what it said last has been answered a second later.
_REPLAY_EVERY_S = 0.02
_HEARD_S = 1.0
_LINE_EVERY_S = 0.005
_BACKED_UP = 0.3
# Each kind once. Of a second loss of memory in a home where everything that was sealed in any range is played back, a
# wearable may begin below what has been taken: it says since the first that it should be exchanged.
_SWAPS_IN_A_HOUSE = 5
_TOLD_MOST = 3000
_SPOILER = Path(__file__).parents[1] / "wearable" / "ledger_spoiler.py"
_SPOILED_WITHIN_S = 30.0


@dataclass
class Home:
    """One house with a wearable on the air and one on the line; its backups. `replayed`: frames said again."""

    house: House
    rng: random.Random
    promises: Promises
    old_states: list[Path] = field(default_factory=list)
    old_keys: bytes = b""
    replayed: int = 0

    @property
    def place(self) -> Path:
        """The gateway's directory."""
        return self.house.directory / _GATEWAY

    @property
    def state(self) -> Path:
        """The gateway's state: journal and all."""
        return self.place / "state"

    @property
    def key_file(self) -> Path:
        """Which wearables the gateway knows."""
        return self.place / "wearables.json"


async def battery(home: Home) -> str:
    """Out, and another in: no clock, no RTC memory."""
    for wearable in home.house.wearables.values():
        await wearable.power_cut()
    await asyncio.sleep(home.rng.uniform(0.1, 1.0))
    for wearable in home.house.wearables.values():
        await wearable.power_on()
    return "battery"


async def gateway(home: Home) -> str:
    """A new one in the home, with the key file and nothing else."""
    await home.house.gateways[_GATEWAY].kill()
    shutil.rmtree(home.state)
    await home.house.gateways[_GATEWAY].restart()
    return "gateway"


async def journal(home: Home) -> str:
    """Restored from a copy made some presses ago."""
    await home.house.gateways[_GATEWAY].kill()
    shutil.rmtree(home.state)
    shutil.copytree(home.rng.choice(home.old_states), home.state)
    await home.house.gateways[_GATEWAY].restart()
    return "journal from a backup"


async def registry(home: Home) -> str:
    """Restored from before one of the two was enrolled: that one is a stranger now, whom the platform knows."""
    await home.house.gateways[_GATEWAY].kill()
    present = home.key_file.read_bytes()
    home.key_file.write_bytes(home.old_keys)
    # So that the next swap finds both enrolled, or not, by chance.
    home.old_keys = present
    await home.house.gateways[_GATEWAY].restart()
    return "key file from a backup"


async def memory(home: Home) -> str:
    """A wearable's ledger is gone, its keys are not: numbers and counters begin anew at random.

    Not of the one that may be a stranger: it counts on where its home's gateway answers, which after some such losses
    may be too far ahead for a platform that has heard it before them.
    """
    wearable = home.house.wearables["air"]
    await wearable.power_cut()
    await _spoil(wearable)
    await wearable.power_on()
    return "wearable's memory lost"


async def _spoil(wearable: WearableProcess) -> None:
    settings = wearable._settings
    process = await asyncio.create_subprocess_exec(
        str(settings.interpreter), str(_SPOILER), str(settings.flash), env=FLASH_SCRIPTS
    )
    async with asyncio.timeout(_SPOILED_WITHIN_S):
        if await process.wait():
            raise RuntimeError(f"{_SPOILER.name} ended with {process.returncode}")


_SWAPS: tuple[Callable[[Home], Awaitable[str]], ...] = (battery, gateway, journal, registry, memory)


async def _settle(home: Home) -> Home:
    """Both wearables enrolled and heard; a key file from before the second was."""
    house = home.house
    await house.add_wearable("air")
    old = house.write_gateway(_GATEWAY, {}).parent / "wearables.json"
    home.old_keys = old.read_bytes()
    await house.add_wearable("line", ble=False, serial=True)
    await house.open_desk("--keys", str(house.write_platform_keys()))
    await house.open_gateway(_GATEWAY)
    return home


async def _press(home: Home) -> None:
    """Each presses once, and sees it closed."""

    async def way(name: str) -> None:
        number = await home.promises.press(name)
        await home.house.wearables[name].shown("CLOSED", number, within_s=_CLOSED_WITHIN_S)

    await asyncio.gather(*(way(name) for name in home.house.wearables))
    await asyncio.sleep(_REST_S)


async def _back_up(home: Home) -> None:
    """A copy of the gateway's state, as a careful owner makes one: of a gateway that stands still."""
    await home.house.gateways[_GATEWAY].stop()
    copy = home.house.directory / f"backup-{len(home.old_states)}"
    shutil.copytree(home.state, copy)
    home.old_states.append(copy)
    await home.house.gateways[_GATEWAY].restart()


async def _replay(home: Home, outcome: Outcome, when: str) -> None:
    """Say everything again, from strange addresses and on the line; nobody may be alarmed by it."""
    before = await _incidents(home)
    line = home.house.lines["line"]
    written = serial_link.Decoder().feed(bytes(line.recorded))
    recorded = await home.house.radio.control("recorded")
    advertised = [bytes.fromhex(one["data"])[_HEAD_OF_ADVERTISEMENT:] for one in recorded]
    frames = list(dict.fromkeys(written + advertised))
    said = int(await home.house.radio.control("replay"))
    for frame in frames:
        # The air has room for the short ones of those that were written.
        if len(frame) <= _ADVERTISED_MOST and frame not in advertised:
            await home.house.radio.control("inject", frame=frame.hex())
            said += 1
    for frame in home.rng.sample(frames, len(frames)):
        line.inject("to_gateway", serial_link.encode(frame))
        await asyncio.sleep(_LINE_EVERY_S)
    await asyncio.sleep(max(0.0, said * _REPLAY_EVERY_S - len(frames) * _LINE_EVERY_S) + _HEARD_S)
    home.replayed += said + len(frames)
    for event in await _incidents(home) - before:
        outcome.twice.append(f"{event}: raised by a recording {when}")


async def _incidents(home: Home) -> set[str]:
    handles = tuple(wearable.handle for wearable in home.house.wearables.values())
    return {one["event"] for one in await home.house.desk.incidents() if one["event"].startswith(handles)}


async def _swap_on(home: Home, count: int, outcome: Outcome, made: Counter[str]) -> None:
    """`count` swaps in one house."""
    await _press(home)
    await _back_up(home)
    waiting: list[Callable[[Home], Awaitable[str]]] = []
    for _ in range(count):
        waiting = waiting or home.rng.sample(_SWAPS, len(_SWAPS))
        what = await waiting.pop()(home)
        outcome.count += 1
        made[what] += 1
        await _replay(home, outcome, f"after swap {outcome.count} ({what})")
        try:
            await _press(home)
        except WearableFailed as failed:
            outcome.lost.append(f"the press after swap {outcome.count} ({what}): {failed}"[:_TOLD_MOST])
            return
        if home.rng.random() < _BACKED_UP:
            await _back_up(home)
    await _replay(home, outcome, "at the end")


async def _live(count: int, rng: random.Random, place: Path, outcome: Outcome, made: Counter[str]) -> Home:
    """A house of its own; what it was at the end."""
    house = await House.build(place, (_GATEWAY,), seed=rng.randrange(1 << 31))
    try:
        home = await _settle(Home(house, rng, Promises(house)))
        async with Operator(house.desk, close_after_s=0.2):
            await _swap_on(home, count, outcome, made)
            await home.promises.settle(outcome, _CLOSED_WITHIN_S)
    finally:
        await house.leave()
    home.promises.compare(outcome)
    return home


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` swaps, each kind in its turn and in an order of chance."""
    rng = random.Random(seed)
    outcome = Outcome()
    made: Counter[str] = Counter()
    presses = replayed = 0
    while outcome.count < count and not (outcome.lost or outcome.twice or outcome.wrong):
        here = min(count - outcome.count, _SWAPS_IN_A_HOUSE)
        home = await _live(here, rng, place / f"house-{outcome.count}", outcome, made)
        presses += home.promises.presses.total()
        replayed += home.replayed
    outcome.figures.update({what: str(times) for what, times in sorted(made.items())})
    outcome.figures["presses"] = str(presses)
    outcome.figures["frames said again"] = f"{replayed:,}"
    return outcome


CAMPAIGN = Campaign(
    "wearable_swaps", "a battery, gateway, backup or memory exchanged; recordings said again", 5, 60, run
)
