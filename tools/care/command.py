"""`pingan care plan` and `pingan care show`. Owns their options.

Exit codes: 0 all done, 1 the desk could not be reached or could not store, 2 something is refused; what could be done
was. To do it again is no harm: it makes a newer version of the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands

_DESK = "http://127.0.0.1:8080"


def register(commands: Commands, words: Messages) -> None:
    """Add `care` to the command."""
    care = commands.add_parser("care", help=words.text("care.help"), description=words.text("care.about"))
    actions = care.add_subparsers(metavar=words.text("cli.command"), required=True, dest="action")
    plan = _action(actions, words, "plan", _plan)
    plan.add_argument("files", nargs="+", type=Path, metavar="FILE", help=words.text("care.option.files"))
    plan.add_argument("--keys", type=Path, metavar="FILE", help=words.text("care.option.keys"))
    where = plan.add_mutually_exclusive_group()
    where.add_argument("--desk", default=_DESK, metavar="URL", help=words.text("care.option.desk"))
    where.add_argument("--out", type=Path, metavar="FILE", help=words.text("care.option.out"))
    where.add_argument("--dry-run", action="store_true", help=words.text("care.option.dry_run"))
    show = _action(actions, words, "show", _show)
    show.add_argument("what", nargs="*", metavar="FILE|PROFILE|CODE", help=words.text("care.option.what"))
    show.add_argument("--desk", default=None, metavar="URL", help=words.text("care.option.ask_desk"))


def _action(
    actions: Commands, words: Messages, name: str, run: Callable[[argparse.Namespace, Messages], int]
) -> argparse.ArgumentParser:
    about = words.text(f"care.{name}.help")
    parser = actions.add_parser(name, help=about, description=about)
    parser.add_argument("--profiles", type=Path, metavar="DIR", help=words.text("care.option.profiles"))
    parser.add_argument("--store", type=Path, metavar="DIR", help=words.text("care.option.store"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)
    return parser


def _plan(arguments: argparse.Namespace, words: Messages) -> int:
    # Imported here: what seals need not be loaded by every command.
    from tools.care import planning  # noqa: PLC0415

    return planning.run(arguments, words)


def _show(arguments: argparse.Namespace, words: Messages) -> int:
    from tools.care import showing  # noqa: PLC0415

    return showing.run(arguments, words)
