"""`pingan provision`: identities for boards on cables, each with its verdict.

Owns the options, a worker for each port, the verdicts and the exit code: 0 every board done, 1 any failed, 2 any
refused. Must not know the steps (visit.py).
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

from tools.cli_types import Commands
from tools.kit.telling import Telling
from tools.label import command as label
from tools.messages import Messages


def register(commands: Commands, words: Messages) -> None:
    """Add `provision` to the command."""
    about = words.text("provision.about")
    parser = commands.add_parser("provision", help=words.text("provision.help"), description=about)

    def option(name: str, **more: Any) -> None:
        parser.add_argument(f"--{name}", help=words.text(f"provision.option.{name}"), **more)

    option("port", action="append", metavar="PORT")
    option("platform-key", type=Path, required=True, metavar="FILE")
    option("replace", action="store_true")
    option("gateway", type=Path, metavar="SOCKET")
    option("lock", action=argparse.BooleanOptionalAction, default=True)
    option("store", type=Path, metavar="DIR")
    label.add_outputs(parser, words)
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Provision every board that is meant."""
    # Imported here: the rest of the command need not load what talks to boards.
    from tools.flash import ports  # noqa: PLC0415
    from tools.provision import batch  # noqa: PLC0415
    from tools.provision.visit import Visit, Wanted  # noqa: PLC0415
    from tools.records import platform_key  # noqa: PLC0415
    from tools.records.store import Store, default_directory  # noqa: PLC0415

    key = platform_key.load_public(arguments.platform_key)
    kept = Store(arguments.store or default_directory())
    wanted = Wanted(key, arguments.replace, arguments.lock, arguments.gateway)
    chosen = ports.chosen(arguments.port)
    stop = threading.Event()
    with Telling("provision", words, as_json=arguments.json) as telling:
        works = {port: Visit(port, wanted, kept, telling, stop).run for port in chosen}
        ends = batch.run(works, kept, telling, stop)
    codes = [end.done.code for end in ends.values() if end.done]
    if codes:
        label.write(codes, arguments.png, arguments.roll, arguments.sheet)
    return batch.exit_code(ends)
