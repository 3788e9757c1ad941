"""`pingan prove`: the acceptance of a home, and `pingan prove --verify`: whether such a report is genuine.

Owns the options, the files it leaves and the exit code: 0 the home is accepted (the report is genuine), 1 it is not.
However it ends, the wearables are told that the test is over.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_daemon import config
from edge_daemon.errors import Refusal
from tools.cli_types import Commands
from tools.control import client
from tools.kit.telling import Telling
from tools.label.code import handle_of, of_handle
from tools.messages import Messages
from tools.prove.lines import FAILED, Line, accepted
from tools.prove.prover import Prover, Wanted
from tools.walk_test.command import add_gateway

_HAND_S = 300.0
_STATES = {"passed": "done", "failed": "failed", "not_tested": "skipped"}
_NAME_MOST = 64


def register(commands: Commands, words: Messages) -> None:
    """Add `prove` to the command."""
    parser = commands.add_parser("prove", help=words.text("prove.help"), description=words.text("prove.about"))
    parser.add_argument(
        "--wearable", metavar="CODE", action="append", default=[], help=words.text("prove.option.wearable")
    )
    parser.add_argument("--home", default="", help=words.text("prove.option.home"))
    parser.add_argument("--technician", default="", help=words.text("prove.option.technician"))
    parser.add_argument("--no-cancel", action="store_true", help=words.text("prove.option.no_cancel"))
    parser.add_argument("--no-mains", action="store_true", help=words.text("prove.option.no_mains"))
    parser.add_argument("--hand-s", type=float, default=_HAND_S, help=words.text("prove.option.hand_s"))
    add_gateway(parser, words)
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path(), help=words.text("prove.option.out"))
    parser.add_argument("--verify", type=Path, metavar="FILE", help=words.text("prove.option.verify"))
    parser.add_argument("--ca", type=Path, metavar="FILE", help=words.text("prove.option.ca"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Prove, or verify. Raises Refusal."""
    if arguments.verify is not None:
        from tools.prove.verifying import verify_file  # noqa: PLC0415

        return verify_file(arguments, words)
    if max(len(arguments.home), len(arguments.technician)) > _NAME_MOST:
        raise Refusal("prove.too_long", most=_NAME_MOST)
    # Imported here, and asked for first: what cannot be signed need not be pressed.
    from tools.report.signed import Signer  # noqa: PLC0415

    settings = config.load(arguments.config)
    platform = settings.platform
    if not platform.cert_file:
        raise Refusal("prove.no_certificate", config=arguments.config)
    signer = Signer(Path(platform.cert_file), Path(platform.key_file or platform.cert_file))
    if signer.name != settings.gateway.id:
        raise Refusal("prove.other_name", name=signer.name, gateway=settings.gateway.id)
    if not arguments.out.is_dir() or not os.access(arguments.out, os.W_OK):
        raise Refusal("prove.no_directory", directory=arguments.out)
    socket = arguments.gateway or settings.control_socket
    status = client.ask(socket, {"ask": "status"})
    if status["gateway"] != settings.gateway.id:
        raise Refusal("prove.other_name", name=settings.gateway.id, gateway=status["gateway"])
    served = [row["wearable"] for row in status["wearables"] if not row["revoked"]]
    wearables = [handle_of(code) for code in arguments.wearable] or served
    if not wearables:
        raise Refusal("walk.nobody")
    with Telling("prove", words, as_json=arguments.json) as telling:
        report = asyncio.run(_prove(socket, wearables, status, arguments, telling))
        _verdicts(report, telling)
        files = _leave(report, signer.sign(report), signer.name, arguments.out, words)
        state, reason = ("done", "prove.done") if report["accepted"] else ("failed", "prove.failed")
        telling.verdict(status["gateway"], state, reason, json=str(files[0]), pdf=str(files[1]))
    return 0 if report["accepted"] else 1


async def _prove(
    socket: Path, wearables: list[str], status: dict[str, Any], arguments: argparse.Namespace, telling: Telling
) -> dict[str, Any]:
    began = _now()
    wanted = Wanted(wearables, arguments.hand_s, not arguments.no_cancel, not arguments.no_mains)
    prover = Prover(socket, wanted, _Teller(telling))
    await prover.run()
    return {
        "gateway": {name: status[key] for name, key in (("id", "gateway"), ("area", "area"), ("version", "version"))},
        "technician": arguments.technician or getpass.getuser(),
        "home": arguments.home,
        "began_at": began,
        "ended_at": _now(),
        "wearables": [of_handle(handle) for handle in wearables],
        "lines": [_row(line) for line in prover.lines],
        "accepted": accepted(prover.lines),
    }


def _verdicts(report: dict[str, Any], telling: Telling) -> None:
    """The last word on each wearable, each way and the gateway."""
    for about in dict.fromkeys(line["about"] for line in report["lines"]):
        failed = any(line["about"] == about and line["result"] == FAILED for line in report["lines"])
        telling.verdict(about, "failed" if failed else "done")


def _row(line: Line) -> dict[str, Any]:
    row = {"about": _named(line.about), "check": line.check, "result": line.result, "reason": line.reason}
    return {**row, "facts": line.facts}


def _leave(report: dict[str, Any], signed: bytes, signer: str, place: Path, words: Messages) -> tuple[Path, Path]:
    """The signed file and its paper. A name is never used twice."""
    from tools.prove.sheet import pdf  # noqa: PLC0415

    stem = f"proof-{report['gateway']['id']}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    file, paper = place / f"{stem}.json", place / f"{stem}.pdf"
    for target, data in ((file, signed), (paper, pdf(report, signed, signer, words))):
        with target.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    return file, paper


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _named(about: str) -> str:
    """A wearable by its label code, anything else by its name."""
    try:
        return of_handle(about)
    except ValueError:
        return about


class _Teller:
    """Each check is a step of the wearable, way or gateway it is about."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def begin(self, about: str, check: str) -> None:
        self._telling.begin(_named(about), check)

    def line(self, line: Line) -> None:
        reason = f"prove.reason.{line.reason}" if line.reason else ""
        self._telling.end(_named(line.about), line.check, _STATES[line.result], reason, **line.facts)

    def alarm(self, wearable: str) -> None:
        self._telling.end(of_handle(wearable), "alarm", "done", "walk.alarm", wearable=of_handle(wearable))
