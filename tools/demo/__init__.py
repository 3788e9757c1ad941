"""`pingan demo`: the whole way on this machine. Owns the command's arguments; house.py of the bench owns the parts.

Everything is real but the antenna, the button and the line: the firmware on a MicroPython, the gateway, a mosquitto,
the desk. Nothing but loopback. Start at once.py (unattended) or live.py (a person presses).
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands


def register(commands: Commands, words: Messages) -> None:
    """Add `demo`."""
    parser = commands.add_parser("demo", help=words.text("demo.about"), description=words.text("demo.about"))
    parser.add_argument("--once", action="store_true", help=words.text("demo.once"))
    parser.add_argument("--json", action="store_true", help=words.text("demo.json"))
    parser.add_argument("--keep", metavar="DIR", help=words.text("demo.keep"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Run the demo. Exit code 0: stopped by the person, or with --once: both presses came to CLOSED."""
    from tools.demo import live, once  # noqa: PLC0415 # the bench is not for `pingan gateway`

    if arguments.once:
        return asyncio.run(once.run(arguments.keep, words, as_json=arguments.json))
    return asyncio.run(live.run(arguments.keep, words, as_json=arguments.json))
