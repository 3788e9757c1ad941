"""The demo in the browser: pendants to press, a watch to tap, lamps, motors and glass as they are, each stage's time.

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

from hil_tests.desk.process import DeskFailed
from tools.demo import picture
from tools.demo.care import DOES
from tools.demo.scene import Scene, Worn
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
        app.router.add_get("/glass.png", page._glass)
        app.router.add_post("/button", page._button)
        app.router.add_post("/touch", page._touch)
        app.router.add_post("/care", page._care)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield page
        finally:
            await runner.cleanup()

    def changed(self) -> None:
        """Lamps, motors and glass may have changed: tell every looker."""
        self._say("worn", self._all())

    def shown(self, shown: Shown) -> None:
        """A stage lit up on one of them."""
        self._say("stage", shown.row())

    def _say(self, kind: str, data: Any) -> None:
        for looker in self._lookers:
            if looker.qsize() < _WAITING_MOST:
                looker.put_nowait(f"event: {kind}\ndata: {json.dumps(data)}\n\n")

    def _all(self) -> list[dict[str, Any]]:
        return [self._one(number, worn) for number, worn in enumerate(self._scene.worn)]

    def _one(self, number: int, worn: Worn) -> dict[str, Any]:
        body = worn.wearable.body
        newest = {signal.what: signal.value for signal in body.signals}
        showing = worn.wearable.showing
        return {
            "number": number,
            "name": worn.name,
            "link": worn.link,
            "wearable": worn.wearable.handle,
            "led": f"#{newest.get('led', 0):06x}",
            "motor": bool(newest.get("motor", 0)),
            "shows": showing.stage if showing else "IDLE",
            "down": body.finger.down,
            # Which page the glass has: the picture is asked for anew when this changes.
            "glass": None if worn.watch is None else worn.watch.pages,
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
        self._say("worn", self._all())
        try:
            while True:
                await answer.write((await looker.get()).encode())
        except ConnectionResetError:
            return answer
        finally:
            self._lookers.discard(looker)

    async def _glass(self, request: web.Request) -> web.Response:  # noqa: ARG002 # the shape of a handler
        """The watch's screen, as its firmware drew it last."""
        return web.Response(body=picture.png(self._scene.watch.seen()), content_type="image/png")

    async def _touch(self, request: web.Request) -> web.Response:
        """{"x": 120, "y": 40}: a finger on the watch's glass, at a pixel."""
        body = await request.json()
        x, y = body.get("x"), body.get("y")
        if x not in range(picture.SIZE) or y not in range(picture.SIZE):
            raise web.HTTPBadRequest(text="x and y from 0 to 239")
        self._scene.watch.touch(x, y)
        return web.json_response({})

    async def _care(self, request: web.Request) -> web.Response:
        """{"do": "look"}: one of care.DOES. 502 when the desk does not take it."""
        what = (await request.json()).get("do")
        if what not in DOES:
            raise web.HTTPBadRequest(text="do " + ", ".join(DOES))
        try:
            await self._scene.care.do(what)
        except DeskFailed as failure:
            raise web.HTTPBadGateway(text=str(failure)) from failure
        return web.json_response({})

    async def _button(self, request: web.Request) -> web.Response:
        """{"number": 0, "down": true}: the button goes down or up, as the person's finger does."""
        body = await request.json()
        number, down = body.get("number"), body.get("down")
        if number not in range(len(self._scene.worn)) or not isinstance(down, bool):
            raise web.HTTPBadRequest(text="number 0 to 2, down true or false")
        worn = self._scene.worn[number]
        if down and not worn.wearable.body.finger.down:
            self._scene.down(worn)
        elif not down:
            worn.wearable.up()
        self.changed()
        return web.json_response({})
