"""`pingan factory-test`: the command line, the telling and the table. Must not know how a part is tested (bench.py)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.cli_types import Commands
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.factory.bench import Bench
    from tools.kit.telling import Telling


def register(commands: Commands, words: Messages) -> None:
    """Add the command to the parser."""
    about = words.text("factory.about")
    parser = commands.add_parser("factory-test", help=about, description=about)
    parser.add_argument("--port", required=True, help=words.text("factory.port"))
    parser.add_argument("--measured", metavar="PORT", help=words.text("factory.measured"))
    parser.add_argument("--results", type=Path, metavar="FILE", help=words.text("factory.results"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Test one wearable. 0: every part that is fitted is good; 1: one is not. Raises Refusal."""
    from edge_daemon.errors import Refusal  # noqa: PLC0415 # none of this for other commands
    from tools.factory import ear, results  # noqa: PLC0415
    from tools.factory.bench import Bench  # noqa: PLC0415
    from tools.factory.hand import Jig, Worker  # noqa: PLC0415
    from tools.flash.application_prompt import CodeFailed, open_prompt  # noqa: PLC0415
    from tools.flash.esptool import ToolFailed  # noqa: PLC0415
    from tools.kit.telling import Telling  # noqa: PLC0415

    hand = Jig(arguments.measured) if arguments.measured else Worker(words)
    with Telling("factory", words, as_json=arguments.json) as telling:
        try:
            with open_prompt(arguments.port, "auto") as prompt:
                bench = Bench(prompt, hand, ear.hear)
                about = bench.begin()
                try:
                    parts = _parts(bench, about["serial"], telling)
                finally:
                    # Also on Ctrl-C: a wearable is not left at a prompt.
                    bench.end()
            row = results.append(arguments.results or results.default(), about, parts)
        except ToolFailed as failed:
            telling.verdict(arguments.port, "failed", failed.key, **failed.names)
            return 1
        except CodeFailed as failed:
            raise Refusal("factory.no_application", why=failed) from failed
        finally:
            hand.close()
        state, reason = ("done", "factory.passed") if row["passed"] else ("failed", "factory.failed")
        telling.verdict(about["serial"], state, reason, **about, parts=parts)
    if not arguments.json:
        _table(about, parts, words)
    return 0 if row["passed"] else 1


def _parts(bench: Bench, serial: str, telling: Telling) -> dict[str, dict[str, Any]]:
    from tools.factory.bench import PARTS  # noqa: PLC0415

    found: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        telling.begin(serial, part)
        verdict = bench.test(part)
        telling.end(serial, part, verdict.state, verdict.reason, **verdict.facts)
        found[part] = {"state": verdict.state, "reason": verdict.reason, **verdict.facts}
    return found


def _table(about: dict[str, str], parts: dict[str, dict[str, Any]], words: Messages) -> None:
    """One row a part, for the worker's eye and the box's slip."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=f"{about['serial']}  {about['board']}  {about['fingerprint']}")
    for column in ("part", "verdict", "why"):
        table.add_column(words.text(f"factory.column.{column}"))
    for part, found in parts.items():
        names = {name: value for name, value in found.items() if name not in ("state", "reason")}
        # A part that is good and measured has its figures, a seen one nothing.
        key = found["reason"] or (f"factory.good.{part}" if names else "")
        why = words.text(key, **names) if key else ""
        table.add_row(words.text(f"factory.step.{part}"), words.text(f"factory.state.{found['state']}"), why)
    Console().print(table)
