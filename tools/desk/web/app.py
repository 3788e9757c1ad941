"""The web application: which path leads where. Owns the wiring of routes, guards and static files; no logic."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from tools.desk.desk_state import DeskState
from tools.desk.web import api, care_api, guard, stream

_STATIC = Path(__file__).parent / "static"
_BODY_MOST_BYTES = 16 * 1024


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "index.html")


def application(state: DeskState) -> web.Application:
    """The desk's web application; it owns no resource that would have to be closed."""
    app = web.Application(
        middlewares=[guard.guard(state.settings.served_as), api.errors], client_max_size=_BODY_MOST_BYTES
    )
    app[api.STATE] = state
    app[stream.LISTENERS] = set()
    app.on_response_prepare.append(guard.add_headers)
    app.add_routes(api.routes)
    app.add_routes(care_api.routes)
    app.router.add_get("/api/stream", stream.stream)
    app.router.add_get("/", _page)
    app.router.add_static("/static/", _STATIC)
    return app
