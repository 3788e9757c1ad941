"""What is told gateways and sent to them: again and again, and at once when somebody calls. Owns when, and for whom.

Guarantee: a round that failed is followed by the next, and a gateway that cannot be reached is in no other's way. Must
not know what is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from edge_daemon.log import Log
from tools.desk.errors import BrokerDown, StoreFailed
from tools.desk.store.care import Gateway

# Those that could not be reached in this round, and why.
Down = dict[Gateway, BrokerDown]
# Also without a call: a colleague's desk on the same database may have died with something undone.
_LOOK_AGAIN_S = 5.0


class Rounds:
    """`batch(down)` tells the next of what there is, and returns whether there was any.

    It leaves out those who are `down`, and adds those that it cannot reach. That, and its StoreFailed, goes to `log`
    under the name `failed`.
    """

    def __init__(self, batch: Callable[[Down], Awaitable[bool]], log: Log, failed: str) -> None:
        self._batch = batch
        self._log = log
        self._failed = failed
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._wake.clear()
            await self._round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_S):
                    await self._wake.wait()

    async def _round(self) -> None:
        down: Down = {}
        try:
            while await self._batch(down):
                pass
        except StoreFailed as error:
            self._log.warning(self._failed, why=str(error))
        for (_, gateway), why in down.items():
            self._log.warning(self._failed, gateway=gateway, why=str(why))
