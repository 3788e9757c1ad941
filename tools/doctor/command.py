"""Puts the checks together and shows what they found. Owns the order of the checks, the arguments and the exit code.

Exit codes: 0 nothing is wrong, 1 something is, 2 it could not even begin (which configuration?).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from edge_daemon import config
from edge_daemon.clock import Clock
from edge_daemon.errors import Refusal
from tools.doctor import brokers, host, links, service
from tools.doctor.as_service import become_owner_of
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, LEVELS, WEAK, Finding, Key, in_order
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands

_DEFAULT = Path("/etc/pingan/gateway.toml")
_STYLES = {DEADLY: "bold white on red", HARMFUL: "bold red", WEAK: "yellow", GOOD: "green"}
_MARKS = {DEADLY: "!!", HARMFUL: "! ", WEAK: "- ", GOOD: "ok"}


def register(commands: Commands, words: Messages) -> None:
    """Add `doctor`."""
    about = words.text("doctor.about")
    parser = commands.add_parser("doctor", help=about, description=about)
    parser.add_argument("--config", type=Path, metavar="FILE", default=_DEFAULT, help=words.text("doctor.config"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Look at everything, say what was found. Raises Refusal without a configuration that can be read."""
    settings = config.load(arguments.config)
    become_owner_of(Path(settings.gateway.state_dir))
    findings = asyncio.run(look(settings))
    if arguments.json:
        for finding in findings:
            print(json.dumps(_row(finding, words), ensure_ascii=False, default=str))
    else:
        _show(findings, words)
    return 1 if any(finding.wrong for finding in findings) else 0


async def look(settings: config.Config) -> list[Finding]:
    """Everything that was found, the worst first."""
    clock = Clock()
    told, reached, heard = await asyncio.gather(
        service.ask(settings), brokers.reach(settings, clock), links.bluetooth(settings)
    )
    files = [*host.disk(settings), *host.keys(settings), *host.clock(clock)]
    return in_order([*told, *heard, *links.serial(settings), *reached, *files])


def _row(finding: Finding, words: Messages) -> dict[str, object]:
    """One line of --json: codes and names for a program, and the two sentences for whoever shows them."""
    names = {
        name: value.rpartition(".")[2] if isinstance(value, Key) else value
        for name, value in finding.names.items()
        if not isinstance(value, Refusal)
    }
    row = {"v": 1, "command": "doctor", "check": finding.check, "code": finding.code, "harm": LEVELS[finding.harm]}
    said = {"unsure": finding.unsure, "names": names, "found": _found(finding, words)}
    return {**row, **said, "remedy": _remedy(finding, words)}


def _found(finding: Finding, words: Messages) -> str:
    return words.text(f"doctor.found.{finding.code}", **_names(finding, words))


def _remedy(finding: Finding, words: Messages) -> str | None:
    if not finding.wrong and not finding.unsure:
        return None
    return words.text(f"doctor.remedy.{finding.code}", **_names(finding, words))


def _names(finding: Finding, words: Messages) -> dict[str, object]:
    """The names of its sentences, in the person's language."""
    names: dict[str, object] = {}
    for name, value in finding.names.items():
        if isinstance(value, Refusal):
            names[name] = words.refusal(value)
        else:
            names[name] = words.text(value) if isinstance(value, Key) else value
    return names


def _show(findings: list[Finding], words: Messages) -> None:
    console = Console(highlight=False)
    for finding in findings:
        mark = "? " if finding.unsure else _MARKS[finding.harm]
        style = "" if finding.unsure else _STYLES[finding.harm]
        _print(console, Text(f" {mark} ", style), Text(_found(finding, words), "bold" * finding.wrong))
        remedy = _remedy(finding, words)
        if remedy is not None:
            _print(console, Text("     "), Text(f"→ {remedy}"))
    wrong = sum(finding.wrong for finding in findings)
    key = "doctor.wrong" if wrong else "doctor.well"
    console.print(words.text(key, count=wrong), style="bold")


def _print(console: Console, mark: Text, sentence: Text) -> None:
    """A sentence beside its mark; what does not fit on the line goes on under its beginning."""
    room = max(console.width - mark.cell_len - 1, 20)
    for number, line in enumerate(sentence.wrap(console, room)):
        line.rstrip()
        console.print(Text.assemble(mark if number == 0 else " " * mark.cell_len, " ", line))
