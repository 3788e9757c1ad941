"""Press -> ACCEPTED over loopback, and how many a second, against bare MQTT round trips of the same client and broker.

The way: bytes of a sealed press on the serial line, intake, commit, the broker, the desk's own commit and answer, the
broker, the sealed answer back on the line. The control: a message of the same size echoed through the same broker.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from edge_daemon.pipeline import Pipeline
from hil_tests.broker.mosquitto import Broker
from hil_tests.desk.process import DeskProcess
from protocol import codes
from tools.bench import echo, gateway
from tools.bench.figure import Figure, percentile
from tools.bench.wearer import Wearer

_WARM_UP = 20
_UNDER_WAY = 64
# 115,200 baud with start and stop bit, over a held press on the line: COBS, CRC and delimiter included.
_LINE_BYTES_PER_S = 11_520
_SUSTAINED_FROM = 1_000_000
_SUSTAINED_WITHIN_S = 300.0
_LOOK_EVERY_S = 0.002


async def measure(place: Path, presses: int) -> list[Figure]:
    """Three figures: one press at a time, its slowest hundredth, and a line kept full."""
    place.mkdir(parents=True)
    with Broker(place / "broker") as broker:
        address = (broker.host, broker.port)
        desk = await DeskProcess.start(place / "desk", broker.address)
        wearer = Wearer()
        try:
            async with gateway.running(place, wearer, address) as pipeline, echo.running(address) as control:
                return await _measure(pipeline, wearer, control, presses)
        finally:
            wearer.close()
            await desk.stop()


async def _measure(pipeline: Pipeline, wearer: Wearer, control: echo.Echo, presses: int) -> list[Figure]:
    accepted_us: list[float] = []
    echoed_us: list[float] = []
    for number in range(1, _WARM_UP + presses + 1):
        counter, data = wearer.seal(number)
        start = time.perf_counter_ns()
        await wearer.write(data)
        await wearer.stage(counter, codes.ACCEPTED)
        accepted_us.append((time.perf_counter_ns() - start) / 1000)
        start = time.perf_counter_ns()
        await control.ask()
        echoed_us.append((time.perf_counter_ns() - start) / 1000)
    accepted_us, echoed_us = accepted_us[_WARM_UP:], echoed_us[_WARM_UP:]
    detail = f"n={presses}"
    p50, p99 = percentile(echoed_us, 0.5), percentile(echoed_us, 0.99)
    return [
        Figure("accepted_p50", percentile(accepted_us, 0.5), "echo_p50", p50, "us", detail),
        Figure("accepted_p99", percentile(accepted_us, 0.99), "echo_p99", p99, "us", detail),
        *await _sustained(pipeline, wearer, control, presses * 10),
    ]


async def _sustained(pipeline: Pipeline, wearer: Wearer, control: echo.Echo, count: int) -> list[Figure]:
    """Events per second to ACCEPTED, beside the bare round trip's rate and what a real line could carry at all."""
    frames = [wearer.seal(_SUSTAINED_FROM + i)[1] for i in range(count)]
    before = pipeline.counters.snapshot().get("platform_accepted", 0)
    start = time.perf_counter()
    await wearer.write(b"".join(frames))
    async with asyncio.timeout(_SUSTAINED_WITHIN_S):
        # The gateway counts what it was told; opening the answers here would be measured too.
        while pipeline.counters.snapshot().get("platform_accepted", 0) - before < count:
            wearer.taken()
            await asyncio.sleep(_LOOK_EVERY_S)
    rate = count / (time.perf_counter() - start)
    bare = await control.drain(count, _UNDER_WAY)
    line = _LINE_BYTES_PER_S / len(frames[0])
    detail = f"n={count}"
    return [
        Figure("sustained", rate, "echo_rate", bare, "/s", detail),
        Figure("sustained_line", rate, "line_rate", line, "/s", detail),
    ]
