"""`pingan bench`: what it costs, each figure a ratio beside its limit, measured in the same run. Start at figures.py.

`pingan bench energy` is a model: days on one charge. Start at energy.py.

Owns the command's arguments. A figure without its limit beside it says more about the machine than about us.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands


def register(commands: Commands, words: Messages) -> None:
    """Add `bench`."""
    parser = commands.add_parser("bench", help=words.text("bench.about"), description=words.text("bench.about"))
    parser.add_argument("--quick", action="store_true", help=words.text("bench.quick"))
    parser.add_argument("--json", action="store_true", help=words.text("bench.json"))
    parser.set_defaults(run=run)
    kinds = parser.add_subparsers(metavar=words.text("cli.command"), dest="kind")
    about = words.text("bench.energy.about")
    energy = kinds.add_parser("energy", help=about, description=about)
    energy.add_argument("--days", type=float, default=1.0, help=words.text("bench.energy.days"))
    energy.add_argument("--json", action="store_true", help=words.text("bench.json"))
    energy.set_defaults(run=run_energy)


def run_energy(arguments: argparse.Namespace, words: Messages) -> int:
    """Days on one charge, by profile."""
    from tools.bench import energy  # noqa: PLC0415 # the firmware's interpreter is not for `pingan gateway`

    return energy.run(arguments, words)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Measure everything and print a table, or a JSON object per figure."""
    from tools.bench import figures, table  # noqa: PLC0415 # bench and broker are not for `pingan gateway`

    for figure in figures.measure(quick=arguments.quick):
        if arguments.json:
            print(json.dumps(figure.row()), flush=True)
        else:
            table.show(figure, words)
    return 0
