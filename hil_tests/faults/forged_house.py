"""The attacker of forged.py before a whole house: on the air and on the line of real wearables, daemon and desk.

Owns what he does there and what must be true afterwards. He cannot hold a frame back here; he has what was recorded.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from hil_tests.desk.operator import Operator
from hil_tests.faults.campaign import Outcome
from hil_tests.faults.hostile_frames import HostileFrames
from hil_tests.faults.promises import Promises
from hil_tests.house import House

_SPELLS = 3
# Of what is sent here; a line takes more than the air does.
_BY_AIR = 0.25
_FLOOD_PER_S = 400
# A pty takes 4 KiB at once; what it does not take is gone, and a hostile byte lost is a hostile byte less.
_WRITE_MOST = 1024
_WRITE_EVERY_S = 0.005
_REST_S = 1.3
_CLOSED_WITHIN_S = 60.0
_GROWTH_MOST_BYTES = 32 << 20
_PAGE = 4096
_HEAD_OF_ADVERTISEMENT = 7
_LEGACY_MOST = 31


async def attack(count: int, rng: random.Random, place: Path, outcome: Outcome) -> int:
    """`count` hostile frames in spells, a press of each wearable in each. Returns how many presses there were."""
    house = await House.build(place, seed=rng.randrange(1 << 31))
    try:
        await house.open_desk()
        await house.add_wearable("air")
        await house.add_wearable("line", ble=False, serial=True)
        gateway = await house.open_gateway()
        promises = Promises(house)
        async with Operator(house.desk, close_after_s=0.3):
            await asyncio.gather(promises.press("air"), promises.press("line"))
            rss = _rss(gateway.child.pid)
            for _ in range(_SPELLS):
                await _spell(house, promises, rng, count // _SPELLS, outcome)
            await promises.settle(outcome, _CLOSED_WITHIN_S)
            grown = _rss(gateway.child.pid) - rss
        if grown > _GROWTH_MOST_BYTES:
            outcome.wrong.append(f"the gateway's memory grew by {grown >> 20} MiB")
        outcome.wrong += [f"the gateway logged {entry}" for entry in gateway.logs if entry.get("level") == "error"]
    finally:
        await house.leave()
    promises.compare(outcome)
    outcome.figures["in a house"] = f"{count:,} frames, gateway {grown / (1 << 20):+.1f} MiB"
    return promises.presses.total()


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


async def _spell(house: House, promises: Promises, rng: random.Random, count: int, outcome: Outcome) -> None:
    """Both links under attack at once, and both wearers press."""
    hostile = HostileFrames(rng)
    heard = [bytes.fromhex(one["data"])[_HEAD_OF_ADVERTISEMENT:] for one in await house.radio.control("recorded")]
    for frame in heard:
        hostile.record(frame)
    hostile.caught = heard[-1]
    by_air = round(count * _BY_AIR)
    await asyncio.gather(
        _by_air(house, hostile, by_air),
        _by_line(house, hostile, count - by_air),
        _press(promises, "air", rng),
        _press(promises, "line", rng),
    )
    # What it was asked to say last is on the line; the next spell begins with a whole block.
    house.lines["line"].inject("to_gateway", b"\x00")
    outcome.count += count


async def _press(promises: Promises, name: str, rng: random.Random) -> None:
    await asyncio.sleep(_REST_S + rng.random())
    await promises.press(name)


async def _by_air(house: House, hostile: HostileFrames, count: int) -> None:
    """A flood of made up frames, everything recorded once more, and spoiled ones by the dozen."""
    spoiled = [
        frame for frame in (hostile.frame() for _ in range(60)) if len(frame) + _HEAD_OF_ADVERTISEMENT <= _LEGACY_MOST
    ]
    count -= len(spoiled)
    await house.radio.control("flood", per_s=_FLOOD_PER_S, for_s=max(0, count) / _FLOOD_PER_S)
    await house.radio.control("replay")
    for frame in spoiled:
        await house.radio.control("inject", frame=frame.hex())
    await asyncio.sleep(max(0, count) / _FLOOD_PER_S)


async def _by_line(house: House, hostile: HostileFrames, count: int) -> None:
    waiting = bytearray()
    for _ in range(count):
        waiting += hostile.on_the_line(hostile.frame())
        if len(waiting) >= _WRITE_MOST:
            house.lines["line"].inject("to_gateway", bytes(waiting))
            waiting.clear()
            await asyncio.sleep(_WRITE_EVERY_S)
    house.lines["line"].inject("to_gateway", bytes(waiting))
