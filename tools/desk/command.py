"""`pingan desk`: the desk in the foreground, logs as JSON lines on stderr, one JSON line on stdout once it listens.

Owns the options, signals and the exit code (0 stopped by a signal; a Refusal goes to the caller). Must not know what
`pingan desk keys` and `pingan desk import` do (key_commands.py).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal

from edge_daemon import log
from edge_daemon.errors import Refusal
from tools.cli_types import Commands
from tools.desk import key_commands
from tools.desk import settings as config
from tools.messages import Messages


def register(commands: Commands, words: Messages) -> None:
    """Add `desk` to the command."""
    parser = commands.add_parser("desk", help=words.text("desk.help"), description=words.text("desk.about"))
    config.add_arguments(parser, words)
    parser.set_defaults(run=run)
    key_commands.register(parser.add_subparsers(metavar=words.text("cli.command"), dest="desk_command"), words)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Serve until SIGTERM or SIGINT."""
    settings = config.from_arguments(arguments, words.lang)
    log.set_up("INFO")
    try:
        asyncio.run(_until_signal(settings))
    except* Refusal as refusals:
        raise refusals.exceptions[0] from None
    return 0


async def _until_signal(settings: config.DeskSettings) -> None:
    # Imported here: the rest of the command need not load a web server and a database.
    from tools.desk.desk import serve  # noqa: PLC0415

    desk = asyncio.create_task(serve(settings, _say_listening))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, desk.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await desk


def _say_listening(url: str) -> None:
    print(json.dumps({"listening": url}), flush=True)
