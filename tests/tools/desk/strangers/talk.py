"""What a gateway says for a stranger, and what it is answered. Knows no test."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import Gateway
from tests.tools.desk.wearable import up_stranger

WITHIN_S = 20.0


async def ask(gateway: Gateway, *frames: bytes) -> None:
    await gateway.say("stranger", up_stranger(gateway.name, *frames))


async def answer(gateway: Gateway) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        kind, said, _ = await gateway.received.get()
    assert kind == "stranger"
    return said


async def counted(desk: Opened, name: str, count: int) -> None:
    """Also while the desk says that it is not well."""
    async with asyncio.timeout(WITHIN_S):
        while (await desk.counters()).get(name, 0) < count:
            await asyncio.sleep(0.01)
