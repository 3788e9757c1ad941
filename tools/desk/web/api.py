"""The JSON API. Owns paths, checks of what is posted, and status codes; what is done is the store's business.

400 not understood, 404 no such incident, 409 somebody else has it (with its present view), 503 the store fails.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from edge_daemon.clock import iso
from tools import messages
from tools.desk import drill
from tools.desk.desk_state import DeskState
from tools.desk.errors import (
    BrokerDown,
    NobodyThere,
    NoSuchIncident,
    NotGenuine,
    NotUnderstood,
    StoreFailed,
    TakenAlready,
    TooOld,
)
from tools.desk.reading import fields
from tools.desk.store import actions, faults, gateways, installations, views

STATE = web.AppKey("state", DeskState)
_OPERATOR_MOST = 40
_NOTE_MOST = 500

_STATUS: dict[type[Exception], tuple[int, str]] = {
    NotUnderstood: (400, "not_understood"),
    NotGenuine: (400, "not_genuine"),
    NoSuchIncident: (404, "no_such_incident"),
    TakenAlready: (409, "taken"),
    TooOld: (409, "too_old"),
    NobodyThere: (409, "no_gateway"),
    StoreFailed: (503, "store_failed"),
    BrokerDown: (503, "broker_away"),
}

routes = web.RouteTableDef()


@web.middleware
async def errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Turn our errors into status codes."""
    try:
        response: web.StreamResponse = await handler(request)
    except tuple(_STATUS) as error:
        status, name = _STATUS[type(error)]
        return web.json_response({"error": name, **_about(error)}, status=status)
    return response


def _about(error: Exception) -> dict[str, Any]:
    """What else is said of an error."""
    if isinstance(error, NotUnderstood | NotGenuine):
        return {"field": str(error)}
    if isinstance(error, TakenAlready):
        return {"incident": error.incident}
    if isinstance(error, TooOld):
        return {"plan_version": error.plan_version, "settings_version": error.settings_version}
    return {}


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """Whether alarms can come in and be stored: 200, else 503."""
    health = request.app[STATE].health()
    return web.json_response(health, status=200 if health["ok"] else 503)


@routes.get("/api/incidents")
async def incidents(request: web.Request) -> web.Response:
    """Open incidents, urgent and new first, then the last closed ones."""
    state = request.app[STATE]
    listed = await state.store.read(views.listed)
    return web.json_response({"now": iso(state.clock.wall_ms()), **listed})


@routes.get("/api/incidents/{event}")
async def incident(request: web.Request) -> web.Response:
    """One incident with its actions."""
    return web.json_response(await _view(request.app[STATE], _event(request)))


@routes.post("/api/incidents/{event}/take")
async def take(request: web.Request) -> web.Response:
    """Body: {"operator": name, "over": true to take it from a colleague}. Answers the incident."""
    state, event, said = request.app[STATE], _event(request), await posted(request)
    operator = operator_of(said)
    over = fields.flag(said, "over", default=False)
    now_ms = state.clock.wall_ms()
    changed = await state.store.write(
        lambda transaction: actions.take(transaction, event, operator, now_ms, over=over), actions.REVISIONS
    )
    await state.acted(changed, "answered")
    return web.json_response(await _view(state, event))


@routes.post("/api/incidents/{event}/close")
async def close(request: web.Request) -> web.Response:
    """Body: {"operator": name, "outcome": one of OUTCOMES, "note": text}. Answers the incident."""
    state, event, said = request.app[STATE], _event(request), await posted(request)
    operator = operator_of(said)
    outcome = fields.one_of(said, "outcome", actions.OUTCOMES)
    note = fields.text(said, "note", _NOTE_MOST).strip() or None if said.get("note") is not None else None
    now_ms = state.clock.wall_ms()
    changed = await state.store.write(
        lambda transaction: actions.close(transaction, event, operator, outcome, note, now_ms), actions.REVISIONS
    )
    await state.acted(changed, "closed")
    return web.json_response(await _view(state, event))


@routes.get("/api/gateways")
async def listed_gateways(request: web.Request) -> web.Response:
    """Gateways with what is wrong at each now, and how each wearable is."""
    state = request.app[STATE]
    now_ms = state.clock.wall_ms()
    found, wrong, wearables, counted = await state.store.read(
        lambda connection: (
            gateways.listed(connection, now_ms),
            installations.faults(connection),
            gateways.wearables_listed(connection, now_ms),
            gateways.wearables_counted(connection, now_ms),
        )
    )
    for each in found:
        each["faults"] = wrong.get((each["area"], each["gateway"]), [])
    return web.json_response(
        {"now": iso(now_ms), "gateways": found, "wearables": wearables, "wearables_counted": counted}
    )


@routes.get("/api/faults")
async def listed_faults(request: web.Request) -> web.Response:
    """Messages that were not of the contract, the newest first."""
    return web.json_response({"faults": await request.app[STATE].store.read(faults.listed)})


@routes.get("/api/words")
async def words(request: web.Request) -> web.Response:
    """The page's words in one language: `?lang=zh|en`, else as the desk was started."""
    wanted = request.query.get("lang", "")
    lang = wanted if wanted in messages.LANGUAGES else request.app[STATE].settings.language
    said = {key: texts[lang] for key, texts in messages.catalogue().items() if key.startswith("desk.page.")}
    names = {"outcomes": actions.OUTCOMES, "languages": messages.LANGUAGES}
    return web.json_response({"lang": lang, **names, "words": said})


@routes.get("/api/drill")
async def drill_now(request: web.Request) -> web.Response:
    """What a drill answers now."""
    return web.json_response(request.app[STATE].drill_view())


@routes.post("/api/drill")
async def drill_set(request: web.Request) -> web.Response:
    """Body: {"mode": off|busy|refuse|silent, "reason", "retry_after_s", "lasts_s"}. Only where drills are allowed."""
    state, said = request.app[STATE], await posted(request)
    if not state.settings.allow_drill:
        return web.json_response({"error": "drills_not_allowed"}, status=403)
    mode = fields.one_of(said, "mode", drill.MODES)
    reason = fields.one_of({"reason": "other", **said}, "reason", drill.REASONS)
    retry_after_s = _seconds(said, "retry_after_s", None, 600.0)
    lasts_s = _seconds(said, "lasts_s", 60.0, drill.LASTS_MOST_S)
    state.drill.set(mode, reason, retry_after_s, lasts_s or 0.0)
    state.feed.changed()
    return web.json_response(state.drill_view())


def _event(request: web.Request) -> str:
    event = request.match_info["event"]
    if not fields.EVENT.fullmatch(event):
        raise NoSuchIncident(event[:32])
    return event


async def _view(state: DeskState, event: str) -> views.View:
    view = await state.store.read(lambda connection: views.one(connection, event))
    if view is None:
        raise NoSuchIncident(event)
    return view


async def posted(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request. Raises NotUnderstood."""
    try:
        said = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("json") from error
    if not isinstance(said, dict):
        raise NotUnderstood("not an object")
    return said


def operator_of(said: dict[str, Any]) -> str:
    """Who acts. Raises NotUnderstood."""
    name = fields.text(said, "operator", _OPERATOR_MOST).strip()
    if not name:
        raise NotUnderstood("operator")
    return name


def _seconds(said: dict[str, Any], name: str, default: float | None, most: float) -> float | None:
    value = said.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise NotUnderstood(name)
    return float(value)
