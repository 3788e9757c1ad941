"""Forgets what is past its time: positions by their wearers' plans, calls after a month. Owns when, not how long."""

from __future__ import annotations

import asyncio

from edge_daemon.clock import Clock
from edge_daemon.log import Log
from tools.desk.care import Care
from tools.desk.errors import StoreFailed
from tools.desk.store import Store, commands, trails
from tools.desk.store.store import Transaction

log = Log("housekeeping")

_EVERY_S = 3600.0


class Housekeeping:
    """At the start, and then every hour."""

    def __init__(self, store: Store, care: Care, clock: Clock) -> None:
        self._store = store
        self._care = care
        self._clock = clock

    async def run(self) -> None:
        """Tidy for ever."""
        while True:
            try:
                boxes = await self.tidy()
            except StoreFailed as error:
                log.warning("not_tidied", why=str(error))
            else:
                log.info("tidied", boxes=boxes)
            await asyncio.sleep(_EVERY_S)

    async def tidy(self) -> int:
        """Forget what is past its time now; how many boxes of positions that were. Raises StoreFailed."""
        # How long a wearer's positions are kept may be known by now.
        await self._care.learn()
        now_ms = self._clock.wall_ms()

        def work(transaction: Transaction) -> int:
            commands.purge(transaction, now_ms)
            return trails.purge(transaction, now_ms)

        return await self._store.write(work)
