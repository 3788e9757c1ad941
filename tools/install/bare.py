"""From nothing to the command itself: what Python's own library can do, then the rest by the version it made.

A bare machine has neither rich nor cryptography. The first two steps need neither: Debian's packages, and the version
with its environment. Then that version's own `pingan gateway install` takes over in this process's place, finds those
two done, and does the others. A dry run changes nothing, hence cannot get there: it lists what it can see from here.
"""

from __future__ import annotations

import argparse
import os
import sys

from edge_daemon.errors import Refusal
from tools import messages
from tools.install import command, source, step, steps
from tools.install.places import Places
from tools.install.program import Program
from tools.install.system import Failed
from tools.messages import Messages


class _Plain:
    """Says each step on stderr: stdout is the later command's."""

    def __init__(self, words: Messages) -> None:
        self._words = words

    def begin(self, of: str, step: str) -> None:
        """A step begins."""
        self._say(of, step, "begun")

    def end(self, of: str, step: str, state: str = "done", reason: str = "", **facts: object) -> None:
        """A step ended, or would be done."""
        self._say(of, step, state, self._words.text(reason, **facts) if reason else "")

    def _say(self, of: str, step: str, state: str, reason: str = "") -> None:
        said = [self._words.text(f"install.step.{step}"), self._words.text(f"kit.state.{state}"), reason]
        print(f"{of}  " + "  ".join(part for part in said if part), file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Do the first steps, and become the command. Returns only when it could not, or for a dry run."""
    language = argparse.ArgumentParser(add_help=False)
    language.add_argument("--lang")
    words = Messages(messages.language(language.parse_known_args(arguments)[0].lang))
    parser = argparse.ArgumentParser(prog="install.sh", description=words.text("install.about"))
    parser.add_argument("--lang", choices=messages.LANGUAGES, help=words.text("cli.lang"))
    command.add_options(parser, words)
    parsed = parser.parse_args(arguments)
    try:
        python = _first(parsed, words)
    except Refusal as refusal:
        print(f"install.sh: {words.refusal(refusal)}", file=sys.stderr)
        return 2
    except Failed as failed:
        print(f"install.sh: {words.text(failed.key, **failed.names)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if python is not None:
        chosen = [] if parsed.lang is None else ["--lang", parsed.lang]
        rest = _without_language(arguments)
        # The version just made is the source now: what the arguments named has the same files.
        os.execv(python, [python, "-P", "-m", "tools.cli", *chosen, "gateway", "install", *rest])  # noqa: S606
    return 0


def _first(parsed: argparse.Namespace, words: Messages) -> str | None:
    """The first steps. Returns the Python of the version they made; None for a dry run."""
    os.umask(0o022)
    places = Places(parsed.root.resolve())
    command.check_machine(places)
    with source.opened(parsed.source) as chosen:
        version = Program(places, chosen, parsed.wheels)
        command.check_no_other(places, version.version)
        first = steps.first(places, version)
        if parsed.dry_run:
            step.tell(first, _Plain(words))
            print(words.text("install.bare_dry_run"), file=sys.stderr)
            return None
        with command.alone(places):
            step.carry_out(first, _Plain(words))
        return str(version.directory / "bin/python")


def _without_language(arguments: list[str]) -> list[str]:
    rest = list(arguments)
    while "--lang" in rest:
        at = rest.index("--lang")
        del rest[at : at + 2]
    return [argument for argument in rest if not argument.startswith("--lang=")]
