"""Every broker of the desk. Guarantee: an answer goes by the broker that brought its question; news by all that matter.

Owns which gateway was heard by which broker of late. Must not know what messages say, nor how a connection is kept:
broker.py. A message that comes by two brokers is a repeat to whoever takes it: an event's identity makes it one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from edge_daemon.clock import Clock
from tools.desk import settings as config
from tools.desk.broker import BrokerConnection
from tools.desk.errors import BrokerDown
from tools.desk.reading.message import Message

# Ten heartbeats: where a gateway has not been heard for so long it may have gone for good.
_LATELY_MS = 600_000


class Brokers:
    """`on_message` is called for every up message, `on_connected` when a broker takes answers again."""

    def __init__(self, settings: config.DeskSettings, desk_id: str, clock: Clock) -> None:
        self._clock = clock
        self._brokers = [BrokerConnection(settings, place, desk_id, clock) for place in range(len(settings.brokers))]
        # (area, gateway) -> place of a broker -> when it was heard by it.
        self._heard: dict[tuple[str, str], dict[int, int]] = {}
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_connected: Callable[[], None] = lambda: None
        for broker in self._brokers:
            broker.on_message = self._received
            broker.on_connected = self._connected

    @property
    def connected(self) -> bool:
        """Whether alarms can come in by any broker."""
        return any(broker.connected for broker in self._brokers)

    def states(self) -> list[dict[str, Any]]:
        """Each broker and whether it is connected."""
        return [{"broker": f"{one.host}:{one.port}", "connected": one.connected} for one in self._brokers]

    async def run(self) -> None:
        """Stay connected to all of them for ever."""
        async with asyncio.TaskGroup() as tasks:
            for broker in self._brokers:
                tasks.create_task(broker.run())

    async def answer(
        self, by: int, to: str, payload: bytes, correlation: bytes | None, expiry_s: int | None = None
    ) -> None:
        """Publish by the broker at place `by`, and wait for it. Raises BrokerDown."""
        await self._brokers[by].publish(to, payload, correlation=correlation, expiry_s=expiry_s)

    async def tell(self, area: str, gateway: str, to: str, payload: bytes) -> None:
        """Publish news by each broker that the gateway was heard by lately, by all where that is not known.

        Raises BrokerDown when none of them has it. One that is away does not matter then: the gateway asks again.
        """
        since_ms = self._clock.now_ms() - _LATELY_MS
        heard = self._heard.get((area, gateway), {})
        places = [place for place, at_ms in heard.items() if at_ms > since_ms] or range(len(self._brokers))
        told = [self._brokers[place].publish(to, payload) for place in places]
        failed = [error for error in await asyncio.gather(*told, return_exceptions=True) if error is not None]
        for error in failed:
            if not isinstance(error, BrokerDown) or len(failed) == len(told):
                raise error

    def _received(self, message: Message) -> None:
        self._heard.setdefault((message.area, message.gateway), {})[message.broker] = self._clock.now_ms()
        self.on_message(message)

    def _connected(self) -> None:
        self.on_connected()
