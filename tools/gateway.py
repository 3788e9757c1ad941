"""`pingan gateway`: its parts. Owns `config` and `run`; `install`, `upgrade` and `uninstall` are install/'s.

The gateway itself is edge_daemon/.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import edge_daemon.__main__
from edge_daemon import config
from tools.install import command, upgrading
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands

_DEFAULT = Path("/etc/pingan/gateway.toml")


def register(commands: Commands, words: Messages) -> None:
    """Add `gateway` and its sub-commands."""
    parser = commands.add_parser("gateway", help=words.text("gateway.about"), description=words.text("gateway.about"))
    parts = parser.add_subparsers(metavar=words.text("cli.command"), required=True, dest="part")
    shown = parts.add_parser("config", help=words.text("gateway.config.about"))
    shown.add_argument("--config", type=Path, metavar="FILE", help=words.text("gateway.config.file"))
    shown.set_defaults(run=show_config)
    served = parts.add_parser("run", help=words.text("gateway.run.about"))
    served.add_argument("--config", type=Path, metavar="FILE", default=_DEFAULT, help=words.text("gateway.run.file"))
    served.set_defaults(run=serve)
    command.register(parts, words)
    upgrading.register(parts, words)


def show_config(arguments: argparse.Namespace, words: Messages) -> int:
    """Print every setting under its comment: the defaults, or those of a file. The output is a valid file."""
    shown = config.Config() if arguments.config is None else config.load(arguments.config)
    print(config.as_toml(shown, words.text), end="")
    return 0


def serve(arguments: argparse.Namespace, words: Messages) -> int:  # noqa: ARG001 # the shape of every command
    """Run the gateway until a signal."""
    edge_daemon.__main__.serve(arguments.config)
    return 0
