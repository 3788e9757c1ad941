"""A way by SMS that runs over a fake modem, for the tests of it: short times, generous limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from edge_daemon.clock import Clock
from edge_daemon.config import Sms
from edge_daemon.counters import Counters
from edge_daemon.uplinks.sms.ladder import Timing
from edge_daemon.uplinks.sms.reports import State
from edge_daemon.uplinks.sms.sms import SmsUplink
from protocol.sms_text import SmsEvent, pack

from .modem import FakeModem

WITHIN_S = 60.0
NUMBERS = ["+8613800138000", "+8613900139000", "+8613700137000"]
TIMING = Timing(
    answer_s=2.0,
    begin_s=0.2,
    quiet_s=0.05,
    sim_s=3.0,
    prompt_s=2.0,
    taken_s=2.0,
    watch_s=0.1,
    unregistered_s=600.0,
    settled_s=60.0,
    pause_least_s=0.05,
    pause_most_s=0.2,
    reset_pause_s=0.2,
    reset_every_s=0.5,
    ready_within_s=30.0,
)


def text(number: int = 12, *, test: bool = False) -> str:
    return pack(SmsEvent("gw-1", f"1d4f35debd828018-{number:06x}", "sos", 1, "exact", test=test))


class Way:
    """An uplink that runs, over a modem."""

    def __init__(self, directory: Path, modem: FakeModem, settings: dict[str, object], timing: Timing) -> None:
        given = {"enabled": True, "port": str(modem.device), "numbers": NUMBERS, **settings}
        self.modem = modem
        self.counters = Counters()
        self.uplink = SmsUplink(Sms(**given), directory, Clock(), self.counters, timing)  # type: ignore[arg-type]
        self.reported: list[tuple[int, State]] = []
        self.uplink.on_report = lambda delivery: self.reported.append((delivery.index, delivery.state))

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not true():
                await asyncio.sleep(0.01)

    async def ready(self) -> None:
        await self.until(lambda: self.uplink.ready)

    async def send(self, said: str) -> list[State]:
        async with asyncio.timeout(WITHIN_S):
            return [delivery.state for delivery in await self.uplink.send(said)]

    async def delivered(self, said: str) -> None:
        """Every number's report has come. A modem reports when it likes, so mostly after send() has returned."""
        deliveries = await self.uplink.send(said)
        await self.until(lambda: [delivery.state for delivery in deliveries] == [State.DELIVERED] * len(NUMBERS))


@contextlib.asynccontextmanager
async def running(
    directory: Path, modem: FakeModem | None = None, timing: Timing = TIMING, **settings: object
) -> AsyncIterator[Way]:
    modem = modem or FakeModem(directory)
    way = Way(directory, modem, settings, timing)
    task = asyncio.create_task(way.uplink.run())
    try:
        yield way
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        modem.vanish()


def numbers_of(modem: FakeModem, said: str) -> list[str]:
    return [number for number, told in modem.sent if told == said]
