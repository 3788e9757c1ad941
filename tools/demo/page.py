"""The demo in the browser: both pendants to press, their lamps and motors as they are, each stage with its time.

Owns the small server on loopback and what it says to the page. Must not know how the page draws it (static/).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web

from tools.demo.scene import Pendant, Scene
from tools.demo.stages import WAY, Shown
from tools.messages import Messages, catalogue

_STATIC = Path(__file__).parent / "static"
_WAITING_MOST = 1000
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Page:
    """Open it with `async with Page.serve(...)`."""

    def __init__(self, scene: Scene, words: Messages, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self._scene = scene
        self._words = words
        self._port = port
        self._lookers: set[asyncio.Queue[str]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def serve(cls, scene: Scene, words: Messages, port: int) -> AsyncIterator[Page]:
        """Serve the page until the block is left."""
        page = cls(scene, words, port)
        app = web.Application(middlewares=[page._guard])
        app.router.add_get("/", lambda request: page._file("index.html"))
        app.router.add_get("/page.js", lambda request: page._file("page.js"))
        app.router.add_get("/page.css", lambda request: page._file("page.css"))
        app.router.add_get("/words", page._serve_words)
        app.router.add_get("/stream", page._stream)
        app.router.add_post("/button", page._button)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield page
        finally:
            await runner.cleanup()

    def changed(self) -> None:
        """Lamps and motors may have changed: tell every looker."""
        self._say("pendants", self._pendants())

    def shown(self, shown: Shown) -> None:
        """A stage lit up on a pendant."""
        self._say("stage", shown.row())

    def _say(self, kind: str, data: Any) -> None:
        for looker in self._lookers:
            if looker.qsize() < _WAITING_MOST:
                looker.put_nowait(f"event: {kind}\ndata: {json.dumps(data)}\n\n")

    def _pendants(self) -> list[dict[str, Any]]:
        return [self._pendant(number, pendant) for number, pendant in enumerate(self._scene.pendants)]

    def _pendant(self, number: int, pendant: Pendant) -> dict[str, Any]:
        body = pendant.wearable.body
        newest = {signal.what: signal.value for signal in body.signals}
        showing = pendant.wearable.showing
        return {
            "pendant": number,
            "link": pendant.link,
            "wearable": pendant.wearable.handle,
            "led": f"#{newest.get('led', 0):06x}",
            "motor": bool(newest.get("motor", 0)),
            "shows": showing.stage if showing else "IDLE",
            "down": body.button_down,
        }

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Only this machine's own browser, and no other site's page in it, presses buttons here."""
        if request.host != f"127.0.0.1:{self._port}":
            raise web.HTTPForbidden
        if request.method == "POST" and request.headers.get("Origin") != self.url.rstrip("/"):
            raise web.HTTPForbidden
        answer: web.StreamResponse = await handler(request)
        if not answer.prepared:
            answer.headers.update(_HEADERS)
        return answer

    async def _file(self, name: str) -> web.FileResponse:
        return web.FileResponse(_STATIC / name)

    async def _serve_words(self, request: web.Request) -> web.Response:  # noqa: ARG002 # the shape of a handler
        words = {key: text for key, text in catalogue().items() if key.startswith(("demo.page.", "stage."))}
        return web.json_response(
            {"lang": self._words.lang, "words": words, "way": WAY, "desk": self._scene.house.desk.url}
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_HEADERS})
        await answer.prepare(request)
        looker: asyncio.Queue[str] = asyncio.Queue()
        self._lookers.add(looker)
        self._say("pendants", self._pendants())
        try:
            while True:
                await answer.write((await looker.get()).encode())
        except ConnectionResetError:
            return answer
        finally:
            self._lookers.discard(looker)

    async def _button(self, request: web.Request) -> web.Response:
        """{"pendant": 0, "down": true}: the button goes down or up, as the person's finger does."""
        body = await request.json()
        number, down = body.get("pendant"), body.get("down")
        if number not in range(len(self._scene.pendants)) or not isinstance(down, bool):
            raise web.HTTPBadRequest(text="pendant 0 or 1, down true or false")
        pendant = self._scene.pendants[number]
        if down and not pendant.wearable.body.button_down:
            self._scene.down(pendant)
        elif not down:
            pendant.wearable.up()
        self.changed()
        return web.json_response({})
