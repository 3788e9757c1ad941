"""The JSON API of care: plans and settings, calls to look at the watch, trails, visits. Owns paths and their checks."""

from __future__ import annotations

from aiohttp import web

from edge_daemon.clock import iso
from tools.desk import looks
from tools.desk.errors import NotUnderstood
from tools.desk.reading import fields
from tools.desk.reading.care import read_row
from tools.desk.store import care, visits
from tools.desk.web.api import STATE, operator_of, posted

# A plan of 16 KiB in hex, and settings.
_CARE_MOST_BYTES = 64 * 1024

routes = web.RouteTableDef()


@routes.post("/api/care")
async def put(request: web.Request) -> web.Response:
    """Body: one row of down/care. Answers what is kept; 409 when it is older, 400 when it is not genuine."""
    state = request.app[STATE]
    row = read_row(await posted(request.clone(client_max_size=_CARE_MOST_BYTES)))
    await state.care.put(row)
    return await _kept(request, row.wearable)


@routes.get("/api/care")
async def listed(request: web.Request) -> web.Response:
    """What is kept for every wearable, and who lives by which versions."""
    return web.json_response({"care": await request.app[STATE].store.read(care.listed)})


@routes.get("/api/care/{wearable}")
async def one(request: web.Request) -> web.Response:
    """The same for one."""
    return await _kept(request, _wearable(request))


async def _kept(request: web.Request, wearable: str) -> web.Response:
    found = await request.app[STATE].store.read(lambda connection: care.listed(connection, wearable))
    if not found:
        return web.json_response({"error": "no_care"}, status=404)
    return web.json_response(found[0])


@routes.post("/api/wearables/{wearable}/look")
async def look(request: web.Request) -> web.Response:
    """Body: {"operator", "seconds"?}. Calls the wearer to look at the watch; answers the command's id."""
    state, wearable, said = request.app[STATE], _wearable(request), await posted(request)
    seconds = fields.whole({"seconds": looks.SECONDS, **said}, "seconds", 1, looks.SECONDS_MOST)
    command = await state.looks.ask(wearable, operator_of(said), seconds)
    return web.json_response({"command": command})


@routes.get("/api/trails/{wearable}")
async def trail(request: web.Request) -> web.Response:
    """The boxes of positions that are kept of a wearable, opened where the desk has the root."""
    return web.json_response({"trails": await request.app[STATE].trails.listed(_wearable(request))})


@routes.get("/api/visits")
async def visited(request: web.Request) -> web.Response:
    """Workers' visits, the newest first."""
    state = request.app[STATE]
    return web.json_response({"now": iso(state.clock.wall_ms()), "visits": await state.store.read(visits.listed)})


def _wearable(request: web.Request) -> str:
    wearable = request.match_info["wearable"]
    if not fields.HANDLE.fullmatch(wearable):
        raise NotUnderstood("wearable")
    return wearable
