"""A platform's corner for `pingan care`: a key file with test-only roots, wearers' files, a store, a stand-in desk."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from protocol.keys import DeviceKeys, derive
from tools import cli
from tools.label import code

ROOTS = {name: f"test_only_{name:_<6}".encode() for name in ("li", "wang", "badge")}
LI, WANG, BADGE = (derive(ROOTS[name]) for name in ("li", "wang", "badge"))

OLDER = """
profile = "older"
centre = "jinjiang-3"
quiet = ["21:30", "06:30"]
datum = "wgs84"

[away]
from = "2026-12-01T00:00"
until = "2026-12-08T12:00"

[[checkin]]
id = "morning"
at = "08:00"

[[medicine]]
id = "pill-1"
at = "19:30"
days = [1, 3, 5]
text = 2

[[fence]]
number = 1
place = "home"
latitude = 30.657401
longitude = 104.065735
radius_m = 200
tells = ["left"]
"""
CHILD = """
profile = "child"
centre = "jinjiang-3"
guardian = "g-00017"
language = "en"
datum = "wgs84"

[[fence]]
number = 1
place = "home"
latitude = 30.6574
longitude = 104.0657
radius_m = 150

[[fence]]
number = 7
place = "school"
latitude = 30.6575
longitude = 104.0658
radius_m = 65
tells = ["entered", "left"]
"""


def shown(keys: DeviceKeys) -> str:
    return code.of_handle(keys.handle.hex())


class Place:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = directory / "store"
        self.keys = directory / "keys.json"
        self.write_keys([{"root": root.hex()} for root in ROOTS.values()])

    def write_keys(self, rows: list[dict[str, Any]]) -> None:
        self.keys.write_text(json.dumps({"v": 1, "wearables": rows}))
        self.keys.chmod(0o600)

    def wearer(self, keys: DeviceKeys = LI, text: str = OLDER, name: str = "one.toml") -> Path:
        file = self.directory / name
        file.write_text(f'wearable = "{shown(keys)}"\n{text}', encoding="utf-8")
        return file

    def plan(self, *arguments: object, lang: str = "en") -> int:
        said = ["--lang", lang, "care", "plan", "--store", str(self.store), "--keys", str(self.keys)]
        return cli.main([*said, *map(str, arguments)])

    def show(self, *arguments: object, lang: str = "en") -> int:
        return cli.main(["--lang", lang, "care", "show", "--store", str(self.store), *map(str, arguments)])

    def rows(self, *arguments: object) -> list[dict[str, Any]]:
        out = self.directory / "out.json"
        assert self.plan(*arguments, "--out", out) == 0
        message = json.loads(out.read_text())
        assert set(message) == {"v", "rows"}
        found: list[dict[str, Any]] = message["rows"]
        return found


class StandIn:
    """Answers as it is told to; `posted` is what came. A desk itself is in test_desk.py."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.kept: dict[str, Any] | None = None
        self.headers: list[dict[str, str]] = []
        self.url = ""


@contextlib.contextmanager
def stand_in() -> Iterator[StandIn]:
    state = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            state.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.headers.append(dict(self.headers))
            self._say(*(state.answers.pop(0) if state.answers else (200, b'{"gateways": [{}, {}]}')))

        def do_GET(self) -> None:
            found = state.kept
            self._say(404 if found is None else 200, json.dumps(found or {"error": "no_care"}).encode())

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("Location", state.url + "/api/care/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Nothing to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
