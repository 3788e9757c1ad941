"""`pingan desk keys new` and `pingan desk import`: the platform's key pair, and the records that it opens.

Owns the options and what is told. Exit codes: 0 done, 2 refused; of several records those that can be are imported
all the same, and each of the others says why not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_daemon.errors import Refusal
from tools.cli_types import Commands
from tools.kit.telling import Telling
from tools.messages import Messages


def register(commands: Commands, words: Messages) -> None:
    """Add both to `pingan desk`."""
    keys = commands.add_parser("keys", help=words.text("enrolment.keys.help"))
    actions = keys.add_subparsers(metavar=words.text("cli.command"), required=True, dest="action")
    new = actions.add_parser("new", help=words.text("enrolment.keys.new"), description=words.text("enrolment.keys.new"))
    new.add_argument("--private", type=Path, required=True, metavar="FILE", help=words.text("enrolment.option.private"))
    new.add_argument("--public", type=Path, required=True, metavar="FILE", help=words.text("enrolment.option.public"))
    new.add_argument("--json", action="store_true", help=words.text("kit.json"))
    new.set_defaults(run=_run_new)
    about = words.text("enrolment.import.about")
    take = commands.add_parser("import", help=words.text("enrolment.import.help"), description=about)
    take.add_argument("records", nargs="+", type=Path, metavar="RECORD", help=words.text("enrolment.option.record"))
    take.add_argument("--keys", type=Path, required=True, metavar="FILE", help=words.text("enrolment.option.keys"))
    private = words.text("enrolment.option.private_of_records")
    take.add_argument("--private", type=Path, required=True, metavar="FILE", help=private)
    take.add_argument("--json", action="store_true", help=words.text("kit.json"))
    take.set_defaults(run=_run_import)


def _run_new(arguments: argparse.Namespace, words: Messages) -> int:
    """Make the pair."""
    from tools.records import platform_key  # noqa: PLC0415

    name = platform_key.make(arguments.private, arguments.public)
    with Telling("desk keys new", words, as_json=arguments.json) as telling:
        telling.verdict(str(arguments.public), "done", "enrolment.keys.made", platform=name)
    return 0


def _run_import(arguments: argparse.Namespace, words: Messages) -> int:
    """Open each record and add what it holds."""
    # Imported here: a running desk needs none of it.
    from tools.desk import key_file  # noqa: PLC0415
    from tools.records import platform_key, record  # noqa: PLC0415

    private = platform_key.load_private(arguments.private)
    refused: dict[Path, Refusal] = {}
    opened = []
    for path in _files(arguments.records):
        try:
            found = record.read(path)
            opened.append((found, record.open_root(found, private)))
        except Refusal as refusal:
            refused[path] = refusal
    outcomes = key_file.take_up(arguments.keys, opened)
    with Telling("desk import", words, as_json=arguments.json) as telling:
        for (found, _), outcome in zip(opened, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                refused[Path(found.source)] = outcome
                continue
            done = outcome == key_file.ADDED
            about = found.about
            facts = {"wearable": about.handle, "hardware": about.hardware, "replaces": about.replaces}
            reason = f"enrolment.import.{outcome}"
            telling.verdict(str(found.source), "done" if done else "skipped", reason, **facts)
        for path, why in refused.items():
            telling.verdict(str(path), "refused", why.key, **why.params)
    return 2 if refused else 0


def _files(named: list[Path]) -> list[Path]:
    """The files that are meant: of a directory, all of its records."""
    return [file for path in named for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
