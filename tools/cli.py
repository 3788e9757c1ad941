"""The command `pingan`. Owns the sub-commands, the language and the exit code; each sub-command is a module of its own.

Exit codes, the same everywhere: 0 done, 1 failed, 2 refused (a person must put something right, and the line says
what), 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from edge_daemon.errors import Refusal
from tools import argparse_words, messages
from tools.messages import Messages

Run = Callable[[argparse.Namespace, Messages], int]


class _Parser(argparse.ArgumentParser):
    """argparse whose refusals go the way of all refusals: one line, in the person's language, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise Refusal("cli.bad_arguments", command=self.prog, why=message)


def _wanted_language(arguments: list[str]) -> str | None:
    """`--lang` is looked for before parsing, because it decides the language of the help itself."""
    for at, argument in enumerate(arguments):
        if argument == "--lang" and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None


def _parser(words: Messages) -> argparse.ArgumentParser:
    # Imported here: `pingan gateway run` must not load what the demo needs.
    from tools import bench, demo, factory, flash, gateway, label, provision  # noqa: PLC0415
    from tools.care import command as care  # noqa: PLC0415
    from tools.desk import command as desk  # noqa: PLC0415
    from tools.doctor import command as doctor  # noqa: PLC0415
    from tools.enrol import command as enrol  # noqa: PLC0415
    from tools.prove import command as prove  # noqa: PLC0415
    from tools.status import command as status  # noqa: PLC0415
    from tools.walk_test import command as walk_test  # noqa: PLC0415

    parser = _Parser(prog="pingan", description=words.text("cli.about"))
    parser.add_argument("--lang", choices=messages.LANGUAGES, help=words.text("cli.lang"))
    commands = parser.add_subparsers(metavar=words.text("cli.command"), required=True, dest="command")
    for module in (
        demo,
        gateway,
        desk,
        bench,
        label,
        flash,
        doctor,
        provision,
        factory,
        enrol,
        status,
        walk_test,
        prove,
        care,
    ):
        module.register(commands, words)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command line. Refusals become one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    words = Messages(messages.language(_wanted_language(arguments)))
    argparse_words.speak(words)
    try:
        parsed = _parser(words).parse_args(arguments)
        run: Run = parsed.run
        return run(parsed, words)
    except Refusal as refusal:
        print(f"pingan: {words.refusal(refusal)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
