"""Every sentence a person reads, in Chinese and English, from one catalogue: messages.toml.

Owns the choice of language and the filling in of names. Must not know when a sentence is said.
"""

from __future__ import annotations

import functools
import os
import tomllib
from pathlib import Path

from edge_daemon.errors import Refusal

LANGUAGES = ("en", "zh")
_FILE = Path(__file__).parent / "messages.toml"


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """All sentences: key -> language -> text with {names}."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def language(wanted: str | None = None) -> str:
    """`wanted`, else the locale's language when we speak it, else English."""
    if wanted in LANGUAGES:
        return str(wanted)
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


class Messages:
    """The catalogue in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def text(self, key: str, /, **names: object) -> str:
        """The sentence of a key. Raises KeyError for one the catalogue lacks: our fault, no person's."""
        return catalogue()[key][self.lang].format(**names)

    def refusal(self, refusal: Refusal) -> str:
        """What is wrong and what to do about it, in one line."""
        return self.text(refusal.key, **refusal.params)
