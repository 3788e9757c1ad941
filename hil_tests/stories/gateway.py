"""The daemon as it is, in a story: on the story's air and by the story's clock. `python -m hil_tests.stories.gateway`.

Owns how often the daemon's parts look at the clock, which stands until the story moves its hands. Must not know what is
told. What waits for real things (the broker, the disk, the connection) goes on by real seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any

from edge_daemon import __main__ as daemon
from edge_daemon import pipeline
from hil_tests.stories import gateway_ear
from hil_tests.stories.clock import StoryClock
from hil_tests.stories.line import Line
from hil_tests.tasks_told import tell_on_signal

# Parts that look at the clock every so many seconds: here so often that the story need not wait for them.
_LOOK_S = 0.02
# A platform that is there answers each heartbeat; the story waits for one, for an hour in between is no silence.
# As long as a starved machine takes: five minutes pass after it, and an answer still on its way would be a lost one.
_ANSWERED_WITHIN_S = 60.0
_LOOKING = (
    ("edge_daemon.supervision.wearables", "_EVERY_S"),
    ("edge_daemon.supervision.power", "_EVERY_S"),
    ("edge_daemon.care.care", "_LOOK_EVERY_S"),
    ("edge_daemon.presence.presence", "_LOOK_EVERY_S"),
    ("edge_daemon.trails.trails", "_LOOK_EVERY_S"),
    ("edge_daemon.uplinks.path_watch", "_LOOK_EVERY_S"),
)
# A story's hour passes in one look; the daemon's guards against a loop that was held up would take it for a sleep.
_STEPS = (("edge_daemon.supervision.wearables", "_STEP_MOST_MS"), ("edge_daemon.care.care", "_SLEPT_MS"))
_STEP_MS = 900_000
# A visit stays for news by real seconds; in a story the news are there, or come hours later.
_STAYING = (("edge_daemon.links.ble_visit", "_LINGER_CROWDED_S"),)
_STAY_S = 0.1


def _patch(names: tuple[tuple[str, str], ...], value: float) -> None:
    for module, name in names:
        found: Any = importlib.import_module(module)
        if not hasattr(found, name):
            raise AttributeError(f"{module} has no {name} any more: the story's clock would not be looked at")
        setattr(found, name, value)


class StoryBeat(pipeline.Heartbeat):  # type: ignore[name-defined, misc]
    """Beats when the story looks, and at no other time: none is under way when the hands move."""

    made: list[StoryBeat] = []  # noqa: RUF012 # there is one, made by the pipeline

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.made.append(self)


async def _looked(clock: StoryClock, parts: Any) -> None:
    """Everybody of this loop who looks now and then has looked; who is connected has had an answer to everything."""
    for beat in StoryBeat.made:
        beat.now()
    await asyncio.sleep(2 * _LOOK_S)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ANSWERED_WITHIN_S):
            while ways := [way for way in parts._ways.all if way.connected]:
                if not (any(_asks(way, clock) for way in ways) or parts._forwarder.waiting):
                    break
                await asyncio.sleep(_LOOK_S / 4)


def _asks(way: Any, clock: StoryClock) -> bool:
    """Whether a way has asked something that is not answered, or doubts itself: the hands would make hours of it.

    At one and the same time there may be several heartbeats: an answer to the first is none to the second.
    """
    return bool(way._beats) or not way.healthy or (way.last_answer_ms() or 0) < clock.now_ms()


async def _listen(socket: str, clock: StoryClock, ear: gateway_ear.GatewayEar, parts: Any) -> None:
    reader, writer = await asyncio.open_unix_connection(socket)
    line = ear.line = Line(reader, writer)
    async for word in line.words():
        if word["do"] == "clock":
            clock.set(word["at_ms"], word["wall_of_0_ms"], word["boot"])
        elif word["do"] == "look":
            await _looked(clock, parts)
            line.tell(do="looked", number=word["number"])
        else:
            ear.heard(word)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.stories.gateway", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--air", required=True, help="the story's unix socket")
    parser.add_argument("--clock", nargs=3, type=int, required=True, help="at_ms, wall_of_0_ms, boot")
    arguments = parser.parse_args()
    tell_on_signal()
    clock, ear = StoryClock(), gateway_ear.GatewayEar()
    clock.set(*arguments.clock)
    gateway_ear.install(ear)
    _patch(_LOOKING, _LOOK_S)
    _patch(_STEPS, _STEP_MS)
    _patch(_STAYING, _STAY_S)
    parts: Any = pipeline
    parts.Clock = lambda: clock
    parts.Heartbeat = StoryBeat
    run = parts.Pipeline.run
    listening: set[asyncio.Task[None]] = set()

    async def run_listening(pipeline_: Any) -> None:
        listening.add(asyncio.create_task(_listen(arguments.air, clock, ear, pipeline_)))
        await run(pipeline_)

    parts.Pipeline.run = run_listening
    return daemon.main(["--config", str(Path(arguments.config))])


if __name__ == "__main__":
    sys.exit(main())
