"""Who may ask and what a browser may do with the answer. Owns the checks before every request and the headers after.

There is no log-in here: the desk serves its own machine, or a proxy in front that checks people. What is left to
guard against is another site in the operator's browser: it reaches loopback too.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def guard(served_as: tuple[str, ...]) -> Middleware:
    """Refuse foreign names (DNS rebinding) and other sites' requests; add the headers to every answer."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _host_is_ours(request.host, served_as):
            return _no("host")
        if request.method not in ("GET", "HEAD"):
            why = _foreign(request)
            if why is not None:
                return _no(why)
        return await handler(request)

    return check


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: on every response, streams included."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


def _host_is_ours(host: str, served_as: tuple[str, ...]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in _LOOPBACK or host in served_as or name in served_as


def _foreign(request: web.Request) -> str | None:
    """Why a request that changes something is not our page's. JSON can't be sent across origins without being asked."""
    if request.content_type != "application/json":
        return "content_type"
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return "site"
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return "origin"
    return None


def _no(why: str) -> web.Response:
    return web.json_response({"error": "forbidden", "why": why}, status=403)
