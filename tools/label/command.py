"""`pingan label CODE…`: labels of wearables as pictures, a roll or a sheet.

Owns the options and the files. Exit codes: 0 written, 2 refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_daemon.errors import Refusal
from tools.cli_types import Commands
from tools.kit.telling import Telling
from tools.label import code
from tools.messages import Messages


def register(commands: Commands, words: Messages) -> None:
    """Add `label` to the command."""
    parser = commands.add_parser("label", help=words.text("label.help"), description=words.text("label.about"))
    parser.add_argument("codes", nargs="+", metavar="CODE", help=words.text("label.option.code"))
    add_outputs(parser, words)
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def add_outputs(parser: argparse.ArgumentParser, words: Messages) -> None:
    """Where labels go to; of other commands that make some, too."""
    parser.add_argument("--png", type=Path, metavar="DIR", help=words.text("label.option.png"))
    parser.add_argument("--roll", type=Path, metavar="FILE", help=words.text("label.option.roll"))
    parser.add_argument("--sheet", type=Path, metavar="FILE", help=words.text("label.option.sheet"))


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Write what was asked for."""
    codes = [code.of_handle(code.handle_of(text)) for text in arguments.codes]
    if not (arguments.png or arguments.roll or arguments.sheet):
        raise Refusal("label.nowhere")
    files = write(codes, arguments.png, arguments.roll, arguments.sheet)
    with Telling("label", words, as_json=arguments.json) as telling:
        for text in codes:
            telling.verdict(text, "done")
        for file in files:
            telling.verdict(str(file), "done", "label.written", labels=len(codes) if file.suffix != ".png" else 1)
    return 0


def write(codes: list[str], png: Path | None, roll: Path | None, sheet: Path | None) -> list[Path]:
    """Write labels where they are wanted and return the files. Raises Refusal when one cannot be written."""
    # Imported here: the rest of the command need not load what draws.
    from tools.label import drawing  # noqa: PLC0415

    made = {png / f"{text}.png": drawing.picture(text) for text in codes} if png else {}
    if roll:
        made[roll] = drawing.roll(codes)
    if sheet:
        made[sheet] = drawing.sheet(codes)
    for file, data in made.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except OSError as error:
            raise Refusal("label.not_written", file=file, why=error.strerror) from error
    return list(made)
