"""Wearables armed for a test, for as long as a command lasts. Guarantee: however it ends, they are told to end it.

Owns the lease: each is armed for two minutes and asked again every twenty seconds, so that a command that is killed
leaves nobody armed for longer. One that cannot be reached at the end is named, and its time runs out by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from edge_daemon.errors import Refusal
from tools.control import client

LEASE_S = 120
_AGAIN_S = 20.0
_END_WITHIN_S = 8.0
_ASK_WITHIN_S = 4.0
_LOOK_EVERY_S = 1.0

Row = dict[str, Any]


class Arming:
    """`async with Arming(socket, handles) as arming`. `rows`: what each said last; `still_armed`: after the end."""

    def __init__(self, socket: Path, wearables: Iterable[str]) -> None:
        self._socket = socket
        self._wearables = list(wearables)
        self._cancels: set[str] = set()
        self._keeping: asyncio.Task[None] | None = None
        self.rows: dict[str, Row] = {}
        self.still_armed: list[str] = []

    async def __aenter__(self) -> Self:
        try:
            await self.again(self._wearables, within_s=3)
        except BaseException:
            await self._end()
            raise
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._end()

    async def again(self, wearables: list[str], within_s: float = 0) -> list[Row]:
        """Arm, or prolong, and hear what each says of its newest test. Raises Refusal."""
        rows: list[Row] = []
        for cancels in (False, True):
            some = [handle for handle in wearables if (handle in self._cancels) == cancels]
            if some:
                rows += await self._ask(some, LEASE_S, within_s, cancels=cancels)
        return rows

    def practise_cancel(self, wearable: str, *, wanted: bool) -> None:
        """From the next `again` on a test of this one may be taken back, or no longer."""
        (self._cancels.add if wanted else self._cancels.discard)(wearable)

    async def confirmed(self, wearable: str, within_s: float) -> bool:
        """Ask until it has said itself that it is armed as it is to be now; False when it has not in time."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            with contextlib.suppress(Refusal):
                (row,) = await self.again([wearable], within_s=_ASK_WITHIN_S)
                if row["state"] == "armed" and not row["pending"]:
                    return True
            await asyncio.sleep(_LOOK_EVERY_S)
        return False

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_AGAIN_S)
            try:
                await self.again(self._wearables)
            except Refusal:
                # The gateway is away for a moment, or for good: whoever watches it sees that.
                continue

    async def _end(self) -> None:
        """Not even a second Ctrl-C leaves this out: it runs in a thread."""
        ending = asyncio.ensure_future(self._ask(self._wearables, 0, _END_WITHIN_S, cancels=False))
        try:
            rows = await asyncio.shield(ending)
        except Refusal:
            self.still_armed = [handle for handle, row in self.rows.items() if row["state"] == "armed"]
            return
        self.still_armed = [row["wearable"] for row in rows if row["state"] == "armed"]

    async def _ask(self, wearables: list[str], seconds: int, within_s: float, *, cancels: bool) -> list[Row]:
        request = {"ask": "test", "wearables": wearables, "seconds": seconds, "within_s": within_s, "cancels": cancels}
        reply = await asyncio.to_thread(client.ask, self._socket, request)
        rows: list[Row] = reply["wearables"]
        self.rows |= {row["wearable"]: row for row in rows}
        return rows
