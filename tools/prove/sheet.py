"""An acceptance as a sheet of paper, beside its signed file. Owns its words and columns; the file is what counts.

Who reads the paper can see which file it is of, by its SHA-256, and that file says who signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from tools.messages import Messages
from tools.report.paper import Paper

_COLUMNS = (0.0, 0.3, 0.6, 0.74)


def pdf(report: dict[str, Any], signed: bytes, signer: str, words: Messages) -> bytes:
    """`signed`: the signed file; `signer`: the name in the certificate."""
    paper = Paper(words.text("prove.title"))
    gateway = report["gateway"]
    paper.line(words.text("prove.of", gateway=gateway["id"], area=gateway["area"], version=gateway["version"]))
    paper.line(words.text("prove.by", technician=report["technician"], home=report["home"] or "-"))
    paper.line(words.text("prove.when", began=report["began_at"], ended=report["ended_at"]))
    paper.heading(words.text("prove.accepted" if report["accepted"] else "prove.not_accepted"))
    for about, check, result, reason in rows(report, words):
        paper.row([about, check, result, reason], _COLUMNS)
    paper.heading(words.text("prove.file"))
    paper.line("SHA-256 " + hashlib.sha256(signed).hexdigest())
    paper.line(words.text("prove.signed", signer=signer))
    return paper.bytes()


def rows(report: dict[str, Any], words: Messages) -> Iterator[tuple[str, str, str, str]]:
    """A row for each line: whom it is about, what was to be shown, whether it was, and why not."""
    for line in report["lines"]:
        reason = words.text(f"prove.reason.{line['reason']}") if line["reason"] else ""
        about = words.text(f"prove.about.{line['about']}") if line["about"] in _NAMED else line["about"]
        yield about, words.text(f"prove.check.{line['check']}"), words.text(f"prove.result.{line['result']}"), reason


_NAMED = ("gateway", "primary", "backup", "sms")
