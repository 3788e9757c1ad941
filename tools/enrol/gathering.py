"""Which wearables are meant, and their rows. Owns the reading of codes, of lists, and of where the kit keeps rows.

What is wrong with one is told of that one: the others of a list go on. Must not know gateways. Rows hold keys: they
come from files that others cannot read, or through a pipe, never as arguments.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_daemon import registry
from edge_daemon.errors import Refusal
from tools.label import code

STDIN = Path("-")
_ENROLMENTS = "enrolments"


@dataclass(frozen=True)
class Named:
    """One that was named. `shown`: as a person knows it; `handle` is "" where `refusal` says that it is no name."""

    shown: str
    handle: str = ""
    refusal: Refusal | None = None


def named(texts: list[str]) -> list[Named]:
    """Codes, and lists of them: files with a code at the beginning of each line. Each once. Raises Refusal."""
    found: dict[str, Named] = {}
    for text in texts:
        path = Path(text)
        for one in _lines(path) if path.is_file() else [text]:
            named = _one(one)
            found.setdefault(named.handle or named.shown, named)
    return list(found.values())


def _one(text: str) -> Named:
    try:
        handle = code.handle_of(text)
    except Refusal as refusal:
        return Named(text, refusal=refusal)
    return Named(code.of_handle(handle), handle)


def _lines(path: Path) -> list[str]:
    """A code may be followed by a comma, a tab or a semicolon and anything; # begins a remark."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal("enrol.bad_list", file=path, why=getattr(error, "strerror", None) or error) from error
    codes = (re.split(r"[,;\t#]", line, maxsplit=1)[0].strip() for line in text.splitlines())
    return [text for text in codes if text]


class Rows:
    """Where rows are: a directory with a file for each wearable, the kit's own by default; one file; or a pipe.

    Raises Refusal for one that is not understood, or that others can read.
    """

    def __init__(self, source: Path | None) -> None:
        # Imported here: what seals and opens records need not be loaded by every command.
        from tools.records.store import default_directory  # noqa: PLC0415

        self.source = source if source is not None else default_directory()
        self._rows: dict[str, dict[str, Any]] | None = None
        self._directory = self.source
        if self.source == STDIN:
            self._rows = _content(STDIN, _stdin())
        elif self.source.is_dir():
            within = self.source / _ENROLMENTS
            self._directory = within if within.is_dir() else self.source
        elif source is not None:
            self._rows = _content(self.source, registry.read(self.source))

    def all(self) -> list[Named]:
        """Everybody who is there and not revoked."""
        if self._rows is None:
            files = sorted(self._directory.glob("*.json"))
            self._rows = {handle: row for file in files for handle, row in _content(file, registry.read(file)).items()}
        live = [handle for handle, row in self._rows.items() if not row.get("revoked")]
        return [Named(code.of_handle(handle), handle) for handle in live]

    def of(self, handle: str) -> dict[str, Any]:
        """The row of one. Raises Refusal where there is none."""
        rows = self._rows
        if rows is None:
            file = self._directory / f"{handle}.json"
            rows = _content(file, registry.read(file)) if file.exists() else {}
        if handle not in rows:
            raise Refusal("enrol.no_row", wearable=handle, source=self.source)
        return rows[handle]


def _stdin() -> dict[str, Any]:
    try:
        found = json.loads(sys.stdin.buffer.read())
    except ValueError as error:
        raise Refusal("registry.not_json", file=STDIN) from error
    if not isinstance(found, dict) or found.get("v") != 1 or not isinstance(found.get("wearables"), list):
        raise Refusal("registry.wrong_shape", file=STDIN)
    return found


def _content(file: Path, content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By handle. Each row is judged here, where the file it came from can be named."""
    return dict(zip(registry.parsed(file, content), content["wearables"], strict=True))
