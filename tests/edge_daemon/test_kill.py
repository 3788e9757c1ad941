"""kill -9 at any moment between the press and CLOSED: one incident, and the wearer's stages come out right.

Everything is real: process, disk, broker, serial line. The moments are random; the seed is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import signal
import sqlite3
from pathlib import Path

from hil_tests.broker.mosquitto import Broker
from protocol import codes

from .home import Home, WiredWearable, home
from .platform_end import platform
from .wearer import Wearer

_SLICES = 10
# From the press to CLOSED all is over in some 20 ms: most kills fall in between, some before and after.
_KILL_WITHIN_S = 0.03
_MARKS = ("serial_opened", "uplink_connected")
# The order of truth. NO_PATH stands beside STORED: it may come and go until the platform has accepted.
_ORDER = {codes.STORED: 0, codes.NO_PATH: 0, codes.ACCEPTED: 1, codes.ANSWERED: 2, codes.CLOSED: 3}


def _stages_are_right(shown: list[int]) -> bool:
    """What was told went forward in each life of the gateway, and ended closed. HEARD: it forgot, send it again.

    Each press sees one kill. Stages are written behind, so the next life may begin with a lower one; the wearable
    shows none that is lower than what it has shown (firmware/sos/stages.py).
    """
    told = [_ORDER[stage] for stage in shown if stage != codes.HEARD]
    falls = sum(after < before for before, after in itertools.pairwise(told))
    return falls <= 1 and shown[-1] == codes.CLOSED


async def _up(gateway: Home, *, connected: bool = False) -> None:
    """Start it, and wait until it has opened the port and, if that is asked, is connected to the broker."""
    lines = gateway.lines() if gateway.log.exists() else []
    opened, connects = (len([line for line in lines if line["log"] == log]) for log in _MARKS)
    await gateway.start()
    await gateway.logged(_MARKS[0], opened + 1)
    if connected:
        await gateway.logged(_MARKS[1], connects + 1)


async def test_a_gateway_killed_at_any_moment_loses_nothing_and_tells_nothing_twice_over(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    wearer = Wearer()
    words = ("accepted", "answered", "closed")
    with Broker() as broker:
        async with platform(broker.port, says=words) as there, home(tmp_path, broker.port, wearer) as gateway:
            wearable = WiredWearable(tmp_path, wearer)
            numbers = []
            await _up(gateway, connected=True)
            for _ in range(_SLICES):
                numbers.append(wearable.press())
                moment_s = chance.uniform(0, _KILL_WITHIN_S)
                await asyncio.sleep(moment_s)
                await gateway.kill()
                print(f"killed {moment_s:.4f} s after the press; shown then: {wearable.stages[numbers[-1]]}")
                await _up(gateway, connected=True)
                await wearable.until(numbers[-1], codes.CLOSED)
            assert set(there.incidents) == {f"{wearer.handle}-{number:06x}" for number in numbers}
            for number in numbers:
                assert _stages_are_right(wearable.stages[number]), wearable.stages[number]
            wearable.close()
        await gateway.kill()
        assert _journalled(tmp_path) == [(number, 1) for number in numbers], "STORED was told of each, so each is there"


def _journalled(directory: Path) -> list[tuple[int, int]]:
    """(event number, rows of it) in the gateway's journal, which must be sound."""
    with contextlib.closing(sqlite3.connect(directory / "state" / "journal.sqlite3")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return db.execute("SELECT number, count(*) FROM events WHERE link != 'gateway' GROUP BY number").fetchall()


async def test_a_gateway_killed_between_every_two_steps_goes_on_with_the_next(tmp_path: Path) -> None:
    wearer = Wearer()
    with Broker() as broker:
        async with platform(broker.port, says=()) as there, home(tmp_path, broker.port, wearer) as gateway:
            wearable = WiredWearable(tmp_path, wearer)
            await _up(gateway, connected=True)
            await gateway.kill()
            # Pressed while the gateway is dead: the line holds it, or the next question brings it.
            number = wearable.press()
            event = f"{wearer.handle}-{number:06x}"
            await _up(gateway, connected=True)
            await wearable.until(number, codes.STORED)
            await gateway.kill()
            await _up(gateway, connected=True)
            await there.until_incidents(1)
            await gateway.kill()
            # Accepted while it is dead: the broker keeps the answer for it.
            message = next(message for kind, _, message in there.messages if kind == "event")
            await there.answer(message, (event, "accepted"))
            await _up(gateway, connected=True)
            await wearable.until(number, codes.ACCEPTED)
            await gateway.kill()
            await _up(gateway, connected=True)
            await there.answer(message, (event, "answered"))
            await wearable.until(number, codes.ANSWERED)
            await gateway.kill()
            await _up(gateway, connected=True)
            await there.answer(message, (event, "closed"))
            await wearable.until(number, codes.CLOSED)
            # Stopped, not killed: news are told as they come and written behind. The last word is then of the journal
            # alone: nobody answers any more.
            await gateway.ended(signal.SIGTERM)
            there.silent = True
            await _up(gateway)
            wearable.stages[number].clear()
            wearable.ask(number)
            assert await wearable.until(number, codes.CLOSED) == [codes.CLOSED]
            assert set(there.incidents) == {event}
            wearable.close()
        await gateway.kill()
        assert _journalled(tmp_path) == [(number, 1)]


async def test_a_backlog_survives_the_gateway_and_goes_out_whole(tmp_path: Path) -> None:
    """Forty presses without a broker, a kill -9, another start: all forty, the emergencies first."""
    wearer = Wearer()
    broker = Broker()
    try:
        async with home(tmp_path, broker.port, wearer) as gateway:
            wearable = WiredWearable(tmp_path, wearer)
            await _up(gateway)
            for _ in range(40):
                await wearable.until(wearable.press(), codes.STORED)
            await gateway.kill()
            broker.start()
            async with platform(broker.port) as there:
                await _up(gateway)
                await there.until_incidents(40)
                assert sum(len(events) for events in there.order) == 40, "nothing that was answered was sent again"
                assert len(there.order) <= 2, "a backlog travels many to a message"
            wearable.close()
    finally:
        broker.close()


async def test_a_broker_killed_between_press_and_answer_costs_time_only(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    wearer = Wearer()
    with Broker() as broker:
        async with home(tmp_path, broker.port, wearer) as gateway:
            wearable = WiredWearable(tmp_path, wearer)
            await _up(gateway)
            numbers: list[int] = []
            for _ in range(3):
                async with contextlib.AsyncExitStack() as stack:
                    # The platform's own session goes with the broker: a new one each round, as a new receiver would.
                    there = await stack.enter_async_context(platform(broker.port, says=()))
                    await gateway.logged("uplink_connected", len(numbers) + 1)
                    numbers.append(wearable.press())
                    await asyncio.sleep(chance.uniform(0, 0.05))
                    broker.kill()
                    there.expected_end = True
                broker.start()
            async with platform(broker.port) as there:
                for number in numbers:
                    shown = await wearable.until(number, codes.ACCEPTED)
                    assert [stage for stage in shown if stage != codes.NO_PATH] == [codes.STORED, codes.ACCEPTED]
                assert set(there.incidents) == {f"{wearer.handle}-{number:06x}" for number in numbers}
            wearable.close()
