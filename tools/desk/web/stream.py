"""The live stream (server-sent events). Guarantee: who comes back with the last id it saw misses no change.

Owns the cursor of each listener: the id of an event is the revision of its change. Each listener reads the store from
its own cursor, so a slow one holds nothing in memory and delays nobody. Events: `incident` and `gateway` carry the
whole present view; `desk` (no id) says how the desk itself is, `here` that the line is alive.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from edge_daemon.clock import iso
from tools.desk.desk_state import DeskState
from tools.desk.errors import StoreFailed
from tools.desk.store import gateways, views
from tools.desk.web.api import STATE

# A page knows within so long that its line is dead; proxies keep it open.
_SIGN_OF_LIFE_S = 2.0
_AT_ONCE = 200
_LISTENERS_MOST = 200
_RECONNECT_MS = 1000

LISTENERS = web.AppKey("listeners", set[asyncio.Task[Any]])


async def stream(request: web.Request) -> web.StreamResponse:
    """GET /api/stream: from Last-Event-ID, else `?after=`, else from now."""
    listeners = request.app[LISTENERS]
    task = asyncio.current_task()
    if task is None or len(listeners) >= _LISTENERS_MOST:
        return web.json_response({"error": "too_many_listeners"}, status=503)
    state = request.app[STATE]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    listeners.add(task)
    try:
        cursor = await _first(request, state)
        await response.prepare(request)
        await response.write(f"retry: {_RECONNECT_MS}\n\n".encode())
        await _follow(state, response, cursor)
    except ConnectionResetError:
        # The browser has gone; it comes back with its last id.
        pass
    finally:
        listeners.discard(task)
    return response


async def _first(request: web.Request, state: DeskState) -> int:
    said = request.headers.get("Last-Event-ID") or request.query.get("after") or ""
    if said.isascii() and said.isdigit() and len(said) < 19:
        return int(said)
    return await state.store.read(views.revision)


async def _follow(state: DeskState, response: web.StreamResponse, cursor: int) -> None:
    status: dict[str, Any] = {}
    look = True
    while not state.feed.closed:
        bell = state.feed.bell
        now = state.status()
        if now != status:
            status = now
            await response.write(_sse("desk", {**status, "now": iso(state.clock.wall_ms())}))
        if look:
            try:
                cursor, more = await _send_changes(state, response, cursor)
            except StoreFailed:
                more = False
            if more:
                continue
        try:
            async with asyncio.timeout(_SIGN_OF_LIFE_S):
                await bell.wait()
            look = True
        except TimeoutError:
            await response.write(_sse("here", {"now": iso(state.clock.wall_ms())}))
            # Colleagues' desks on the same database ring no bell here. After a failure, look again too.
            look = bool(state.settings.share) or not state.store.healthy


async def _send_changes(state: DeskState, response: web.StreamResponse, cursor: int) -> tuple[int, bool]:
    """Send what changed after the cursor; returns the new cursor and whether there is more."""
    now_ms = state.clock.wall_ms()
    incidents, seen = await state.store.read(
        lambda connection: (
            views.since(connection, cursor, _AT_ONCE),
            gateways.since(connection, cursor, now_ms, _AT_ONCE),
        )
    )
    full = [rows[-1]["revision"] for rows in (incidents, seen) if len(rows) == _AT_ONCE]
    rows = [("incident", row) for row in incidents] + [("gateway", row) for row in seen]
    rows.sort(key=lambda row: int(row[1]["revision"]))
    for name, row in rows:
        if full and row["revision"] > min(full):
            break
        await response.write(_sse(name, row, row["revision"]))
        cursor = row["revision"]
    return cursor, bool(full)


def _sse(name: str, data: dict[str, Any], number: int | None = None) -> bytes:
    head = f"event: {name}\n" if number is None else f"id: {number}\nevent: {name}\n"
    return f"{head}data: {json.dumps(data)}\n\n".encode()
