"""The demo with a person: keys in the terminal, buttons in the browser, each stage as it lights up.

Owns the keys and what they do. Must not know how a line is drawn (screen.py) or a page served (page.py).
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from hil_tests.desk.process import DeskFailed
from hil_tests.wearable.errors import WearableFailed
from tools.demo import keyboard
from tools.demo.page import Page
from tools.demo.scene import Scene
from tools.demo.screen import Screen
from tools.demo.stages import Shown
from tools.messages import Messages

_DESK_PORT = 8080
_PAGE_PORT = 8081
_OPERATOR = "demo"
_SERVICE = "care"


def _free(wanted: int) -> int:
    """`wanted` where nobody else listens there, else any port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


async def run(keep: str | None, words: Messages, *, as_json: bool) -> int:
    """Open the scene and serve it until `q`, Ctrl-C or SIGTERM. Returns 0."""
    screen = Screen(words, drawn=not as_json and sys.stdout.isatty())
    pages: list[Page] = []

    def tell(shown: Shown) -> None:
        if as_json:
            print(json.dumps(shown.row()), flush=True)
        else:
            screen.shown(shown)
        for page in pages:
            page.shown(shown)

    stopped = _stop_signal()
    if not as_json:
        screen.say(words.text("demo.opening"))
    async with (
        Scene.open(keep, words, tell, _free(_DESK_PORT)) as scene,
        Page.serve(scene, words, _free(_PAGE_PORT)) as page,
    ):
        pages.append(page)
        scene.changed = page.changed
        if not as_json:
            screen.ready(scene, page.url)
        with screen.drawing(scene):
            await _until_stopped(scene, stopped)
    return 0


def _stop_signal() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM, from the beginning: what has been opened by then is taken down in order."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _until_stopped(scene: Scene, stopped: asyncio.Event) -> None:
    doing: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        doing.add(task)
        task.add_done_callback(doing.discard)

    with keyboard.keys(lambda key: _act(key, scene, stopped, start)):
        await stopped.wait()
    await asyncio.gather(*doing, return_exceptions=True)


def _act(key: str, scene: Scene, stopped: asyncio.Event, start: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """1, 2: hold; 3, 4: short press; 5: a service on the watch; o: the operator's next click; q: enough."""
    if key in "12":
        start(scene.hold(scene.worn[int(key) - 1]))
    elif key in "34":
        start(scene.press(scene.worn[int(key) - 3]))
    elif key == "5":
        start(_ask(scene))
    elif key == "o":
        start(_operate(scene))
    elif key in ("q", "\x03", "\x04"):
        stopped.set()


async def _ask(scene: Scene) -> None:
    try:
        await scene.watch.ask(_SERVICE)
    except WearableFailed as failure:
        print(failure, file=sys.stderr)


async def _operate(scene: Scene) -> None:
    try:
        await scene.take_and_close(_OPERATOR)
    except DeskFailed as failure:
        print(failure, file=sys.stderr)
