"""`pingan walk-test`: the technician walks the rooms pressing; each press and each room's verdict is shown as it comes.

Owns the options, the keys, what is printed and the exit code: 0 every room is good, 1 one of them is not. However it
ends, the wearables are told that the test is over, and one that could not be told is named.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_daemon.errors import Refusal
from tools.cli_types import Commands
from tools.control import client
from tools.demo.keyboard import keys
from tools.label.code import handle_of, of_handle
from tools.messages import Messages
from tools.walk_test import plot
from tools.walk_test.arming import Arming
from tools.walk_test.presses import Press
from tools.walk_test.verdict import GOOD, PRESSES, Verdict
from tools.walk_test.walk import Room, Walk

DEFAULT_CONFIG = Path("/etc/pingan/gateway.toml")
_ROOM_S = 600.0
_ROOM_MOST = 30
_ARMED_WITHIN_S = 5.0
_LOOK_EVERY_S = 1.0
_SAID = {"armed": "walk.armed", "waiting": "walk.waiting", "no_answer": "walk.waiting"}


def register(commands: Commands, words: Messages) -> None:
    """Add `walk-test` to the command."""
    parser = commands.add_parser(
        "walk-test", help=words.text("walk.help"), description=words.text("walk.about", presses=PRESSES)
    )
    parser.add_argument("--rooms", metavar="A,B,C", default="", help=words.text("walk.option.rooms"))
    parser.add_argument(
        "--wearable", metavar="CODE", action="append", default=[], help=words.text("walk.option.wearable")
    )
    parser.add_argument("--presses", type=int, default=PRESSES, help=words.text("walk.option.presses"))
    parser.add_argument("--room-s", type=float, default=_ROOM_S, help=words.text("walk.option.room_s"))
    add_gateway(parser, words)
    parser.add_argument("--pdf", type=Path, metavar="FILE", help=words.text("walk.option.pdf"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def add_gateway(parser: argparse.ArgumentParser, words: Messages) -> None:
    """`--gateway` and `--config`: which gateway is asked."""
    parser.add_argument("--gateway", type=Path, metavar="SOCKET", help=words.text("walk.option.gateway"))
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=DEFAULT_CONFIG, help=words.text("walk.option.config")
    )


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Walk. Raises Refusal when the gateway cannot be asked."""
    rooms = [room.strip() for room in arguments.rooms.split(",") if room.strip()]
    if len(set(rooms)) != len(rooms) or any(len(room) > _ROOM_MOST for room in rooms) or arguments.presses < 1:
        raise Refusal("walk.bad_rooms", most=_ROOM_MOST)
    socket = client.socket_of(arguments.gateway, arguments.config)
    status = client.ask(socket, {"ask": "status"})
    served = [row["wearable"] for row in status["wearables"] if not row["revoked"]]
    wearables = [handle_of(code) for code in arguments.wearable] or served
    if not wearables:
        raise Refusal("walk.nobody")
    began = datetime.now(UTC).astimezone()
    walked = asyncio.run(_walk(socket, wearables, rooms, arguments, words))
    if arguments.pdf is not None:
        # Imported here: who only looks need not load a typesetter.
        from tools.walk_test.sheet import pdf  # noqa: PLC0415

        arguments.pdf.write_bytes(pdf(walked, status["gateway"], began, words))
    if not arguments.json:
        print("\n".join(["", *plot.chart(walked, words)]))
    return 0 if all(room.verdict.verdict == GOOD for room in walked) else 1


async def _walk(
    socket: Path, wearables: list[str], rooms: list[str], arguments: argparse.Namespace, words: Messages
) -> list[Room]:
    said = _Json() if arguments.json else _Screen(words)
    arming = Arming(socket, wearables)
    try:
        async with arming:
            for row in arming.rows.values():
                said.armed(row)
            await _first_armed(arming, wearables, said)
            walk = Walk(socket, arming, rooms, arguments.presses, arguments.room_s, said)
            with keys(lambda key: walk.end() if key in "qQ" else walk.next()):
                return await walk.run()
    finally:
        for handle in arming.still_armed:
            said.still_armed(handle)


async def _first_armed(arming: Arming, wearables: list[str], said: _Screen | _Json) -> None:
    """Nobody is asked to press before a press of somebody is a test. Raises Refusal where it can be nobody's."""
    while not any(row["state"] == "armed" for row in arming.rows.values()):
        if all(row["state"] == "refused" for row in arming.rows.values()):
            raise Refusal("walk.none_armed")
        for row in await arming.again(wearables, within_s=_ARMED_WITHIN_S):
            if row["state"] == "armed":
                said.armed(row)
        await asyncio.sleep(_LOOK_EVERY_S)


class _Screen:
    """A technician's terminal, or a log."""

    def __init__(self, words: Messages) -> None:
        self._words = words

    def armed(self, row: dict[str, Any]) -> None:
        key = _SAID.get(row["state"], "walk.refused")
        print(self._words.text(key, wearable=of_handle(row["wearable"])))

    def room(self, room: str) -> None:
        print(self._words.text("walk.room", room=room), flush=True)

    def press(self, room: str, press: Press) -> None:
        print(plot.press_line(room, of_handle(press.wearable), press, self._words), flush=True)

    def alarm(self, line: dict[str, Any]) -> None:
        print(self._words.text("walk.alarm", wearable=of_handle(line["wearable"])), flush=True)

    def verdict(self, room: str, verdict: Verdict) -> None:
        said = self._words.text(f"walk.verdict.{verdict.verdict}")
        why = self._words.text(f"walk.reason.{verdict.reason}") if verdict.reason else ""
        print(f"{room}: {said}  {why}".rstrip(), flush=True)

    def still_armed(self, handle: str) -> None:
        print(self._words.text("walk.still_armed", wearable=of_handle(handle)), file=sys.stderr)


class _Json:
    """JSON lines (README.md)."""

    def armed(self, row: dict[str, Any]) -> None:
        state = {"armed": "done", "refused": "refused"}.get(row["state"], "begun")
        self._say(row["wearable"], "armed", state, reason=row["reason"])

    def room(self, room: str) -> None:
        self._say(room, "room", "begun")

    def press(self, room: str, press: Press) -> None:
        facts = {"link": press.link, "rssi_dbm": press.rssi_dbm, "stored_ms": press.took_ms, "retries": press.retries}
        state = "done" if press.stored else "failed"
        self._say(room, "press", state, wearable=press.wearable, number=press.number, **facts)

    def alarm(self, line: dict[str, Any]) -> None:
        self._say(line["wearable"], "alarm", "done", kind=line["kind"], number=line["number"])

    def verdict(self, room: str, verdict: Verdict) -> None:
        names = ("verdict", "presses", "stored", "rssi_dbm", "margin_db", "slowest_ms", "retries")
        facts = {name: getattr(verdict, name) for name in names}
        state = "done" if verdict.verdict == GOOD else "failed"
        reason = f"walk.reason.{verdict.reason}" if verdict.reason else None
        self._say(room, "all", state, reason=reason, **facts)

    def still_armed(self, handle: str) -> None:
        self._say(handle, "armed", "failed", reason="walk.still_armed")

    def _say(self, of: str, step: str, state: str, **facts: Any) -> None:
        row = {"v": 1, "command": "walk-test", "of": of, "step": step, "state": state, **facts}
        print(json.dumps(row, ensure_ascii=False), flush=True)
