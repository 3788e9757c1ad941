"""Any bytes from the broker, on every topic it may use: the gateway goes on, believes nothing untrue and does not grow.

Two parts. In process, the whole pipeline of the daemon is handed most of them directly, between real presses over real
lines and a real broker. Then a slice goes through a real mosquitto into the daemon's own process, with odd properties.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

from edge_daemon import config
from edge_daemon.pipeline import Pipeline
from hil_tests.broker.hostile import hostile
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.down_bytes import DownBytes
from hil_tests.faults.lane import DOWN, Lane, lane
from hil_tests.faults.listener import listening
from hil_tests.faults.valid_words import Believed, words_for
from protocol import codes

_STAGES = {
    codes.HEARD: "",
    codes.STORED: "",
    codes.ACCEPTED: "accepted",
    codes.ANSWERED: "answered",
    codes.CLOSED: "closed",
    codes.REFUSED: "refused",
}
# So many messages without the loop's turn in between; then whatever they set going gets its time.
_AT_ONCE = 25
_PRESSES = 20
_PROCESS_MOST = 5000
# The forwarder's ladder has steps of 60 s, and a flood may be long enough to come to them.
_SETTLES_WITHIN_S = 90.0
# What the whole may have grown by after the first fifth. Measured: see the figures of a run.
_GROWS_MOST_MB = 16.0


def _rss_mb(pid: int | str = "self") -> float:
    """Resident memory, ours without what malloc keeps for the next time: that is no growth."""
    if pid == "self":
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Inside:
    """The pipeline in this process, and the model of what it may believe."""

    def __init__(self, made: Lane, pipeline: Pipeline, chance: random.Random) -> None:
        self._lane = made
        self.pipeline = pipeline
        self._chance = chance
        self._bytes = DownBytes(chance)
        self.genuine, self.victim, self.absent, self._stranger = made.wearables
        self._bytes.handles = [self.victim.handle, self.absent.handle]
        made.lines[2].cut()
        self._bytes.rids = made.platform.rids
        # What is true of each of the victim's events, by the words that were valid after all.
        self.true: dict[str, Believed] = {}
        self.wrong: list[str] = []

    async def press(self) -> None:
        """One that must get through; one whose identity is known to whoever makes the bytes; one of a stranger."""
        self._lane.press(self.genuine)
        name = self._lane.press(self.victim)
        self._stranger.press()
        await self._lane.platform.until(lambda: name in self._lane.platform.came, _SETTLES_WITHIN_S)
        self.true[name] = Believed()
        self._bytes.names = list(self.true)[-3:]

    def hear(self, kind: str, data: bytes) -> None:
        """What the connection hands on when a message has come."""
        self.pipeline._ways.all[0].uplink.on_message(
            kind, data, self._chance.randbytes(self._chance.choice((0, 8, 40)))
        )

    def deliver(self) -> None:
        """One message; what it may have changed is looked at."""
        kind, data = self._bytes.make()
        for said in words_for(data) if kind == "answer" else ():
            if said.event in self.true:
                self._lane.platform.said.setdefault(said.event, []).append(said.word)
                self.true[said.event].hear(said)
        try:
            self.hear(kind, data)
        except BaseException as error:
            error.add_note(f"{kind}: {data[:2000]!r}")
            raise
        for name in self._bytes.names:
            alarm = self.pipeline._journal.alarms[name[:16], int(name[17:], 16)]
            is_now, may_be = _STAGES[alarm.stage], self.true[name].state
            if is_now != may_be:
                self.wrong.append(f"{name} is {is_now!r}, not {may_be!r}, after {data[:300]!r}")
                self.true[name].state = is_now

    def sizes(self) -> dict[str, int]:
        """The tables that a broker could fill."""
        pipeline = self.pipeline
        return {
            "commands": len(pipeline._commands._queued),
            "results": len(pipeline._commands._finished),
            "ways": len(pipeline._strangers._ways),
            "sending": len(pipeline._post._publishing),
            "counters": len(pipeline.counters.snapshot()),
            "tasks": len(asyncio.all_tasks()),
        }


async def _commands(inside: Inside, outcome: Outcome) -> None:
    """A flood of good commands at once, for a wearable that is not there; each is heard of while there is room."""
    for number in range(_COMMANDS):
        command = {"v": 1, "command": f"flood-{number}", "name": "locate", "wearable": inside.absent.handle}
        inside.hear("command", json.dumps(command).encode())
    sizes = inside.sizes()
    outcome.figures["a flood of commands"] = f"{sizes['commands']} wait, {sizes['sending']} results under way"
    if (sizes["commands"], sizes["sending"]) != (_MOST["commands"], _MOST["sending"]):
        outcome.wrong.append(f"{_COMMANDS} commands: {sizes}")


_COMMANDS = 5000
_MOST = {"commands": 1000, "results": 1000, "ways": 256, "sending": 1000, "counters": 200, "tasks": 3500}


@contextlib.asynccontextmanager
async def _inside(place: Path, chance: random.Random) -> AsyncIterator[tuple[Lane, Pipeline]]:
    """A lane whose gateway is the pipeline itself, in this process."""
    made = Lane(place, chance)
    await asyncio.to_thread(made.broker.start)
    serving = asyncio.create_task(made.platform.run())
    try:
        async with hostile(made.broker.port, chance) as made.proxy:
            made.lay(3, strangers=1)
            pipeline = Pipeline(config.load(made.write(made.proxy.port)))
            running = asyncio.create_task(pipeline.run())
            try:
                yield made, pipeline
            finally:
                running.cancel()
                await asyncio.wait({running})
                await made.leave()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        made.broker.close()
    if not running.cancelled():
        running.result()


async def _in_process(count: int, place: Path, chance: random.Random, outcome: Outcome) -> None:
    with listening() as errors:
        async with _inside(place, chance) as (made, pipeline):
            inside = Inside(made, pipeline, chance)
            made.press(inside.genuine)
            await made.settled(_SETTLES_WITHIN_S)
            made.platform.deaf_to = inside.victim.handle
            await _flood(inside, count, outcome)
            await _commands(inside, outcome)
            made.platform.deaf_to = ""
            _leave_out(made, inside, outcome)
            await _end_waits(made, inside, outcome)
            try:
                await made.settled(_SETTLES_WITHIN_S)
            except TimeoutError:
                outcome.wrong.append(f"still open: {made.open()}")
            outcome.wrong += inside.wrong
            made.account(outcome, errors)


async def _flood(inside: Inside, count: int, outcome: Outcome) -> None:
    most: dict[str, int] = {}
    begun_mb = _rss_mb()
    press_every = max(count // _PRESSES, 1)
    for number in range(count):
        if number % press_every == 0:
            await inside.press()
        if number == count // 5:
            begun_mb = _rss_mb()
        inside.deliver()
        if number % _AT_ONCE == 0:
            most = {name: max(size, most.get(name, 0)) for name, size in inside.sizes().items()}
            await asyncio.sleep(0)
    grown_mb = _rss_mb() - begun_mb
    outcome.count += count
    outcome.figures["grown"] = f"{grown_mb:.1f} MB"
    outcome.figures["tables at most"] = ", ".join(f"{name} {size}" for name, size in most.items())
    outcome.wrong += [f"{name}: {size}" for name, size in most.items() if size > _MOST[name]]
    if grown_mb > _GROWS_MOST_MB:
        outcome.wrong.append(f"grown by {grown_mb:.1f} MB")


def _leave_out(made: Lane, inside: Inside, outcome: Outcome) -> None:
    """Presses of the victim of which the bytes have said something valid end as they said."""
    taken = [name for name, believed in inside.true.items() if believed.state]
    outcome.figures["valid after all"] = f"{len(taken)} of {len(inside.true)}"
    for name in taken:
        made.pressed.pop(name)
        made.hidden.add(name)


async def _end_waits(made: Lane, inside: Inside, outcome: Outcome) -> None:
    """Where the bytes said, and validly, "busy" for longer than we wait, the platform takes the event that it has seen.

    One whose wait is over sooner, or that has none, must come by itself.
    """
    late_s = time.monotonic() + _SETTLES_WITHIN_S / 2
    waits = [name for name, believed in inside.true.items() if not believed.state and believed.busy_until_s > late_s]
    outcome.figures["put off"] = f"{len(waits)} of {len(inside.true)}"
    if waits:
        await made.platform.take_up(DOWN, waits)


_TOPICS = (
    "answer",
    "stranger",
    "command",
    "alive",
    "answer/x",
    "",
    "/answer",
    "ANSWER",
    "answer ",
    "\u7b54",
    "$x",
    "a" * 900,
)


async def _through_a_broker(count: int, place: Path, chance: random.Random, outcome: Outcome) -> None:
    """The daemon's own process behind a real mosquitto: odd topics, retained, other QoS, empty."""
    makes = DownBytes(chance)
    async with lane(place, chance) as made:
        makes.handles = [made.wearables[0].handle]
        rss_mb = 0.0
        for number in range(count):
            kind, data = makes.make()
            topic = f"{DOWN}/{kind if chance.random() < 0.8 else chance.choice(_TOPICS)}"
            retain = chance.random() < 0.05
            await made.platform.publish(topic, data, qos=chance.choice((0, 1, 1, 2)), retain=retain)
            if number % max(count // _PRESSES, 1) == 0:
                made.press()
            if number == count // 5:
                rss_mb = _rss_mb(made.gateway.child.pid)
            if number == count // 2:
                # What is retained comes again with the new subscription.
                made.proxy.cut()
        try:
            await made.settled(_SETTLES_WITHIN_S)
        except TimeoutError:
            outcome.wrong.append(f"still open behind mosquitto: {made.open()}")
        grown_mb = _rss_mb(made.gateway.child.pid) - rss_mb
        outcome.figures["process grown"] = f"{grown_mb:.1f} MB"
        if grown_mb > _GROWS_MOST_MB:
            outcome.wrong.append(f"the process has grown by {grown_mb:.1f} MB")
        await made.gateway.stop()
        made.account(outcome, made.gateway.logs)
        outcome.count += count
    outcome.figures["through mosquitto"] = str(count)


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` messages in process, and a twentieth as many (5,000 at most) through a broker."""
    chance = random.Random(seed)
    outcome = Outcome()
    await _in_process(count, place / "inside", chance, outcome)
    await _through_a_broker(min(max(count // 20, 1), _PROCESS_MOST), place / "process", chance, outcome)
    return outcome


CAMPAIGN = Campaign(
    name="broker_bytes",
    hurt="messages of any bytes from the broker",
    short=10_000,
    long=1_000_000,
    run=run,
)
