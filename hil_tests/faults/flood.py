"""A flood on the air: two thousand advertisements a second that look like ours, and wearers who press through it.

Real: the whole house, its air, HCI, bleak. Owns the flood and the two clocks. `heard to STORED` is the daemon's own
part, from bleak's call to the commit (its journal's time of hearing, its log's time of storing); `sent to STORED`
begins where the firmware puts the frame on the air, so that what waits before bleak's call is in it, too. Both wait
for the bench's own Bumble in the daemon's loop; what the daemon alone takes is measured in flood_core.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import statistics
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiomqtt

from hil_tests.desk.operator import Operator
from hil_tests.faults import flood_core
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.promises import Promises
from hil_tests.house import AREA, House

PER_S = 2000
WEARABLES = 6
GATEWAY = "gw-1"
# As long without the flood as with it, up to this; and so much of it once more in process.
_IDLE_MOST_S = 6.0
_CORE_SHARE = 0.2
# Presses within a second of each other are one series.
_REST_S = (1.2, 2.0)
_AFTERWARDS_S = 90.0
_HEARTBEAT_S = 0.5
_HEARTBEAT_WITHIN_S = 30.0
# What is wrong and not only slow, on shared processors: so many times slower, and slower than a wearer would notice.
_RATIO_WRONG = 10.0
_WRONG_MS = 1000.0
# The radio's stack handles in one go what has piled up meanwhile (bumble a socket's worth, dbus-fast a bus's), and a
# press stands in that queue. How long, is the machine's affair where it hears less of the flood than this in time.
_KEPT_UP = 0.9
_SENT = "PRESSED"


@dataclass
class _Phase:
    """The presses of a spell with or without a flood. `sent_ms`: event -> wall time of its first burst."""

    sent_ms: dict[str, float] = field(default_factory=dict)


async def _press_on(
    promises: Promises, house: House, name: str, rng: random.Random, until_s: float, phase: _Phase
) -> None:
    body = house.wearables[name].body
    await asyncio.sleep(rng.uniform(0, _REST_S[1]))
    while time.monotonic() < until_s:
        number = await promises.press(name)
        # Shown when the button goes down, and again when the hold has made it an alarm and it goes on the air.
        at_s = max(shown.at_s for shown in body.shown if shown.stage == _SENT and shown.number == number)
        phase.sent_ms[promises.event(name, number)] = (time.time() - time.monotonic() + at_s) * 1000
        await asyncio.sleep(rng.uniform(*_REST_S))


async def _spell(promises: Promises, house: House, rng: random.Random, lasts_s: float) -> _Phase:
    phase, until_s = _Phase(), time.monotonic() + lasts_s
    await asyncio.gather(
        *(_press_on(promises, house, name, random.Random(rng.random()), until_s, phase) for name in house.wearables)
    )
    return phase


async def _counters(house: House, after_s: float = 0.0) -> dict[str, int]:
    """The gateway's counters, by its next heartbeat after so long."""
    await asyncio.sleep(after_s)
    async with aiomqtt.Client(house.broker.host, house.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(f"pingan/v1/{AREA}/{GATEWAY}/up/heartbeat", qos=1)
        async with asyncio.timeout(_HEARTBEAT_WITHIN_S):
            message = await anext(aiter(client.messages))
    counters: dict[str, int] = json.loads(bytes(message.payload))["counters"]
    return counters


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` hostile advertisements."""
    rng, outcome = random.Random(seed), Outcome()
    lasts_s = count / PER_S
    house = await House.build(place / "house", (GATEWAY,), seed=seed)
    try:
        await house.open_desk()
        for number in range(WEARABLES):
            await house.add_wearable(f"pendant-{number}")
        await house.open_gateway(GATEWAY, forwarder={"heartbeat_s": _HEARTBEAT_S})
        promises = Promises(house)
        async with Operator(house.desk, close_after_s=0.3):
            idle = await _spell(promises, house, rng, min(lasts_s, _IDLE_MOST_S))
            before = await _counters(house)
            sent = await house.radio.control("flood", per_s=PER_S, for_s=lasts_s)
            under, after = await asyncio.gather(_spell(promises, house, rng, lasts_s), _counters(house, lasts_s))
            heard = after["frames_heard_ble"] - before["frames_heard_ble"]
            await promises.settle(outcome, _AFTERWARDS_S)
    finally:
        await house.leave()
    promises.compare(outcome)
    (place / "core").mkdir()
    ratio, flooded_ms = await flood_core.measure(PER_S, lasts_s * _CORE_SHARE, rng, place / "core", outcome)
    if ratio > _RATIO_WRONG and flooded_ms > _WRONG_MS:
        outcome.wrong.append(f"from bleak's call to STORED: {ratio:.0f} times slower under the flood")
    outcome.count = sent
    outcome.figures["heard of them"] = f"{heard:,} within {lasts_s:g} s"
    if heard < sent / 4:
        outcome.wrong.append(f"{heard} of {sent} were heard in time: that was no flood")
    outcome.figures["presses idle/under flood"] = f"{len(idle.sent_ms)}/{len(under.sent_ms)}"
    kept_up = heard >= _KEPT_UP * sent
    if not kept_up:
        outcome.figures["kept up"] = "no: how late is told, not judged"
    _latencies(house, idle, under, outcome, judged=kept_up)
    return outcome


def _latencies(house: House, idle: _Phase, under: _Phase, outcome: Outcome, *, judged: bool) -> None:
    stored_ms = {
        entry["event"]: datetime.fromisoformat(entry["t"]).timestamp() * 1000
        for entry in house.gateways[GATEWAY].logs
        if entry["log"] == "event_heard"
    }
    with contextlib.closing(sqlite3.connect(house.directory / GATEWAY / "state" / "journal.sqlite3")) as journal:
        heard_ms = {
            f"{handle}-{number:06x}": wall_ms
            for handle, number, wall_ms in journal.execute("SELECT wearable, number, heard_wall_ms FROM events")
        }
    for name, begun_ms in (("heard to STORED", heard_ms), ("sent to STORED", None)):
        quiet, loud = (
            [stored_ms[event] - (begun_ms or phase.sent_ms)[event] for event in phase.sent_ms if event in stored_ms]
            for phase in (idle, under)
        )
        if not quiet or not loud:
            outcome.wrong.append(f"{name}: no press to measure")
            continue
        # Times are whole milliseconds: half of one is the least that can be said.
        calm, busy = max(statistics.median(quiet), 0.5), max(statistics.median(loud), 0.5)
        ratio = busy / calm
        outcome.figures[name] = f"idle {calm:.0f} ms, flood {busy:.0f} ms, worst {max(loud):.0f} ms, ratio {ratio:.1f}"
        if judged and ratio > _RATIO_WRONG and busy > _WRONG_MS:
            outcome.wrong.append(f"{name}: {ratio:.0f} times slower under the flood")


CAMPAIGN = Campaign(
    "flood",
    f"{PER_S:,} hostile advertisements a second while {WEARABLES} wearables press",
    short=10 * PER_S,
    long=60 * PER_S,
    run=run,
)
