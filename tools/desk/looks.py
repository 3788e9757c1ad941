"""An operator's call to look at the watch, and its results. Owns the command's id and to whom it goes.

Guarantee: a call is noted before it is sent, so its result is never one of a command that nobody knows. It is not
repeated: an operator who sees no result calls again.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from tools.desk.brokers import Brokers
from tools.desk.errors import BrokerDown, NobodyThere, StoreFailed
from tools.desk.reading.results import CommandResult
from tools.desk.store import Store, care, commands

log = Log("looks")

SECONDS = 600
SECONDS_MOST = 3600
_WAITING_MOST = 1000


class Looks:
    """`ask` for an operator; `take` what gateways say became of it."""

    def __init__(self, store: Store, brokers: Brokers, clock: Clock, counters: Counters) -> None:
        self._store = store
        self._brokers = brokers
        self._clock = clock
        self._counters = counters
        self._results: asyncio.Queue[CommandResult] = asyncio.Queue(_WAITING_MOST)
        self.on_change: Callable[[], None] = lambda: None

    async def ask(self, wearable: str, operator: str, seconds: int = SECONDS) -> str:
        """Call through every gateway of the wearable; the command's id. Raises NobodyThere, BrokerDown, StoreFailed."""
        gateways = await self._store.read(lambda connection: care.bound(connection, wearable))
        if not gateways:
            raise NobodyThere(wearable)
        command, now_ms = f"look-{secrets.token_hex(8)}", self._clock.wall_ms()
        await self._store.write(
            lambda transaction: commands.asked(transaction, command, wearable, operator, gateways, now_ms),
            commands.REVISIONS,
        )
        self.on_change()
        said = {"v": 1, "command": command, "name": commands.LOOK, "wearable": wearable}
        payload = json.dumps({**said, "args": {"seconds": seconds}, "expires_s": seconds}).encode()
        told = [
            self._brokers.tell(area, gateway, f"pingan/v1/{area}/{gateway}/down/command", payload)
            for area, gateway in gateways
        ]
        failed = [error for error in await asyncio.gather(*told, return_exceptions=True) if error is not None]
        for error in failed:
            if not isinstance(error, BrokerDown) or len(failed) == len(told):
                raise error
        return command

    def take(self, result: CommandResult) -> None:
        """What became of a command; more than can wait are dropped and counted."""
        self._counters.add("results")
        try:
            self._results.put_nowait(result)
        except asyncio.QueueFull:
            self._counters.add("results_dropped")

    async def run(self) -> None:
        """Note results for ever."""
        while True:
            result = await self._results.get()
            try:
                ours = await self._store.write(
                    lambda transaction, said=result: commands.became(transaction, said),  # type: ignore[misc]
                    commands.REVISIONS,
                )
            except StoreFailed:
                # The call looks unanswered, and is made again.
                self._counters.add("store_failed")
                continue
            if ours:
                self.on_change()
