"""`pingan prove --verify FILE --ca CA`: is it genuine, and what does it say. Owns what is said of it."""

from __future__ import annotations

import argparse
import json

from edge_daemon.errors import Refusal
from tools.messages import Messages
from tools.prove.sheet import rows
from tools.report.signed import NotGenuine, verify


def verify_file(arguments: argparse.Namespace, words: Messages) -> int:
    """0 it is genuine, whatever it says; 1 it is not. Raises Refusal when it or the authority cannot be read."""
    if arguments.ca is None:
        raise Refusal("prove.no_ca")
    try:
        data = arguments.verify.read_bytes()
    except OSError as error:
        raise Refusal("prove.unreadable", file=arguments.verify, why=error.strerror) from error
    try:
        checked = verify(data, arguments.ca)
    except NotGenuine as error:
        _say(arguments, {"state": "failed", "reason": f"signed.reason.{error.reason}"})
        if not arguments.json:
            why = words.text(f"signed.reason.{error.reason}")
            print(words.text("prove.not_genuine", file=arguments.verify, why=why))
        return 1
    report = checked.report
    _say(arguments, {"state": "done", "signer": checked.signer, "accepted": report["accepted"], "report": report})
    if not arguments.json:
        print(words.text("prove.genuine", file=arguments.verify, signer=checked.signer, at=report["ended_at"]))
        print(words.text("prove.accepted" if report["accepted"] else "prove.not_accepted"))
        for row in rows(report, words):
            print("  " + "  ".join(part for part in row if part))
    return 0


def _say(arguments: argparse.Namespace, facts: dict[str, object]) -> None:
    if arguments.json:
        row = {"v": 1, "command": "prove", "of": str(arguments.verify), "step": "verify", **facts}
        print(json.dumps(row, ensure_ascii=False))
