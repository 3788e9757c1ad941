"""Work that is looked for again and again, and at once when somebody calls. Owns when; must not know what.

Guarantee: a round that failed is followed by the next, whatever was to be done.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from edge_daemon.log import Log
from tools.desk.errors import BrokerDown, StoreFailed

# Also without a call: a colleague's desk on the same database may have died with something undone.
_LOOK_AGAIN_S = 5.0


class Rounds:
    """`once` does what there is to do, and returns whether there may be more.

    Of what it may raise, BrokerDown and StoreFailed go to `log` under the name `failed`.
    """

    def __init__(self, once: Callable[[], Awaitable[bool]], log: Log, failed: str) -> None:
        self._once = once
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
            more = False
            try:
                more = await self._once()
            except (BrokerDown, StoreFailed) as error:
                self._log.warning(self._failed, why=str(error))
            if more:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_S):
                    await self._wake.wait()
