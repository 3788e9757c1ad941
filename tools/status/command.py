"""`pingan status`: asks a running gateway and shows how it is, once or for as long as somebody looks.

Owns the arguments and the three shapes: a screen that stays (live.py), one that is printed, JSON lines. Exit codes: 0,
2 no gateway answers, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.control import client
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands

_DEFAULT = Path("/etc/pingan/gateway.toml")
_EVERY_S = 1.0
_ANSWER_WITHIN_S = 5.0


def register(commands: Commands, words: Messages) -> None:
    """Add `status`."""
    parser = commands.add_parser("status", help=words.text("status.help"), description=words.text("status.about"))
    parser.add_argument("--once", action="store_true", help=words.text("status.option.once"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--gateway", type=Path, metavar="SOCKET", help=words.text("enrol.option.gateway"))
    which.add_argument("--config", type=Path, metavar="FILE", default=_DEFAULT, help=words.text("enrol.option.config"))
    parser.add_argument("--json", action="store_true", help=words.text("status.option.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Show it. Raises Refusal when no gateway answers at the beginning."""
    from rich.console import Console  # noqa: PLC0415  only where something is drawn

    socket = client.socket_of(arguments.gateway, arguments.config)
    first = _ask(socket)
    if arguments.json:
        _print(first)
        while not arguments.once:
            time.sleep(_EVERY_S)
            _print(_ask(socket))
        return 0
    console = Console(highlight=False)
    if arguments.once or not console.is_terminal:
        from tools.status.drawing import Drawing  # noqa: PLC0415

        console.print(Drawing(words, console).screen(first, None))
        return 0
    from tools.status.live import Live  # noqa: PLC0415

    asyncio.run(Live(socket, words, console, first).run())
    return 0


def _ask(socket: Path) -> dict[str, Any]:
    return client.ask(socket, {"ask": "status"}, _ANSWER_WITHIN_S)


def _print(status: dict[str, Any]) -> None:
    print(json.dumps({"command": "status", **status}, ensure_ascii=False), flush=True)
