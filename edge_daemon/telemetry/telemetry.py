"""Heartbeats of wearables on their way to the platform: sent at once while there is a way, else kept, newest first out.

Owns the rows in memory and when they go to disk. Guarantee: none but order; telemetry may be lost, and is given up
before any alarm (journal/room.py evicts it). Must not know MQTT. A row that was handed to the broker is gone here; one
under way when the daemon is killed is sent again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_daemon.ages import Ages
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.heard import Heard
from edge_daemon.log import Log
from edge_daemon.telemetry.segments import Segments
from edge_daemon.uplinks import payload
from protocol.messages import Heartbeat

log = Log("telemetry")

# Rows a message: 100 are some 30 KB, which stand before a fresh emergency on a slow line.
ROWS_AT_ONCE = 100
# So many wait in memory, or so long, before they are written to disk: one write, not one for each.
_MEMORY_MOST = 500
_MEMORY_FOR_S = 60.0
# While alarms wait they go first; telemetry trickles, for one alarm may wait for days. One that is soon accepted holds
# it up no longer: looked at so often.
_TRICKLE_S = 5.0
_LOOK_EVERY_S = 0.05
# What was kept is old news: so many times as long as a message of it took, to the broker's word, nothing is done. A
# fresh alarm then hardly ever finds the gateway, the line or the platform busy with the million rows of an outage.
_REST_TIMES = 2
_REST_MOST_S = 0.1
# The order of a row's values on disk, as payload.wearable_heartbeat names them.
_NAMES = (
    "wearable", "link", "rssi_dbm", "uptime_s", "battery_mv", "battery_percent", "heap_free_low_bytes", "firmware",
    "protocol", "reset_cause", "open_alarms", "flash_failed", "parts_out", "worn",
    "steps", "still_minutes", "settings",
)  # fmt: skip

# Hands one message over; raises UplinkDown.
Publish = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a row was heard, as Ages wants it."""

    boot_id: str
    heard_ms: int


@dataclass(slots=True)
class _Sending:
    """A file on its way, and what of it has not been sent."""

    path: Path
    boot_id: str
    rows: list[list[Any]]


class Telemetry:
    """`connected` and `waiting` (alarms) are asked before each message; `publish` sends one."""

    def __init__(
        self,
        gateway: str,
        segments: Segments,
        publish: Publish,
        connected: Callable[[], bool],
        waiting: Callable[[], int],
        ages: Ages,
        counters: Counters,
    ) -> None:
        self._gateway = gateway
        self._segments = segments
        self._publish = publish
        self._connected = connected
        self._waiting = waiting
        self._ages = ages
        self._counters = counters
        self._fresh: deque[list[Any]] = deque()
        self._sending: _Sending | None = None
        self._stored = True
        self._writing: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()

    def wearable(self, handle: str, beat: Heartbeat, heard: Heard) -> None:
        """A wearable's heartbeat: a row, on its way at once when there is one."""
        self._counters.add("wearable_heartbeats")
        said = payload.wearable_heartbeat(handle, beat, heard, heard.at_ms)
        self._fresh.append([heard.at_ms, *(said[name] for name in _NAMES)])
        self._wake.set()

    def hurry(self) -> None:
        """There is a way (again)."""
        self._wake.set()

    async def run(self) -> None:
        """Send, or keep, for ever; at the end what is in memory is written."""
        try:
            while True:
                self._wake.clear()
                if self._connected():
                    await self._send_all()
                await self._keep(all_of_it=False)
                try:
                    async with asyncio.timeout(_MEMORY_FOR_S):
                        await self._wake.wait()
                except TimeoutError:
                    await self._keep(all_of_it=True)
        finally:
            if self._writing is not None:
                # A thread cannot be cancelled: two must not write at once.
                await asyncio.wait({self._writing})
            self._write(list(self._fresh))

    async def _send_all(self) -> None:
        """The fresh rows, then what is on disk, newest file first; stops where the way does."""
        try:
            while self._connected():
                if self._fresh:
                    await self._send_fresh()
                elif not await self._send_stored():
                    return
                if self._waiting():
                    await self._give_way()
                    await self._keep(all_of_it=False)
        except UplinkDown as error:
            log.info("telemetry_unsent", why=str(error))

    async def _give_way(self) -> None:
        """Until no alarm waits, or for so long."""
        until_s = asyncio.get_running_loop().time() + _TRICKLE_S
        while self._waiting() and asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _send_fresh(self) -> None:
        rows = [self._fresh.popleft() for _ in range(min(len(self._fresh), ROWS_AT_ONCE))]
        try:
            await self._send(self._ages.clock.boot_id, rows)
        except BaseException:
            self._fresh.extendleft(reversed(rows))
            raise

    async def _send_stored(self) -> bool:
        """One message of the file that is being sent, the newest there was when it began; False when there is none."""
        try:
            if self._sending is None and self._stored:
                taken = await asyncio.to_thread(self._segments.take_newest)
                self._stored = taken is not None
                self._sending = _Sending(*taken) if taken is not None else None
            if self._sending is None:
                return False
            began_s = asyncio.get_running_loop().time()
            await self._send(self._sending.boot_id, self._sending.rows[:ROWS_AT_ONCE])
            took_s = asyncio.get_running_loop().time() - began_s
            del self._sending.rows[:ROWS_AT_ONCE]
            if not self._sending.rows:
                path, self._sending = self._sending.path, None
                await asyncio.to_thread(self._segments.remove, path)
            await asyncio.sleep(min(took_s * _REST_TIMES, _REST_MOST_S))
        except OSError as error:
            # A file that cannot be read or removed would be the newest for ever.
            self._counters.add("telemetry_stuck")
            log.error("telemetry_stuck", why=error.strerror)
            self._stored = False
        return True

    async def _send(self, boot_id: str, rows: list[list[Any]]) -> None:
        said = []
        for row in rows:
            if len(row) != len(_NAMES) + 1 or type(row[0]) is not int:
                self._counters.add("telemetry_unreadable")
                continue
            heard_age_ms, _ = self._ages.heard_ago(_Moment(boot_id, row[0]))
            values = dict(zip(_NAMES, row[1:], strict=True))
            said.append({"wearable": values.pop("wearable"), "heard_age_ms": heard_age_ms, **values})
        if said:
            await self._publish(payload.telemetry(self._gateway, said))
            self._counters.add("telemetry_sent", len(said))

    async def _keep(self, *, all_of_it: bool) -> None:
        """Write what waits in memory, when there is enough of it or it waits too long."""
        if not self._fresh or not (all_of_it or len(self._fresh) >= _MEMORY_MOST):
            return
        rows, self._fresh = list(self._fresh), deque()
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, rows))
        await asyncio.shield(self._writing)

    def _write(self, rows: list[list[Any]]) -> None:
        if not rows:
            return
        try:
            self._segments.append([self._ages.clock.boot_id], rows)
            self._stored = True
        except OSError as error:
            self._counters.add("telemetry_lost", len(rows))
            log.warning("telemetry_lost", rows=len(rows), why=error.strerror)
